// tshark opens our IKE and ESP with the keys of `wayward run --keylog FILE`, and finds every checksum right.
import assert from 'node:assert/strict';
import { describePackets, readWithKeys } from '../../harness/capture.ts';
import type { Scenario } from '../../harness/scenario.ts';

const suites = [
  { ike: 'aes128gcm16-prfsha256-x25519', esp: 'aes128gcm16' },
  { ike: 'aes256-sha256-modp2048', esp: 'aes256-sha256' },
] as const;

const scenario: Scenario = {
  expects: 'tshark decrypts and authenticates IKE and ESP with our key log',
  roles: ['initiator'],
  variables: suites[0],
  async play(stage) {
    await stage.start();
    for (const { ike, esp } of suites) {
      await stage.configure({ ike, esp });
      await Promise.all(stage.peers.map((peer) => peer.reload()));
      await stage.initiator.up('net');
      const child = await stage.agreedChild('net');
      await stage.routed(child);
      await stage.pingBothWays();
      await stage.initiator.rekeyChild('net');
      await stage.replacedChild(child);
      await stage.pingBothWays();
      await stage.initiator.downIke('gateway');
      await stage.nothingLeft();
    }
    await stage.stopCapture();
    const { keyLogPath } = stage.wayward;

    // IKE_AUTH, CREATE_CHILD_SA and INFORMATIONAL of both suites.
    const sealed = 'isakmp.exchangetype > 34';
    const messages = await readWithKeys(stage.capturePath, keyLogPath, sealed, [
      'isakmp.exchangetype',
      'isakmp.enc.decrypted',
    ]);
    for (const [exchange, decrypted] of messages) assert.equal(decrypted, '1', `exchange ${exchange}`);
    const exchanges = messages.map(([exchange]) => exchange);
    for (const one of ['35', '36', '37'])
      assert.ok(exchanges.filter((type) => type === one).length >= 2 * suites.length, `exchange ${one}`);
    const text = await describePackets(stage.capturePath, keyLogPath, sealed);
    const checksums = [...text.matchAll(/Integrity Checksum Data: .*\[(.*)\]/g)].map(
      ([, verdict]) => verdict,
    );
    assert.deepEqual(checksums, Array(messages.length).fill('correct'));

    const packets = await readWithKeys(stage.capturePath, keyLogPath, 'esp', [
      'esp.spi',
      'esp.icv_good',
      'icmp.type',
    ]);
    for (const [spi, good] of packets) assert.equal(good, '1', `ICV of SPI ${spi}`);
    // Two generations of each suite, in both directions, with requests and replies inside.
    assert.equal(new Set(packets.map(([spi]) => spi)).size, 4 * suites.length);
    for (const type of ['8', '0'])
      assert.ok(
        packets.filter(([, , inner]) => inner === type).length >= 16 * suites.length,
        `ICMP type ${type}`,
      );
  },
};
export default scenario;
