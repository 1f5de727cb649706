// Indices against what looking at every IKE SA would find.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { IkeSa } from '#ike';
import { address, type Endpoint } from '#sa';
import { child, configuration, connection } from '../testing/configurations.ts';
import { EnginePair } from '../testing/two-engines.ts';
import { type IkeEntry, IkeSaRegistry } from './ike-sa-registry.ts';

const names = ['a', 'b', 'c'];
const phases = ['connecting', 'established', 'rekeying', 'deleting', 'rekeyed', 'ended'] as const;

/** As far as a registry looks at one. */
interface Sa {
  connection: { name: string };
  phase: (typeof phases)[number];
  leaving: boolean;
  readonly initiatorSpi: string;
  readonly remote: Endpoint;
  readonly outboundSpis: readonly number[];
  readonly children: { name: string; phase: string }[];
}

function entryOf(ikeId: number, name: string): IkeEntry {
  const sa: Sa = {
    ...{ connection: { name }, phase: 'connecting', leaving: false, initiatorSpi: `${ikeId}`, children: [] },
    remote: { address: address('192.0.2.1'), port: 500 },
    outboundSpis: [],
  };
  return {
    ...{ ikeId, connectionName: name, initiator: true, offspring: [], leads: new Set(), early: [] },
    sa: sa as unknown as IkeSa,
  } as unknown as IkeEntry;
}

const sa = (entry: IkeEntry): Sa => entry.sa as unknown as Sa;

test('given any IKE SAs made, moved between connections, rekeyed and ended, those of a connection are found', () => {
  const which = fc.nat(30);
  const name = fc.constantFrom(...names);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), name }),
    // The heir is of the connection that its parent is of now.
    fc.record({ kind: fc.constant('rekey' as const), which }),
    fc.record({ kind: fc.constant('choose' as const), which, name }),
    fc.record({ kind: fc.constant('phase' as const), which, phase: fc.constantFrom(...phases) }),
    // It will be deleted once another request is answered.
    fc.record({ kind: fc.constant('leave' as const), which }),
    fc.record({ kind: fc.constant('child' as const), which, child: fc.constantFrom('net', 'more') }),
    fc.record({ kind: fc.constant('remove' as const), which }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const registry = new IkeSaRegistry();
      const made: IkeEntry[] = [];
      const add = (of: string): void => {
        const entry = entryOf(registry.nextIkeId(), of);
        made.push(entry);
        registry.add(entry);
      };
      for (const one of steps) {
        if (one.kind === 'add') {
          add(one.name);
          continue;
        }
        // Also those that were removed: what happens to them must not bring them back.
        const entry = made[one.which % Math.max(1, made.length)];
        if (entry === undefined) continue;
        if (one.kind === 'rekey') add(sa(entry).connection.name);
        else if (one.kind === 'phase') {
          sa(entry).phase = one.phase;
          sa(entry).leaving ||= one.phase === 'deleting';
        } else if (one.kind === 'leave') sa(entry).leaving = true;
        else if (one.kind === 'child') sa(entry).children.push({ name: one.child, phase: 'installed' });
        else if (one.kind === 'remove') registry.remove(entry);
        else {
          // A reload gives the same connection another object.
          sa(entry).connection = { name: one.name };
          registry.settle(entry);
        }
        for (const of of names) {
          const live = registry
            .all()
            .filter((each) => sa(each).connection.name === of)
            .filter((each) => sa(each).phase !== 'ended' && sa(each).phase !== 'rekeyed')
            .toReversed();
          assert.deepEqual(
            registry.ofConnection(of).map(({ ikeId }) => ikeId),
            live.map(({ ikeId }) => ikeId),
          );
          for (const wanted of ['net', 'more']) {
            const carried = live.some(
              (each) => !sa(each).leaving && sa(each).children.some((each) => each.name === wanted),
            );
            assert.equal(registry.carries(of, wanted), carried);
          }
        }
      }
    }),
  );
});

test('among 1,000 connections the IKE SAs of one are found without a look at the others', () => {
  const registry = new IkeSaRegistry();
  let looks = 0;
  for (let i = 0; i < 1_000; i++) {
    const entry = entryOf(registry.nextIkeId(), `c${i}`);
    Object.defineProperty(entry.sa, 'phase', {
      get: () => {
        looks++;
        return 'established';
      },
    });
    registry.add(entry);
  }
  assert.equal(registry.ofConnection('c500').length, 1);
  assert.equal(registry.carries('c500', 'net'), false);
  assert.ok(looks < 10, `${looks} looks`);
});

test('a responder finds its IKE SA under the connection that the identities mean, not by the one that the addresses did', () => {
  const [first, second] = [
    connection('sun', {
      name: 'first',
      remote: { ...connection('sun').remote, identity: connection('moon').remote.identity },
    }),
    connection('sun', { name: 'second', children: [child('sun', { name: 'other' })] }),
  ];
  const sun = configuration('sun', { connections: [first!, second!] });
  const pair = new EnginePair({ sun }).establish();
  assert.deepEqual(
    pair.sun.engine.status().ikeSas.map(({ connection: name }) => name),
    ['second'],
  );
  const id = pair.sun.command({ kind: 'initiate', connection: 'second', child: 'other' });
  pair.settle();
  assert.deepEqual(pair.sun.results.get(id), { ok: true, count: 0 }, 'it stands already');
  assert.equal(pair.sun.eventsOf('connecting').length, 0);
});
