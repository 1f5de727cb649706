// `wayward explain` with our key log: every message and packet opens, and the SAs are those that both daemons list.
import assert from 'node:assert/strict';
import { Explained } from '../../harness/explained.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = {
  expects: 'explain opens and verifies everything, and tells the Child SAs, their rekey and their end',
  async play(stage) {
    await stage.establish('net');
    const [ikeSa] = await stage.initiator.ikeSas();
    const first = await stage.agreedChild('net');
    await stage.pingBothWays();
    await stage.initiator.rekeyChild('net');
    const second = await stage.replacedChild(first);
    await stage.pingBothWays();
    await stage.initiator.downIke('gateway');
    await stage.nothingLeft();
    await stage.stopCapture();
    const { keyLogPath } = stage.wayward;

    const told = await Explained.read(stage.capturePath, keyLogPath);
    told.noProblems();
    const [row, ...others] = told.ikeSas;
    assert.deepEqual(others, []);
    assert.equal(row?.initiatorSpi, ikeSa!.initiatorSpi);
    assert.equal(row?.responderSpi, ikeSa!.responderSpi);
    assert.equal(row?.suite, 'aes128gcm16-prfsha256-x25519');
    assert.equal(row?.state, 'deleted');
    assert.equal(row?.sealed, 0, 'messages that were not opened');
    const identities = [row?.initiatorIdentity, row?.responderIdentity];
    assert.deepEqual(identities.toSorted(), ['left.example', 'right.example']);

    const spis = [first, second].map(({ inboundSpi, outboundSpi }) => [inboundSpi, outboundSpi].toSorted());
    assert.deepEqual(
      told.childSas.map(({ initiatorSpi, responderSpi }) => [initiatorSpi, responderSpi].toSorted()),
      spis,
    );
    for (const { suite, mode, initiatorSelectors } of told.childSas) {
      assert.equal(suite, 'aes128gcm16');
      assert.equal(mode, 'tunnel');
      assert.equal(initiatorSelectors.length, 2);
    }
    assert.ok(told.childSas[0]!.ended !== undefined, 'the first Child SA was deleted');
    assert.deepEqual(told.flows.map(({ spi }) => spi).toSorted(), spis.flat().toSorted());
    for (const { spi, origin, packets, verified, forged, missing, replayed, carries } of told.flows) {
      assert.equal(origin, 'negotiated', spi);
      assert.deepEqual([verified, forged, missing, replayed], [packets, 0, 0, 0], spi);
      assert.match(carries!.join(), /^10\.[12]\.0\.1 > 10\.[12]\.0\.1 icmp \(\d+\)$/);
    }

    // The same capture without keys: less is known, and nothing else is said.
    const sealed = await Explained.read(stage.capturePath);
    sealed.noProblems();
    assert.equal(sealed.ikeSas[0]?.opened, 0);
    assert.deepEqual(sealed.childSas, []);
    for (const { spi, origin } of sealed.flows) assert.equal(origin, 'likely', spi);
  },
};
export default scenario;
