// What is found by addresses and SPIs, against a look at every IKE SA.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, type Endpoint, type Spi } from '#sa';
import { PeerIndex } from './peer-index.ts';

interface Entry {
  sa: { remote: Endpoint; outboundSpis: readonly Spi[] };
}

const ends = ['192.0.2.1', '192.0.2.2', '2001:db8::1'].map((text) => ({ address: address(text), port: 500 }));
const end = fc.constantFrom(...ends);
const spis = fc.array(fc.nat(4) as fc.Arbitrary<Spi>, { maxLength: 3 });

test('given any IKE SAs made, moved, rekeyed and ended, those of a peer and of an SPI are found, and nothing stays', () => {
  const which = fc.nat(10);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), end, spis }),
    fc.record({ kind: fc.constant('move' as const), which, end }),
    fc.record({ kind: fc.constant('rekey' as const), which, spis }),
    fc.record({ kind: fc.constant('remove' as const), which }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const index = new PeerIndex<Entry>();
      const all: Entry[] = [];
      for (const one of steps) {
        const at = one.kind === 'add' ? all.length : one.which;
        if (one.kind === 'add') all.push({ sa: { remote: one.end, outboundSpis: one.spis } });
        const entry = all[at];
        if (entry === undefined) continue;
        if (one.kind === 'move') entry.sa = { ...entry.sa, remote: one.end };
        if (one.kind === 'rekey') entry.sa = { ...entry.sa, outboundSpis: one.spis };
        if (one.kind === 'remove') {
          all.splice(at, 1);
          index.remove(entry);
        } else index.follow(entry);
        for (const { address: peer } of ends) {
          const expected = all.filter(({ sa }) => sa.remote.address === peer);
          assert.deepEqual(new Set(index.withPeer(peer)), new Set(expected));
        }
        for (let spi = 0 as Spi; spi <= 4; spi++) {
          const expected = all.filter(({ sa }) => sa.outboundSpis.includes(spi));
          assert.deepEqual(new Set(index.sendingBy(spi)), new Set(expected));
        }
      }
      for (const entry of all) index.remove(entry);
      assert.deepEqual(index.sizes, { addresses: 0, spis: 0 });
    }),
  );
});
