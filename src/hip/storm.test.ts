// Whatever is lost, doubled and late, and whoever asks for what: both ends agree in the end, and nobody is stuck.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HipHost } from './host.ts';
import { type TestHost, type Transit, TwoHosts } from './testing/two-hosts.ts';

const actions = ['call', 'call', 'rekey', 'check', 'close', 'crash', 'traffic', 'wait'] as const;

interface Step {
  readonly action: (typeof actions)[number];
  readonly moon: boolean;
  readonly waitMs: number;
  /** One bit for each packet that follows: lost or not; another: doubled or not. */
  readonly lost: number;
  readonly doubled: number;
}

const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    action: fc.constantFrom(...actions),
    moon: fc.boolean(),
    waitMs: fc.constantFrom(0, 0, 10, 300, 1500, 8000),
    lost: fc.nat({ max: 0xffff }),
    doubled: fc.nat({ max: 0xffff }),
  }),
  { minLength: 3, maxLength: 12 },
);

function act(hosts: TwoHosts, host: TestHost, action: Step['action']): void {
  const remote = hosts.other(host).hit;
  const local = host.hit;
  switch (action) {
    case 'call':
      hosts.call(host);
      break;
    case 'crash':
      host.crash(hosts.now);
      break;
    case 'traffic':
      if (host.using.size > 0 && host.outbound.size > 0) hosts.sendEsp(host);
      break;
    case 'wait':
      break;
    case 'close':
    case 'check':
      host.give(hosts.now, {
        kind: 'command',
        command: { kind: action, local, remote, reason: 'the storm' },
      });
      break;
    case 'rekey':
      host.give(hosts.now, { kind: 'command', command: { kind: action, local, remote } });
  }
}

/** Whatever names an association finds it. */
function assertFound(host: HipHost): void {
  const all = host.status();
  for (const { remote, path } of all) {
    assert.deepEqual(
      host.statusWith(remote),
      all.filter((one) => one.remote === remote),
    );
    const { address } = path.remote;
    assert.deepEqual(
      host.statusToward(address),
      all.filter((one) => one.path.remote.address === address),
    );
  }
}

test('after any storm a call brings both ends together, and what they hold is what they use', () => {
  let established = 0;
  fc.assert(
    fc.property(anySteps, (steps) => {
      const hosts = new TwoHosts();
      for (const { action, moon, waitMs, lost, doubled } of steps) {
        act(hosts, moon ? hosts.moon : hosts.sun, action);
        let count = 0;
        const late: Transit[] = [];
        hosts.wait(waitMs, (transit) => {
          const bit = 1 << (count++ & 15);
          if ((doubled & bit) !== 0) late.push(transit);
          return (lost & bit) === 0;
        });
        for (const transit of late) hosts.deliver(transit);
        for (const one of [hosts.moon, hosts.sun]) assertFound(one.host);
      }
      established += hosts.moon.eventsOf('established').length;
      // The storm is over. Whatever is under way comes to an end, and whoever is called answers.
      hosts.wait(80_000);
      for (const host of [hosts.moon, hosts.sun]) {
        hosts.call(host);
        hosts.wait(100_000);
        assert.equal(host.state(hosts.other(host).hit), 'ESTABLISHED');
      }
      hosts.assertKeysAgree();
      for (const host of [hosts.moon, hosts.sun]) {
        assert.deepEqual([host.inbound.size, host.outbound.size, host.policies.size], [1, 1, 1], host.name);
        assert.deepEqual([...host.spis], [...host.inbound.keys()]);
        assert.equal(host.host.status().length, 1);
        act(hosts, host, 'close');
      }
      // Nothing of it is kept for good.
      hosts.wait(60 * 60_000);
      for (const host of [hosts.moon, hosts.sun]) {
        assert.equal(host.host.status().length, 0);
        assert.equal(host.privateValues.size, 0, host.name);
        assert.equal(host.host.deadline(), undefined);
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(established > 20);
});
