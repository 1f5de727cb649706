// Both ends begin at once: one IKE SA is left, the same at both ends, and traffic has one to leave through at every instant.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConnectionConfiguration } from '#ike';
import { child, configuration, connection } from '../testing/configurations.ts';
import { type EngineHost, EnginePair } from '../testing/two-engines.ts';

function bothStart(unique: ConnectionConfiguration['unique']): EnginePair {
  const of = (host: 'moon' | 'sun') =>
    configuration(host, {
      connections: [
        connection(host, {
          unique,
          keyingTries: 0,
          children: [child(host, { startAction: 'start', closeAction: 'start' })],
        }),
      ],
    });
  return new EnginePair({ moon: of('moon'), sun: of('sun') }).start();
}

function pairsOf(host: EngineHost): string[] {
  return host.engine
    .status()
    .ikeSas.map(({ initiatorSpi, responderSpi }) => `${initiatorSpi} ${responderSpi}`);
}

describe('two IKE SAs that were begun at once', () => {
  for (const unique of ['no', 'replace', 'keep'] as const) {
    test(`become one, by the nonces and not by who is asked (unique = ${unique})`, () => {
      const pair = bothStart(unique);
      pair.run(500);
      assert.deepEqual([pair.moon.established, pair.sun.established], [2, 2], 'nothing goes at once');
      pair.run(10_000);
      assert.deepEqual([pair.moon.established, pair.sun.established], [1, 1]);
      assert.deepEqual(pairsOf(pair.moon), pairsOf(pair.sun));
      assert.deepEqual([pair.moon.children, pair.sun.children], [1, 1]);
      const ended = [pair.moon, pair.sun].flatMap((host) => host.eventsOf('duplicate-ike-sa'));
      assert.equal(ended.length, 1, 'only the end that began it acts');
      pair.run(60_000);
      assert.deepEqual([pair.moon.established, pair.sun.established], [1, 1], 'and none is made again');
    });
  }

  test('stay both where a peer may have several (unique = never)', () => {
    const pair = bothStart('never');
    pair.run(10_000);
    assert.deepEqual([pair.moon.established, pair.sun.established], [2, 2]);
  });
});

test("an attempt that is not answered ends when the peer's own IKE SA stands", () => {
  const pair = bothStart('no');
  // The first request of moon is lost.
  const lost = pair.wire.findIndex(({ to }) => to === 'sun');
  pair.wire.splice(lost, 1);
  pair.settle();
  assert.deepEqual([pair.moon.established, pair.sun.established], [1, 1]);
  pair.run(60_000);
  assert.deepEqual([pair.moon.established, pair.sun.established], [1, 1]);
  assert.equal(pair.moon.eventsOf('connecting').length, 1);
  assert.equal(pair.sun.eventsOf('duplicate-ike-sa').length, 0, 'no INITIAL_CONTACT came too late');
});
