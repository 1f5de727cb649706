// A gateway's tickets: keys that change, one-time use, revocation, bounds, and what a restarted process still knows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandomness } from '#crypto';
import type { IkeSpi } from '#wire';
import { fqdn } from '../testing/connections.ts';
import type { TicketContent } from './ticket-content.ts';
import {
  isTicketRecord,
  TicketIssuer,
  type TicketIssuerOptions,
  type TicketRecord,
} from './ticket-issuer.ts';

const hourMs = 3_600_000;
const start = 1_800_000_000_000;

function issuer(change: Partial<TicketIssuerOptions> = {}): TicketIssuer {
  return new TicketIssuer({
    randomness: seededRandomness(Uint8Array.of(1)),
    form: 'value',
    durable: false,
    keyLifetimeMs: 24 * hourMs,
    ticketLifetimeMsMax: hourMs,
    ...change,
  });
}

function content(number: number, nowMs = start): TicketContent {
  const spi = (side: string): IkeSpi => `${side}${number.toString(16).padStart(15, '0')}` as IkeSpi;
  return {
    suite: { encr: { id: 20, keyLengthBits: 128 }, prf: 5, ke: 31 },
    skD: new Uint8Array(32).fill(number + 1),
    clientIdentity: fqdn(`client${number}.example.org`),
    gatewayIdentity: fqdn('gateway.example.org'),
    clientMethod: 2,
    credential: new Uint8Array(32).fill(number),
    connection: 'road warriors',
    spis: { initiator: spi('a'), responder: spi('b') },
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + hourMs,
  };
}

function issue(from: TicketIssuer, nowMs: number, what: TicketContent): Uint8Array {
  const ticket = from.issue(nowMs, what);
  assert.ok(ticket);
  return ticket;
}

function reason(from: TicketIssuer, nowMs: number, ticket: Uint8Array): string {
  const verdict = from.inspect(nowMs, ticket);
  return verdict.ok ? 'good' : verdict.reason;
}

/** A disk that keeps what was written last. */
function written(
  records: Iterable<TicketRecord>,
  disk: Map<string, Uint8Array> = new Map(),
): Map<string, Uint8Array> {
  for (const { key, octets } of records) {
    assert.ok(isTicketRecord(key));
    if (octets === undefined) disk.delete(key);
    else disk.set(key, octets);
  }
  return disk;
}

test('a mark is the same after a restart that keeps tickets good, and another host makes another one', () => {
  const secret = [Uint8Array.of(1), Uint8Array.of(2, 3)];
  const gateway = issuer({ durable: true });
  gateway.prepare(start);
  const disk = written(gateway.takeRecords());
  const mark = gateway.mark(secret);
  assert.equal(mark.length, 32);
  assert.notDeepEqual(gateway.mark([Uint8Array.of(1), Uint8Array.of(2, 4)]), mark);
  const again = issuer({ durable: true, randomness: seededRandomness(Uint8Array.of(2)) });
  assert.notDeepEqual(again.mark(secret), mark);
  again.restore(disk);
  assert.deepEqual(again.mark(secret), mark);
});

test('keys that a former version kept are not used: their tickets are no longer read', () => {
  const gateway = issuer({ durable: true });
  gateway.prepare(start);
  gateway.confirmKeys();
  const ticket = issue(gateway, start, content(1));
  const [[key, octets] = []] = [...written(gateway.takeRecords())];
  const former = Uint8Array.of(1, ...octets!.subarray(1 + 32));
  const again = issuer({ durable: true });
  again.restore(new Map([[key!, former]]));
  assert.match(reason(again, start, ticket), /a key that we do not have/);
  again.prepare(start);
  assert.equal(again.takeRecords().length, 1);
});

for (const form of ['value', 'reference'] as const) {
  test(`by ${form}: a ticket stands for what it was made of, until it is spent`, () => {
    const gateway = issuer({ form });
    const ticket = issue(gateway, start, content(1));
    for (let again = 0; again < 2; again++) {
      const verdict = gateway.inspect(start + 1, ticket);
      assert.deepEqual(verdict, { ok: true, content: content(1) });
    }
    assert.equal(gateway.spend(start + 2, content(1)), true);
    assert.equal(gateway.spend(start + 2, content(1)), false);
    assert.notEqual(reason(gateway, start + 3, ticket), 'good');
  });

  test(`by ${form}: no octet of the secret or of the names shows`, () => {
    const ticket = Buffer.from(issue(issuer({ form }), start, content(1)));
    for (const secret of [Buffer.alloc(4, 2), Buffer.from('client1'), Buffer.from('gateway')]) {
      assert.equal(ticket.indexOf(secret), -1);
    }
  });
}

test('a spent ticket voids its siblings of the same IKE SA, and no others', () => {
  const gateway = issuer();
  const [first, sibling] = [
    issue(gateway, start, content(1)),
    issue(gateway, start + 5, content(1, start + 5)),
  ];
  const other = issue(gateway, start, content(2));
  assert.notDeepEqual(first, sibling);
  gateway.spend(start + 10, content(1));
  assert.match(reason(gateway, start + 11, sibling), /used/);
  assert.equal(reason(gateway, start + 11, other), 'good');
});

