// Whatever is lost, doubled and late, and whoever asks for what: both ends agree in the end, and nobody is stuck.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HipHost } from './host.ts';
import { act, anyStep, assertOnePair, weather } from './testing/storm.ts';
import { type TestHost, TwoHosts } from './testing/two-hosts.ts';

const actions = ['call', 'call', 'rekey', 'check', 'close', 'crash', 'traffic', 'wait'] as const;

type Action = (typeof actions)[number];

const anySteps = fc.array(fc.record(anyStep(actions, [0, 0, 10, 300, 1_500, 8_000])), {
  minLength: 3,
  maxLength: 12,
});

function actHere(hosts: TwoHosts, host: TestHost, action: Action): void {
  if (action === 'call') hosts.call(host);
  else if (action !== 'traffic') act(hosts, host, action);
  else if (host.using.size > 0 && host.outbound.size > 0) hosts.sendEsp(host);
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
      for (const step of steps) {
        actHere(hosts, step.moon ? hosts.moon : hosts.sun, step.action);
        weather(hosts, step);
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
        assertOnePair(host);
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
