// Connections found by addresses and identities, against a look at every one of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ConnectionConfiguration, type IdentityPattern, matchIdentity, type RemoteAddress } from '#ike';
import { address, type IpAddress, parsePrefix } from '#sa';
import { ConnectionLookup } from './connection-lookup.ts';
import { child, connection, fqdn } from './testing/configurations.ts';

const peers = ['192.0.2.1', '192.0.2.2', '198.51.100.1', '2001:db8::1'].map(address);
const local = { address: address('203.0.113.1'), port: 500 };
const names = ['a.example', 'b.example', 'other.test'].map(fqdn);

const patterns: readonly RemoteAddress[] = [
  { kind: 'any' },
  { kind: 'address', address: peers[0]! },
  { kind: 'address', address: peers[1]! },
  { kind: 'prefix', prefix: parsePrefix('192.0.2.0/24')! },
  { kind: 'range', start: peers[0]!, end: peers[1]! },
  { kind: 'host', name: 'peer.example' },
];
/** How well each fits, as the file says it. */
const fits: readonly ((peer: IpAddress) => number)[] = [
  () => 1,
  (peer) => (peer === peers[0] ? 3 : 0),
  (peer) => (peer === peers[1] ? 3 : 0),
  (peer) => (peer === peers[0] || peer === peers[1] ? 2 : 0),
  (peer) => (peer === peers[0] || peer === peers[1] ? 2 : 0),
  () => 1,
];
const identities: readonly IdentityPattern[] = [
  { kind: 'any' },
  ...names.map((identity) => ({ kind: 'exact', identity }) as const),
  { kind: 'wildcard', idType: names[0]!.idType, pattern: '*.example' },
];

interface Made {
  readonly which: readonly number[];
  readonly connection: ConnectionConfiguration;
}

const made: fc.Arbitrary<Omit<Made, 'connection'> & { change: Partial<ConnectionConfiguration> }> = fc
  .record({
    which: fc.uniqueArray(fc.nat(patterns.length - 1), { maxLength: 3 }),
    identity: fc.constantFrom(...identities),
    sendCertreq: fc.boolean(),
  })
  .map(({ which, identity, sendCertreq }) => ({
    which,
    change: {
      remoteAddresses: which.map((i) => patterns[i]!),
      remote: { ...connection('sun').remote, identity },
      sendCertreq,
    },
  }));

function addressFit({ which }: Made, peer: IpAddress): number {
  return which.length === 0 ? 1 : Math.max(...which.map((i) => fits[i]!(peer)));
}

test('given any connections and any peer, the same are found as by a look at all, in the same order', () => {
  fc.assert(
    fc.property(
      fc.array(made, { maxLength: 12 }),
      fc.constantFrom(...peers),
      fc.constantFrom(...names),
      (all, peer, initiator) => {
        const list: Made[] = all.map(({ which, change }, i) => ({
          which,
          connection: connection('sun', { name: `c${i}`, ...change }),
        }));
        const lookup = new ConnectionLookup(list.map((one) => one.connection));
        const ends = { local, remote: { address: peer, port: 500 } };
        const byAddress = list
          .filter((one) => addressFit(one, peer) > 0)
          .toSorted((a, b) => addressFit(b, peer) - addressFit(a, peer));
        assert.equal(lookup.first(ends)?.name, byAddress[0]?.connection.name);
        const known = (one: Made): number => matchIdentity(initiator, one.connection.remote.identity);
        assert.deepEqual(
          lookup.fitting({ ...ends, identities: { initiator } }).map(({ name }) => name),
          byAddress
            .filter((one) => known(one) > 0)
            .toSorted((a, b) => known(b) - known(a))
            .map((one) => one.connection.name),
        );
        // Before the identity is known, of those that are the same until then the first is enough.
        const kinds = new Set<string>();
        const firsts = byAddress.filter(({ which, connection: { sendCertreq } }) => {
          const kind = JSON.stringify([which, sendCertreq]);
          return !kinds.has(kind) && kinds.add(kind);
        });
        assert.deepEqual(
          lookup.fitting(ends).map(({ name }) => name),
          firsts.map((one) => one.connection.name),
        );
        for (const one of peers) {
          const isWritten = list.some(({ which }) => which.some((i) => fits[i]!(one) === 3));
          assert.equal(lookup.writesOut(one), isWritten);
        }
      },
    ),
  );
});

test('a connection is found by its name and by that of a child, the first if there are two', () => {
  const [first, second] = ['a', 'a'].map((name) => connection('sun', { name }));
  const third = connection('sun', { name: 'b', children: [child('sun', { name: 'other' }), child('sun')] });
  const lookup = new ConnectionLookup([first!, second!, third]);
  assert.equal(lookup.named('a'), first);
  assert.equal(lookup.named('c'), undefined);
  assert.equal(lookup.withChild('net'), first);
  assert.equal(lookup.withChild('other'), third);
  assert.equal(lookup.withChild('nothing'), undefined);
});
