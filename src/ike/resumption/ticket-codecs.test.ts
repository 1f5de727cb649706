// The octets of tickets, of a client's half and of void entries: each comes back as it was, and anything else is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressFromBytes } from '#sa';
import { type IkeSpi, WireError } from '#wire';
import { type ClientTicket, decodeClientTicket, encodeClientTicket } from './client-ticket.ts';
import { decodeTicketContent, encodeTicketContent, type TicketContent } from './ticket-content.ts';
import { decodeVoidEntry, encodeVoidEntry } from './void-tickets.ts';

const spi = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((octets) => Buffer.from(octets).toString('hex') as IkeSpi);
const spis = fc.record({ initiator: spi, responder: spi });
const u16 = fc.nat(0xffff);
const identity = fc.record({ idType: fc.nat(255), data: fc.uint8Array({ maxLength: 60 }) });
const suite = fc.record(
  {
    encr: fc.record({ id: u16, keyLengthBits: u16 }),
    prf: u16,
    integ: fc.integer({ min: 1, max: 0xffff }),
    ke: u16,
  },
  { requiredKeys: ['encr', 'prf', 'ke'] },
);
const time = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const skD = fc.uint8Array({ maxLength: 64 });
const name = fc.string({ unit: 'binary', maxLength: 20 });
const ipAddress = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(addressFromBytes);

const contents: fc.Arbitrary<TicketContent> = fc.record(
  {
    suite,
    skD,
    clientIdentity: identity,
    clientEapIdentity: identity,
    gatewayIdentity: identity,
    clientMethod: fc.nat(255),
    credential: fc.uint8Array({ maxLength: 40 }),
    connection: name,
    spis,
    issuedAtMs: time,
    expiresAtMs: time,
    reauthAtMs: time,
  },
  {
    requiredKeys: [
      'suite',
      'skD',
      'clientIdentity',
      'gatewayIdentity',
      'clientMethod',
      'credential',
      'connection',
      'spis',
      'issuedAtMs',
      'expiresAtMs',
    ],
  },
);

const clientTickets: fc.Arbitrary<ClientTicket> = fc.record(
  {
    ticket: fc.uint8Array({ maxLength: 200 }),
    expiresAtMs: time,
    connection: name,
    remote: fc.record({ address: ipAddress, port: u16 }),
    suite,
    skD,
    localIdentity: identity,
    remoteIdentity: identity,
    spis,
    reauthAtMs: time,
    virtualAddresses: fc.array(ipAddress, { maxLength: 3 }),
  },
  {
    requiredKeys: [
      'ticket',
      'expiresAtMs',
      'connection',
      'remote',
      'suite',
      'skD',
      'localIdentity',
      'remoteIdentity',
      'spis',
      'virtualAddresses',
    ],
  },
);

const voidEntries = fc
  .tuple(spis, time, time)
  .map(([ofSa, a, b]) => ({ spis: ofSa, issuedUntilMs: Math.min(a, b), expiresAtMs: Math.max(a, b) }));

function refuses(decode: (octets: Uint8Array) => unknown, octets: Uint8Array): boolean {
  try {
    decode(octets);
    return false;
  } catch (error) {
    assert.ok(error instanceof WireError, `${error}`);
    return true;
  }
}

/** fast-check makes records without a prototype. */
function plain(value: unknown): unknown {
  return structuredClone(value);
}

function check<T>(
  values: fc.Arbitrary<T>,
  encode: (value: T) => Uint8Array,
  decode: (octets: Uint8Array) => T,
): void {
  fc.assert(
    fc.property(values, fc.nat(), fc.nat(255), (value, at, octet) => {
      const octets = encode(value);
      assert.deepEqual(plain(decode(octets)), plain(value));
      for (let length = 0; length < octets.length; length++)
        assert.ok(refuses(decode, octets.subarray(0, length)));
      const longer = new Uint8Array(octets.length + 1);
      longer.set(octets);
      assert.ok(refuses(decode, longer));
      const changed = octets.slice();
      changed[at % changed.length] = octet;
      refuses(decode, changed);
    }),
    { numRuns: 60 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      refuses(decode, octets);
    }),
    { numRuns: 500 },
  );
}

test('what a ticket carries comes back, and neither less nor more is read', () => {
  check(contents, encodeTicketContent, decodeTicketContent);
});

test("a client's half comes back, and neither less nor more is read", () => {
  check(clientTickets, encodeClientTicket, decodeClientTicket);
});

test('a void entry comes back, and neither less nor more is read', () => {
  check(voidEntries, encodeVoidEntry, decodeVoidEntry);
});

test('another version is refused: its fields mean something else, or it does not say whether it is still good', () => {
  const [content] = fc.sample(contents, { numRuns: 1, seed: 1 });
  const octets = encodeTicketContent(content!);
  for (const version of [0, 1, 2, 4]) {
    octets[0] = version;
    assert.throws(
      () => decodeTicketContent(octets),
      (error) => error instanceof WireError && error.code === 'version',
    );
  }
});

test('the secret that was read has memory of its own, so that what it was read from can be wiped', () => {
  const [content] = fc.sample(contents, { numRuns: 1, seed: 2 });
  const octets = encodeTicketContent({ ...content!, skD: Uint8Array.of(1, 2, 3) });
  const decoded = decodeTicketContent(octets);
  octets.fill(0);
  assert.deepEqual(decoded.skD, Uint8Array.of(1, 2, 3));
});
