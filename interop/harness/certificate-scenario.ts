// A tunnel by certificates of one root, whatever their keys: what every such scenario must show.
import assert from 'node:assert/strict';
import { readWithKeys } from './capture.ts';
import { certifyBoth, type KeyType } from './certificates.ts';
import type { Scenario } from './scenario.ts';

/** RFC 7427: Digital Signature. */
const digitalSignature = '14';

export function certificateScenario(type: KeyType, name: string): Scenario {
  return {
    expects: `${name} certificates both ways, signed as RFC 7427 says; pings both ways`,
    async play(stage) {
      await certifyBoth(stage, type);
      await stage.establish('net');
      await stage.pingBothWays();
      await stage.stopCapture();
      const methods = await readWithKeys(stage.capturePath, stage.wayward.keyLogPath, 'isakmp.auth.method', [
        'isakmp.auth.method',
      ]);
      assert.deepEqual(methods, [[digitalSignature], [digitalSignature]]);
    },
  };
}
