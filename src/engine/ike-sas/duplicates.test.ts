// Several IKE SAs between the same two hosts (RFC 7296 2.4, 2.8.2; swanctl.conf `unique`).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConnectionConfiguration } from '#ike';
import { ExchangeType } from '#wire';
import { configuration, connection } from '../testing/configurations.ts';
import { EnginePair } from '../testing/two-engines.ts';

function pairWith(change: Partial<ConnectionConfiguration>): EnginePair {
  return new EnginePair({
    moon: configuration('moon', { connections: [connection('moon', change)] }),
    sun: configuration('sun', { connections: [connection('sun', change)] }),
  });
}

describe('a host that lost its state', () => {
  for (const unique of ['no', 'replace', 'keep'] as const) {
    test(`says so with INITIAL_CONTACT, and its old IKE SA goes at once (unique = ${unique})`, () => {
      const pair = pairWith({ unique }).establish();
      pair.now += 1000;
      pair.moon.crash();
      const id = pair.moon.command({ kind: 'initiate', child: 'net' });
      pair.settle();
      assert.equal(pair.moon.results.get(id)?.ok, true);
      assert.deepEqual([pair.moon.established, pair.sun.established], [1, 1]);
      const [duplicate] = pair.sun.eventsOf('duplicate-ike-sa');
      assert.match(duplicate?.reason ?? '', /INITIAL_CONTACT/);
      assert.equal(pair.sun.saCommands.filter(({ kind }) => kind === 'remove').length, 2);
      assert.equal(pair.sun.engine.tables().reservedSpis, 1);
    });
  }

  // A machine that boots calls before its network is there.
  for (const [arrived, isLost] of [
    ['nothing', () => true],
    ['only IKE_SA_INIT', (octets: Uint8Array) => octets[18] === ExchangeType.IKE_AUTH],
  ] as const) {
    test(`says so as soon as it gets through, though at first ${arrived} did`, () => {
      const pair = pairWith({ unique: 'no' }).establish();
      pair.now += 1000;
      pair.moon.crash();
      const deliver = pair.deliver.bind(pair);
      pair.deliver = (datagram) => {
        if (!isLost(datagram.octets)) deliver(datagram);
      };
      const first = pair.moon.command({ kind: 'initiate', child: 'net' });
      pair.run(300_000);
      pair.deliver = deliver;
      assert.equal(pair.moon.results.get(first)?.ok, false);
      pair.moon.command({ kind: 'initiate', child: 'net' });
      pair.settle();
      assert.deepEqual([pair.moon.established, pair.sun.established], [1, 1]);
    });
  }

  test('is not believed to have lost it if it never says so (unique = never)', () => {
    const pair = pairWith({ unique: 'never' }).establish();
    pair.now += 1000;
    pair.moon.crash();
    pair.moon.command({ kind: 'initiate', child: 'net' });
    pair.settle();
    assert.deepEqual([pair.moon.established, pair.sun.established], [1, 2]);
  });
});

test('INITIAL_CONTACT is said once: a second IKE SA of a living host ends nothing', () => {
  const pair = pairWith({ unique: 'no' }).establish();
  pair.now += 1000;
  pair.moon.command({ kind: 'terminate', connection: 'gateway' });
  pair.settle();
  pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.settle();
  pair.now += 1000;
  assert.equal(pair.sun.established, 1);
  assert.equal(pair.sun.eventsOf('duplicate-ike-sa').length, 0);
});

describe('a peer that comes again', () => {
  /** moon may have two with sun, and has one. */
  function both(unique: ConnectionConfiguration['unique']): EnginePair {
    const pair = new EnginePair({
      moon: configuration('moon', {
        connections: [
          connection('moon', { unique: 'never' }),
          connection('moon', { unique: 'never', name: 'second' }),
        ],
      }),
      sun: configuration('sun', { connections: [connection('sun', { unique })] }),
    }).establish();
    pair.now += 1000;
    return pair;
  }

  /** moon forgets nothing, but makes a second IKE SA beside the first. */
  function again(unique: ConnectionConfiguration['unique']): EnginePair {
    const pair = both(unique);
    pair.moon.command({ kind: 'initiate', connection: 'second' });
    pair.run(5_000);
    return pair;
  }

  test('is allowed two IKE SAs by unique = no', () => {
    assert.equal(again('no').sun.established, 2);
  });

  test('loses the older one by unique = replace', () => {
    const { sun, moon } = again('replace');
    assert.equal(sun.established, 1);
    assert.deepEqual(
      moon.engine.status().ikeSas.map((ike) => ike.connection),
      ['second'],
    );
  });

  test('loses the newer one by unique = keep', () => {
    const { sun, moon } = again('keep');
    assert.equal(sun.established, 1);
    assert.deepEqual(
      moon.engine.status().ikeSas.map((ike) => ike.connection),
      ['gateway'],
    );
  });

  test('loses the newer one by unique = keep also if it is long before the older one is heard', () => {
    const pair = both('keep');
    const { sun, moon } = pair;
    const deliver = pair.deliver.bind(pair);
    const older = moon.engine.status().ikeSas[0]?.initiatorSpi;
    assert.ok(older);
    pair.deliver = (datagram) => {
      const spi = Buffer.from(datagram.octets.subarray(0, 8)).toString('hex');
      if (spi !== older) deliver(datagram);
    };
    moon.command({ kind: 'initiate', connection: 'second' });
    pair.run(5_000);
    assert.deepEqual([sun.established, moon.established], [2, 2], 'nothing is concluded from silence');
    pair.deliver = deliver;
    pair.run(60_000);
    assert.deepEqual(
      [sun, moon].map(({ engine }) => engine.status().ikeSas.map(({ initiatorSpi }) => initiatorSpi)),
      [[older], [older]],
    );
  });
});
