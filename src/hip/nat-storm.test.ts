// A NAT that forgets and renumbers while packets are lost, doubled and late: the association finds its way in the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, type Endpoint, type Spi } from '#sa';
import { BehindNat } from './testing/behind-nat.ts';
import type { TestHost, Transit } from './testing/two-hosts.ts';

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

interface Step {
  readonly action: (typeof actions)[number];
  readonly moon: boolean;
  readonly mapping: number;
  readonly waitMs: number;
  /** One bit for each packet that follows: lost or not; another: late or not. */
  readonly lost: number;
  readonly doubled: number;
}

const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    action: fc.constantFrom(...actions),
    moon: fc.boolean(),
    mapping: fc.nat({ max: mappings.length - 1 }),
    waitMs: fc.constantFrom(0, 0, 10, 300, 1_500, 8_000, 20_000),
    lost: fc.nat({ max: 0xffff }),
    doubled: fc.nat({ max: 0xffff }),
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

function act(hosts: BehindNat, host: TestHost, { action, mapping }: Step): void {
  const { now } = hosts;
  const local = host.hit;
  const remote = hosts.other(host).hit;
  switch (action) {
    case 'remap':
      hosts.outside = mappings[mapping]!;
      break;
    case 'data':
      sendData(hosts);
      break;
    case 'rekey':
      host.give(now, { kind: 'command', command: { kind: 'rekey', local, remote } });
      break;
    case 'check':
    case 'close':
      host.give(now, { kind: 'command', command: { kind: action, local, remote, reason: 'the storm' } });
      break;
    case 'crash':
      host.crash(now);
      break;
    case 'call':
      hosts.callInUdp();
      break;
    case 'wait':
      break;
  }
}

// RFC 9028 4.10, RFC 8046 5.4
test('after any storm data leads to where the NAT shows the peer, and both ends hold what they use', () => {
  let moved = 0;
  fc.assert(
    fc.property(anySteps, (steps) => {
      const hosts = new BehindNat().callInUdp();
      for (const step of steps) {
        act(hosts, step.moon ? hosts.moon : hosts.sun, step);
        let count = 0;
        const late: Transit[] = [];
        hosts.wait(step.waitMs, (transit) => {
          const bit = 1 << (count++ & 15);
          if ((step.doubled & bit) !== 0) late.push(transit);
          return (step.lost & bit) === 0;
        });
        for (const transit of late) hosts.deliver(transit);
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
      for (const host of [moon, sun]) {
        assert.deepEqual([host.inbound.size, host.outbound.size, host.policies.size], [1, 1, 1], host.name);
        assert.deepEqual([...host.spis], [...host.inbound.keys()]);
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(moved > 20, `${moved}`);
});
