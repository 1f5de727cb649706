// TICKET_LT_OPAQUE's data: known octets, both ways, and every input that is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodes } from '../testing/total-decoding.ts';
import { decodeTicketWithLifetime, encodeTicketWithLifetime } from './ticket.ts';

test('a lifetime of an hour stands in network order before the ticket', () => {
  const ticket = Uint8Array.of(0xaa, 0xbb);
  const data = Uint8Array.of(0, 0, 0x0e, 0x10, 0xaa, 0xbb);
  assert.deepEqual(encodeTicketWithLifetime({ lifetimeSeconds: 3600, ticket }), data);
  assert.deepEqual(decodeTicketWithLifetime(data), { lifetimeSeconds: 3600, ticket });
});

test('what has no ticket behind its lifetime is refused', () => {
  for (let length = 0; length <= 4; length++) {
    assert.equal(decodes(decodeTicketWithLifetime, new Uint8Array(length)), false);
  }
});

test('every ticket of any length comes back', () => {
  const ticket = fc.uint8Array({ minLength: 1, maxLength: 300 });
  const lifetime = fc.nat(0xffff_ffff);
  fc.assert(
    fc.property(lifetime, ticket, (lifetimeSeconds, octets) => {
      const given = { lifetimeSeconds, ticket: octets };
      assert.deepEqual(decodeTicketWithLifetime(encodeTicketWithLifetime(given)), given);
    }),
  );
});
