// What is found by peers and addresses, against a look at every association.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, type IpAddress } from '#sa';
import { type Hit, zeroHit } from '#wire';
import { HipAssociation } from './association.ts';
import { AssociationTable } from './association-table.ts';
import type { HipPath } from './interface.ts';
import { testIdentity } from './testing/identities.ts';

const locals = [testIdentity('p256-a'), testIdentity('p384-a')];
const remotes: readonly Hit[] = [testIdentity('p256-b').identity.hit, zeroHit];
const places = ['192.0.2.1', '192.0.2.2', '2001:db8::1'].map(address);

function pathTo(place: IpAddress): HipPath {
  return { local: { address: address('192.0.2.9'), port: 0 }, remote: { address: place, port: 0 } };
}

test('given any associations made, moved and ended, those of a peer and toward an address are found, and nothing stays', () => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'move', 'delete'),
    local: fc.constantFrom(...locals),
    remote: fc.constantFrom(...remotes),
    place: fc.constantFrom(...places),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = new AssociationTable();
      const all = new Set<HipAssociation>();
      for (const { kind, local, remote, place } of steps) {
        const known = table.find(local.identity.hit, remote);
        if (known === undefined) {
          const made = new HipAssociation(
            local,
            remote,
            remote === zeroHit ? 'anybody' : undefined,
            pathTo(place),
          );
          all.add(made);
          table.add(made);
        } else if (kind === 'move') table.move(known, pathTo(place));
        else if (kind === 'delete') {
          all.delete(known);
          table.delete(known);
        }
        assert.deepEqual(new Set(table.all()), all);
        assert.equal(table.strangers, [...all].filter(({ peerName }) => peerName === undefined).length);
        for (const one of remotes) {
          const expected = [...all].filter((association) => association.remote === one);
          assert.deepEqual(new Set(table.withPeer(one)), new Set(expected));
        }
        for (const one of places) {
          const expected = [...all].filter(({ path }) => path.remote.address === one);
          assert.deepEqual(new Set(table.toward(one)), new Set(expected));
        }
      }
    }),
  );
});
