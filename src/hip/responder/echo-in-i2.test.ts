// What an Initiator, or whoever passes its I2 on, wants to have back with R2 (RFC 7401 5.2.20, 5.2.21).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendHipParameters, decodeHipPacket, type HipParameter, hipUdpPort } from '#wire';
import { HandmadeInitiator, type I2Change } from '../testing/handmade-initiator.ts';
import { testIdentity } from '../testing/identities.ts';
import { TwoHosts } from '../testing/two-hosts.ts';

const moon = testIdentity('p256-a');

/** A host that has answered I1, and what it says to an I2 and to those that follow. */
function answers(
  change: I2Change,
  ...unsigned: readonly (readonly Uint8Array[])[]
): { readonly hosts: TwoHosts; readonly r2s: readonly (readonly HipParameter[])[] } {
  const hosts = new TwoHosts();
  const { sun } = hosts;
  const initiator = new HandmadeInitiator(moon, sun.hit);
  const path = {
    local: { ...sun.endpoint, port: hipUdpPort },
    remote: { ...hosts.moon.endpoint, port: hipUdpPort },
  };
  const tell = (octets: Uint8Array): Uint8Array | undefined => {
    sun.sent.length = 0;
    sun.give(hosts.now, { kind: 'packet', path, octets });
    return sun.sent[0]?.octets;
  };
  const i2 = initiator.i2(tell(initiator.i1)!, change);
  const r2s = unsigned.map((wanted) => {
    const more = wanted.map((data) => ({ type: 'ECHO_REQUEST_UNSIGNED' as const, data }));
    const r2 = tell(more.length === 0 ? i2 : appendHipParameters(i2, more));
    return r2 === undefined ? [] : decodeHipPacket(r2).parameters;
  });
  return { hosts, r2s };
}

function echoed(parameters: readonly HipParameter[]): string[] {
  return parameters.flatMap((one) =>
    one.type === 'ECHO_RESPONSE_SIGNED' || one.type === 'ECHO_RESPONSE_UNSIGNED'
      ? [`${one.type} ${one.data}`]
      : [],
  );
}

const asked: HipParameter = { type: 'ECHO_REQUEST_SIGNED', data: Uint8Array.of(1, 2, 3) };

test('what the Initiator has signed comes back under the signature of R2', () => {
  const { hosts, r2s } = answers({ parameters: [asked] }, []);
  assert.deepEqual(echoed(r2s[0]!), ['ECHO_RESPONSE_SIGNED 1,2,3']);
  assert.equal(hosts.sun.eventsOf('established').length, 1);
});

test('an I2 without a request is answered without a response', () => {
  assert.deepEqual(echoed(answers({}, []).r2s[0]!), []);
});

test('what somebody has added on the way comes back behind the signature, each time what was added that time', () => {
  const { hosts, r2s } = answers({}, [Uint8Array.of(9), Uint8Array.of(8, 8)], [Uint8Array.of(7)], []);
  assert.deepEqual(r2s.map(echoed), [
    ['ECHO_RESPONSE_UNSIGNED 9', 'ECHO_RESPONSE_UNSIGNED 8,8'],
    ['ECHO_RESPONSE_UNSIGNED 7'],
    [],
  ]);
  // It was the same I2 three times.
  assert.equal(hosts.sun.eventsOf('established').length, 1);
  assert.deepEqual(hosts.sun.rejections, []);
});

test('more than R2 has room for is refused before anything is computed', () => {
  const { hosts } = answers({ parameters: [{ ...asked, data: new Uint8Array(513) } as HipParameter] }, []);
  assert.deepEqual(hosts.sun.rejections, ['I2 echo']);
});
