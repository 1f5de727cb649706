// The algorithms that peers use most, in IKE and in ESP, with a key exchange of its own for the rekeyed Child SA.
import assert from 'node:assert/strict';
import type { Scenario } from '../../harness/scenario.ts';
import { tcpWithChecksum } from '../../harness/traffic.ts';

const suites = [
  { ike: 'aes128gcm16-prfsha256-x25519', esp: 'aes256gcm16-x25519', encryption: 'AES_GCM_16' },
  { ike: 'aes256-sha256-prfsha256-modp2048', esp: 'aes128-sha256-modp2048', encryption: 'AES_CBC' },
  {
    ike: 'chacha20poly1305-prfsha512-ecp256',
    esp: 'chacha20poly1305-ecp256',
    encryption: 'CHACHA20_POLY1305',
  },
] as const;

const scenario: Scenario = {
  expects: 'AES-GCM, AES-CBC with HMAC, ChaCha20-Poly1305; X25519, MODP-2048, P-256; in IKE, ESP and PFS',
  variables: suites[0],
  async play(stage) {
    await stage.start();
    for (const { ike, esp, encryption } of suites) {
      await stage.configure({ ike, esp });
      await Promise.all(stage.peers.map((peer) => peer.reload()));
      await stage.initiator.up('net');
      const first = await stage.agreedChild('net');
      await stage.routed(first);
      // The first Child SA takes its keys from the exchange of the IKE SA.
      assert.equal(first.suite, esp.slice(0, esp.lastIndexOf('-')));
      assert.equal((await stage.wayward.ikeSas())[0]?.suite, ike);
      assert.match((await stage.strongswan.ikeSas())[0]?.suite ?? '', new RegExp(`^${encryption} `));
      await stage.pingBothWays();

      await stage.initiator.rekeyChild('net');
      const second = await stage.replacedChild(first);
      assert.equal(second.suite, esp);
      await stage.pingBothWays();
      await tcpWithChecksum(stage.path('wayward'), stage.network.strongswan.namespace);
      await stage.initiator.downIke('gateway');
      await stage.nothingLeft();
    }
  },
};
export default scenario;
