// Both sides prove themselves with ECDSA P-256 certificates of one root.
import assert from 'node:assert/strict';
import { readWithKeys } from '../../harness/capture.ts';
import { certifyBoth } from '../../harness/certificates.ts';
import type { Scenario } from '../../harness/scenario.ts';

/** RFC 7427: Digital Signature. */
const digitalSignature = '14';

const scenario: Scenario = {
  expects: 'ECDSA P-256 certificates both ways, signed as RFC 7427 says; pings both ways',
  timeLimitMs: 60_000,
  async play(stage) {
    await certifyBoth(stage, 'ecdsa');
    await stage.establish('net');
    await stage.pingBothWays();
    await stage.stopCapture();
    const methods = await readWithKeys(stage.capturePath, stage.wayward.keyLogPath, 'isakmp.auth.method', [
      'isakmp.auth.method',
    ]);
    assert.deepEqual(methods, [[digitalSignature], [digitalSignature]]);
  },
};
export default scenario;
