// The number of a Child SA leads to its IKE SA as long as it stands, and not longer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { child, configuration, connection } from '../testing/configurations.ts';
import { type Datagram, type EngineHost, EnginePair } from '../testing/two-engines.ts';

const childSas = ({ engine }: EngineHost): number => engine.tables().childSas;

test('children that the peer refuses again and again leave nothing', () => {
  const more = child('moon', { name: 'more', localSelectors: child('sun').localSelectors });
  const pair = new EnginePair({
    moon: configuration('moon', {
      connections: [connection('moon', { children: [child('moon'), more] })],
    }),
  }).start();
  pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.settle();
  for (let i = 0; i < 20; i++) {
    pair.moon.command({ kind: 'initiate', child: 'more' });
    pair.settle();
  }
  assert.equal(pair.moon.countIke('child-failed'), 20);
  assert.deepEqual([childSas(pair.moon), childSas(pair.sun)], [1, 1]);
  pair.moon.command({ kind: 'terminate', connection: 'gateway' });
  pair.settle();
  assert.deepEqual([childSas(pair.moon), childSas(pair.sun)], [0, 0]);
});

/** Sun answers moon's rekeying and then takes the old pair down; what it says last arrives first. */
function overtaken(): EnginePair {
  const pair = new EnginePair().establish();
  pair.moon.command({ kind: 'rekey', child: 'net' });
  const request = pair.wire.shift()!;
  pair.deliver(request);
  const [answer, ...others] = pair.wire.splice(0);
  assert.ok(answer !== undefined && others.length === 0);
  pair.sun.command({ kind: 'terminate', child: 'net' });
  const removals: Datagram[] = pair.wire.splice(0);
  assert.ok(removals.length > 0);
  pair.deliver(removals[0]!);
  pair.now++;
  pair.deliver(answer);
  return pair;
}

// RFC 7296 1.4.1: the network has no order.
test('a pair whose predecessor went before its answer came is a tunnel like any other, until it goes', () => {
  const pair = overtaken();
  const { moon } = pair;
  const standing = moon.engine.childSas().length;
  assert.equal(childSas(moon), standing);
  const ups = moon.eventsOf('child-up').length;
  const downs = moon.eventsOf('child-down').length;
  assert.equal(ups - downs, standing, 'routes are there for what stands');
  pair.settle();
  assert.equal(
    moon.eventsOf('child-up').length - moon.eventsOf('child-down').length,
    moon.engine.childSas().length,
  );
  assert.deepEqual([childSas(moon), childSas(pair.sun)], [0, 0]);
});
