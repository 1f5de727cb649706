// A NAT that forgets and renumbers while packets are lost, doubled and late: the association finds its way in the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, type Endpoint, type Spi } from '#sa';
import { BehindNat } from './testing/behind-nat.ts';
import { act, anyStep, assertOnePair, type Step, weather } from './testing/storm.ts';
import type { TestHost } from './testing/two-hosts.ts';

const mappings: readonly Endpoint[] = [40_001, 40_002, 40_003].flatMap((port) =>
  ['203.0.113.1', '203.0.113.2'].map((one) => ({ address: address(one), port })),
);

const actions = [
  'remap',
  'remap',
  'data',
  'data',
  'check',
  'rekey',
  'close',
  'crash',
  'call',
  'wait',
] as const;

interface NatStep extends Step<(typeof actions)[number]> {
  readonly mapping: number;
}

const anySteps: fc.Arbitrary<NatStep[]> = fc.array(
  fc.record({
    ...anyStep(actions, [0, 0, 10, 300, 1_500, 8_000, 20_000]),
    mapping: fc.nat({ max: mappings.length - 1 }),
  }),
  { minLength: 3, maxLength: 14 },
);

/** ESP of moon by the SA in use gets to sun, whose data plane tells where it came from. */
function sendData(hosts: BehindNat): void {
  const { moon, sun, now } = hosts;
  const spi = [...moon.using.values()].at(-1);
  const sa = spi === undefined ? undefined : sun.inbound.get(spi);
  if (sa === undefined) return;
  hosts.sendEsp(moon);
  const remote = hosts.outside;
  const event = {
    kind: 'mapping-changed',
    protocol: 'esp',
    spi: spi as Spi,
    childId: sa.childId,
    remote,
  } as const;
  sun.give(now, { kind: 'data-plane', event });
}

function actHere(hosts: BehindNat, host: TestHost, { action, mapping }: NatStep): void {
  if (action === 'remap') hosts.outside = mappings[mapping]!;
  else if (action === 'data') sendData(hosts);
  else if (action === 'call') hosts.callInUdp();
  else act(hosts, host, action);
}

// RFC 9028 4.10, RFC 8046 5.4
test('after any storm data leads to where the NAT shows the peer, and both ends hold what they use', () => {
  let moved = 0;
  fc.assert(
    fc.property(anySteps, (steps) => {
      const hosts = new BehindNat().callInUdp();
      for (const step of steps) {
        actHere(hosts, step.moon ? hosts.moon : hosts.sun, step);
        weather(hosts, step);
        assert.ok(hosts.sun.host.status().length <= 1);
      }
      hosts.wait(100_000);
      hosts.callInUdp();
      hosts.wait(100_000);
      const { moon, sun } = hosts;
      for (const host of [moon, sun]) assert.equal(host.state(hosts.other(host).hit), 'ESTABLISHED');
      hosts.outside = mappings[5]!;
      sendData(hosts);
      hosts.wait(5_000);
      assert.deepEqual([hosts.wayToMoon, hosts.espToMoon], [hosts.outside, hosts.outside]);
      moved += hosts.sun.eventsOf('moved').length;
      hosts.assertKeysAgree();
      for (const host of [moon, sun]) assertOnePair(host);
    }),
    { numRuns: 60 },
  );
  assert.ok(moved > 20, `${moved}`);
});
