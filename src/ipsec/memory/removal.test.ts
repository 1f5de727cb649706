// A removal takes the SA of its pair and no other, whatever SPI another peer has chosen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type SaCommand, type SaParameters, type Spi } from '#sa';
import { flow, ipPacket, testRandomness, toHex } from '../testing/fixtures.ts';
import { hosts, seal } from '../testing/hosts.ts';
import { MemoryDataPlane } from './memory-data-plane.ts';

/** Two pairs of peers behind one address, of which the second has chosen the SPI of the first. */
function twoOfOneSpi() {
  const { sender: first } = flow();
  const { sender: second } = flow({ childId: 2 });
  const removal = (sa: SaParameters): SaCommand => {
    const { protocol, direction, spi, childId } = sa;
    return { kind: 'remove', protocol, direction, spi, childId };
  };
  return { first, second, removal };
}

// RFC 4301 4.1
test('given an SA that was refused because another pair has its SPI, its removal is missing, and the other sends on', () => {
  const { sender } = hosts();
  const { first, second, removal } = twoOfOneSpi();
  const result = sender.apply({ kind: 'install', sa: second }, 0);
  assert.equal(result.ok || result.code, 'exists');
  const removed = sender.apply(removal(second), 0);
  assert.equal(removed.ok || removed.code, 'missing');
  assert.equal(toHex(seal(sender, ipPacket()).octets.subarray(0, 4)), 'c0ffee01');
  assert.deepEqual(sender.apply(removal(first), 0), { ok: true });
});

test('an SA whose move was refused is removed all the same, with its keys, and not the one that was in its way', () => {
  const { sender } = hosts();
  const { first, second, removal } = twoOfOneSpi();
  const elsewhere = { ...second, remote: address('203.0.113.9') };
  assert.deepEqual(sender.apply({ kind: 'install', sa: elsewhere }, 0), { ok: true });
  const { protocol, direction, spi, childId } = elsewhere;
  const refused = sender.apply(
    {
      ...{ kind: 'update-addresses', protocol, direction, spi, childId, encapsulated: false },
      ...{ local: { address: first.local, port: 0 }, remote: { address: first.remote, port: 0 } },
    },
    0,
  );
  assert.equal(refused.ok || refused.code, 'exists');
  assert.deepEqual(sender.apply(removal(elsewhere), 0), { ok: true });
  const { key } = elsewhere.encryption!;
  assert.deepEqual(key, new Uint8Array(key.length));
  assert.equal(toHex(seal(sender, ipPacket()).octets.subarray(0, 4)), 'c0ffee01');
});

test('a pair has no two outbound SAs of one SPI, wherever they lead: nobody could tell which of them is meant', () => {
  const { sender } = hosts();
  const again = { ...flow({ more: { generation: 1 } }).sender, remote: address('203.0.113.9') };
  const result = sender.apply({ kind: 'install', sa: again }, 0);
  assert.equal(result.ok || result.code, 'exists');
});

test('an inbound SA, and what is written down of it, stays when another pair wants one of its SPI removed', () => {
  const closed: number[] = [];
  const marks = { open: () => undefined, close: (spi: number) => void closed.push(spi) };
  const host = new MemoryDataPlane({ randomness: testRandomness, receivedMarks: marks });
  const { receiver } = flow();
  const { removal } = twoOfOneSpi();
  host.apply({ kind: 'install', sa: receiver }, 0);
  const result = host.apply(removal({ ...receiver, childId: 2 }), 0);
  assert.equal(result.ok || result.code, 'missing');
  assert.deepEqual(closed, []);
  assert.deepEqual(host.apply(removal(receiver), 0), { ok: true });
  assert.deepEqual(closed, [receiver.spi]);
});

test('keys of an SA that is refused are wiped', () => {
  const { sender } = flow();
  const plane = new MemoryDataPlane({ randomness: testRandomness, protocols: ['ah'] });
  const refused = [
    [sender, plane],
    [{ ...flow().sender, spi: 255 as Spi }, new MemoryDataPlane({ randomness: testRandomness })],
  ] as const;
  for (const [sa, at] of refused) {
    assert.equal(at.apply({ kind: 'install', sa }, 0).ok, false);
    assert.ok(sa.encryption!.key.every((octet) => octet === 0));
  }
});
