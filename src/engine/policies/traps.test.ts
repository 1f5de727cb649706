// Traffic brings tunnels up: trap policies and what they ask for (RFC 4301 4.4.1, RFC 7296 2.9).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type DataPlaneEvent, selectorOfRange } from '#sa';
import { child, configuration, connection } from '../testing/configurations.ts';
import { type EngineHost, EnginePair } from '../testing/two-engines.ts';

function pairWithTrap(): EnginePair {
  return new EnginePair({
    moon: configuration('moon', {
      connections: [
        connection('moon', {
          children: [child('moon', { startAction: 'trap', closeAction: 'trap', dpdAction: 'trap' })],
        }),
      ],
    }),
  }).start();
}

function acquire(host: EngineHost): DataPlaneEvent {
  const policy = host.saCommands.find(
    (command) => command.kind === 'install-policy' && command.policy.action === 'trap',
  );
  assert.ok(policy?.kind === 'install-policy', 'there is a trap');
  const single = (text: string) => selectorOfRange(address(text), address(text));
  return {
    kind: 'acquire',
    policyId: policy.policy.policyId,
    local: single('10.1.0.9'),
    remote: single('10.2.0.9'),
  };
}

test('a trap is there from the start, and nothing else', () => {
  const { moon } = pairWithTrap();
  assert.equal(moon.engine.tables().traps, 1);
  assert.deepEqual([moon.sent.length, moon.established], [0, 0]);
});

test('a packet brings the whole tunnel up, once', () => {
  const pair = pairWithTrap();
  const event = acquire(pair.moon);
  for (let i = 0; i < 3; i++) pair.moon.dataPlane(event);
  pair.settle();
  assert.deepEqual([pair.moon.established, pair.moon.children], [1, 1]);
  assert.deepEqual(
    pair.moon.engine.childSas().map(({ remote }) => remote[0]?.start),
    [address('10.2.0.0')],
  );
});

test('a trap outlives its Child SA and asks again', () => {
  const pair = pairWithTrap();
  pair.moon.dataPlane(acquire(pair.moon));
  pair.settle();
  pair.sun.command({ kind: 'terminate', child: 'net' });
  pair.settle();
  assert.deepEqual([pair.moon.children, pair.moon.engine.tables().traps], [0, 1]);
  pair.moon.dataPlane(acquire(pair.moon));
  pair.settle();
  assert.equal(pair.moon.children, 1);
});

test('packets that ask again while the tunnel comes up over an IKE SA that stands, or just after, get no second one', () => {
  const pair = pairWithTrap();
  const event = acquire(pair.moon);
  pair.moon.dataPlane(event);
  pair.settle();
  pair.moon.dataPlane(event);
  pair.settle();
  assert.equal(pair.moon.children, 1, 'it was on its way when the policy came');
  pair.moon.command({ kind: 'terminate', child: 'net' });
  pair.settle();
  assert.deepEqual([pair.moon.established, pair.moon.children], [1, 0]);
  for (let i = 0; i < 3; i++) pair.moon.dataPlane(event);
  pair.settle();
  assert.equal(pair.moon.children, 1);
});

test('a tunnel that cannot come up is asked for by every packet anew, without an end that leaves something', () => {
  const pair = pairWithTrap();
  pair.cut = true;
  for (let i = 0; i < 3; i++) {
    pair.moon.dataPlane(acquire(pair.moon));
    pair.run(30_000);
    assert.deepEqual([pair.moon.engine.tables().ikeSas, pair.moon.engine.tables().initiations], [0, 0]);
  }
  pair.cut = false;
  pair.moon.dataPlane(acquire(pair.moon));
  pair.settle();
  assert.equal(pair.moon.children, 1);
});

test('an acquire of a policy that is no trap asks for nothing', () => {
  const pair = pairWithTrap();
  pair.moon.dataPlane({ ...acquire(pair.moon), policyId: 1 } as DataPlaneEvent);
  assert.deepEqual(pair.moon.sent, []);
});
