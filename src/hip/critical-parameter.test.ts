// A critical parameter that we do not know (RFC 7401 5.2.1): the packet is not processed any further, whichever it is.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appendHipParameters, type HipParameter, writeHipChecksum } from '#wire';
import { addressesOf } from './host-state.ts';
import { type Transit, TwoHosts } from './testing/two-hosts.ts';

/** Behind everything that a signature covers. */
function withUnknown({ octets, path }: Transit, parameterType: number): Uint8Array {
  const unknown: HipParameter = { type: 'unknown', parameterType, contents: new Uint8Array(4) };
  const longer = appendHipParameters(octets, [unknown]);
  writeHipChecksum(longer, addressesOf(path.local.address, path.remote.address));
  return longer;
}

const critical = 65_001;
const other = 65_000;

/** What the receivers of a packet of this type say, all of which have an unknown parameter. */
function rejectionsOf(type: string, parameterType: number): string[] {
  const hosts = new TwoHosts();
  const { moon, sun } = hosts;
  const pass = (transit: Transit, sent: string): boolean => {
    if (sent !== type) return true;
    hosts.deliver({ ...transit, octets: withUnknown(transit, parameterType) });
    return false;
  };
  hosts.call();
  hosts.settle(pass);
  for (const kind of ['check', 'close'] as const) {
    const command = { kind, local: moon.hit, remote: sun.hit, reason: 'a test' };
    moon.give(hosts.now, { kind: 'command', command });
    hosts.settle(pass);
  }
  return [...moon.rejections, ...sun.rejections].filter((one) => one.startsWith(`${type} `));
}

describe('a critical parameter that is not known', () => {
  for (const type of ['I1', 'R1', 'I2', 'R2', 'UPDATE', 'CLOSE', 'CLOSE_ACK'])
    test(`ends what is done with ${type}, and one that is not critical does not`, () => {
      assert.deepEqual([...new Set(rejectionsOf(type, critical))], [`${type} critical-parameter`]);
      assert.deepEqual(rejectionsOf(type, other), []);
    });
});
