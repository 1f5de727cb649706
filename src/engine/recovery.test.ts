// What becomes of a tunnel that somebody wants when its SAs end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { child, configuration, connection } from './testing/configurations.ts';
import { EnginePair } from './testing/two-engines.ts';

const wanted = { startAction: 'start', closeAction: 'start', dpdAction: 'restart' } as const;
const persistent = { keyingTries: 0, unique: 'keep' } as const;

test('a Child SA that the peer closes is not started anew while another IKE SA carries it', () => {
  const pair = new EnginePair({
    moon: configuration('moon', {
      connections: [connection('moon', { ...persistent, children: [child('moon', wanted)] })],
    }),
    sun: configuration('sun', {
      connections: [connection('sun', { ...persistent, children: [child('sun', wanted)] })],
    }),
  });
  // Both begin at once: two IKE SAs, neither older than the other.
  pair.start();
  pair.run(100);
  assert.deepEqual([pair.moon.established, pair.sun.established], [2, 2]);
  const [first] = pair.sun.engine.status().ikeSas;
  pair.sun.command({ kind: 'terminate', ikeId: first!.ikeId });
  pair.run(60_000);
  assert.deepEqual([pair.moon.established, pair.sun.established], [1, 1]);
  assert.equal(pair.moon.countIke('ike-established'), 2, 'nobody began again');
});

test('a wish for a Child SA outlives the IKE SA that dies under it', () => {
  const pair = new EnginePair({
    moon: configuration('moon', {
      connections: [connection('moon', { ...persistent, children: [child('moon', wanted)] })],
    }),
  });
  pair.start();
  pair.run(100);
  pair.moon.command({ kind: 'terminate', child: 'net' });
  pair.run(100);
  assert.deepEqual([pair.moon.children, pair.moon.established], [0, 1]);
  pair.cut = true;
  const id = pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.run(30_000);
  assert.equal(pair.moon.results.get(id)?.ok, false, 'whoever asked is told that the IKE SA died');
  pair.cut = false;
  pair.run(120_000);
  assert.equal(pair.moon.children, 1, 'and the tunnel comes up all the same');
  assert.equal(pair.moon.engine.tables().pendingCommands, 0);
});
