// IKE_AUTH messages too long for a packet: both sides send a chain of three intermediate CAs, in small fragments (RFC 7383).
import assert from 'node:assert/strict';
import { readWithKeys } from '../../harness/capture.ts';
import { certifyBoth } from '../../harness/certificates.ts';
import type { Scenario } from '../../harness/scenario.ts';

/** RFC 7383 2.5: Encrypted and Authenticated Fragment. */
const skf = '53';
/** What both configurations say, and an Ethernet header. */
const frameBytesMax = 600 + 14;

const scenario: Scenario = {
  expects: 'chains of three intermediates in fragments of 600 octets both ways; pings both ways',
  async play(stage) {
    await certifyBoth(stage, 'ecdsa', 3);
    await stage.establish('net');
    await stage.pingBothWays();
    await stage.stopCapture();
    const filter = `isakmp.nextpayload == ${skf}`;
    const fragments = await readWithKeys(stage.capturePath, undefined, filter, ['eth.src', 'frame.len']);
    for (const sender of new Set(fragments.map(([mac]) => mac))) {
      const lengths = fragments.filter(([mac]) => mac === sender).map(([, length]) => Number(length));
      assert.ok(lengths.length >= 4, `${lengths.length} fragments`);
      assert.ok(Math.max(...lengths) <= frameBytesMax, `a fragment of ${Math.max(...lengths)} octets`);
    }
    assert.equal(new Set(fragments.map(([mac]) => mac)).size, 2);
  },
};
export default scenario;