test('keys change, old ones still open their tickets, and go when no such ticket can be good any more', () => {
  const gateway = issuer();
  const old = issue(gateway, start, { ...content(1), expiresAtMs: start + 1000 * hourMs });
  const second = issue(gateway, start + 24 * hourMs, content(2, start + 24 * hourMs));
  assert.notDeepEqual(old.subarray(4, 12), second.subarray(4, 12));
  assert.equal(reason(gateway, start + 24 * hourMs, old), 'good');
  issue(gateway, start + 48 * hourMs, content(3, start + 48 * hourMs));
  assert.match(reason(gateway, start + 48 * hourMs, old), /key that we do not have/);
});

test('a clock that jumps back makes a new key instead of one that lasts for ever', () => {
  const gateway = issuer();
  const first = issue(gateway, start, content(1));
  const second = issue(gateway, start - 48 * hourMs, content(2, start - 48 * hourMs));
  assert.notDeepEqual(first.subarray(4, 12), second.subarray(4, 12));
});

test('a durable gateway makes no ticket before its key is stored, also after each change of keys', () => {
  const gateway = issuer({ durable: true });
  assert.equal(gateway.issue(start, content(1)), undefined);
  assert.deepEqual(
    gateway.takeRecords().map(({ key }) => key),
    ['ticket-keys'],
  );
  gateway.confirmKeys();
  assert.ok(gateway.issue(start, content(1)));
  assert.deepEqual(gateway.takeRecords(), []);
  assert.equal(gateway.issue(start + 25 * hourMs, content(1, start + 25 * hourMs)), undefined);
});

test('after a restart with its records, good tickets are good, and used and revoked ones are not', () => {
  const before = issuer({ durable: true });
  before.issue(start, content(0));
  before.confirmKeys();
  const tickets = [1, 2, 3].map((number) => issue(before, start, content(number)));
  before.spend(start + 1, content(1));
  before.revoke(start + 1, content(2).spis);
  const after = issuer({ durable: true, randomness: seededRandomness(Uint8Array.of(2)) });
  after.restore(written(before.takeRecords()));
  assert.deepEqual(
    tickets.map((ticket) => reason(after, start + 2, ticket) === 'good'),
    [false, false, true],
  );
  assert.ok(after.issue(start + 2, content(4, start + 2)), 'its keys are where they should be already');
});

test('by reference, a restart ends all tickets', () => {
  const before = issuer({ form: 'reference' });
  const ticket = issue(before, start, content(1));
  const after = issuer({ form: 'reference' });
  after.restore(written(before.takeRecords()));
  assert.match(reason(after, start, ticket), /stands for nothing/);
});

test('a record that cannot be read ends all tickets of before', () => {
  const before = issuer();
  const ticket = issue(before, start, content(1));
  before.revoke(start, content(2).spis);
  const disk = written(before.takeRecords());
  for (const damaged of disk.keys()) {
    const after = issuer();
    after.restore(new Map([...disk, [damaged, disk.get(damaged)!.subarray(1)]]));
    assert.match(reason(after, start, ticket), /key that we do not have/, damaged);
  }
});

test('a full list forgets its oldest entries, and with them the tickets of their age: none becomes good again', () => {
  const gateway = issuer({ ticketsMax: 16 });
  const tickets = Array.from({ length: 40 }, (_, i) => issue(gateway, start + i, content(i, start + i)));
  const disk = written(gateway.takeRecords());
  tickets.forEach((_, i) => {
    gateway.spend(start + 100 + i, content(i, start + i));
    written(gateway.takeRecords(), disk);
    assert.ok([...disk.keys()].filter((key) => key.startsWith('ticket-void/')).length <= 16);
  });
  const restarted = issuer({ ticketsMax: 16 });
  restarted.restore(disk);
  for (const ticket of tickets) {
    assert.match(reason(gateway, start + 200, ticket), /used/);
    assert.match(reason(restarted, start + 200, ticket), /used/);
  }
  const fresh = issue(gateway, start + 300, content(99, start + 300));
  assert.equal(reason(gateway, start + 300, fresh), 'good');
});

test('tickets by reference are bounded: the oldest go first', () => {
  const gateway = issuer({ form: 'reference', ticketsMax: 4 });
  const tickets = Array.from({ length: 6 }, (_, i) => issue(gateway, start, content(i)));
  assert.deepEqual(
    tickets.map((ticket) => reason(gateway, start, ticket) === 'good'),
    [false, false, true, true, true, true],
  );
});

test('a destroyed issuer opens nothing', () => {
  const gateway = issuer();
  const ticket = issue(gateway, start, content(1));
  gateway.destroy();
  assert.match(reason(gateway, start, ticket), /key that we do not have/);
});

test('whatever is presented, the answer is a verdict', () => {
  const gateway = issuer();
  const ticket = issue(gateway, start, content(1));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (garbage, cut) => {
      assert.equal(gateway.inspect(start, garbage).ok, false);
      assert.equal(gateway.inspect(start, ticket.subarray(0, cut % ticket.length)).ok, false);
      const spliced = Uint8Array.from([...ticket.subarray(0, 12), ...garbage]);
      assert.equal(gateway.inspect(start, spliced).ok, false);
    }),
    { numRuns: 1000 },
  );
});
