// What the options of session resumption and of Message ID synchronisation become, and which values they refuse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connection, errorsOf, load } from '../testing/load.ts';

test('without a word, tickets live for an hour and resumed IKE SAs are rekeyed at once', () => {
  const { configuration } = load(connection());
  assert.deepEqual(configuration.connections[0]?.resumption, {
    ticketLifetimeMs: 3_600_000,
    freshKeyExchange: true,
  });
  assert.deepEqual(configuration.tickets, { form: 'value', keyLifetimeMs: 7 * 24 * 3_600_000 });
});

test('each option does what it says', () => {
  const text = connection({ connection: 'ticket_lifetime = 10m\nresumption_rekey = no' });
  const { configuration } = load(`${text}wayward {\ntickets = reference\nticket_key_lifetime = 2d\n}\n`);
  assert.deepEqual(configuration.connections[0]?.resumption, {
    ticketLifetimeMs: 600_000,
    freshKeyExchange: false,
  });
  assert.deepEqual(configuration.tickets, { form: 'reference', keyLifetimeMs: 2 * 24 * 3_600_000 });
});

test('message_id_sync can be turned off', () => {
  const synced = (lines: string): unknown =>
    load(connection({ connection: lines })).configuration.connections[0]?.messageIdSync;
  assert.deepEqual([synced(''), synced('message_id_sync = no')], [true, false]);
});

test('resumption = no: the connection has none', () => {
  const { configuration } = load(connection({ connection: 'resumption = no' }));
  assert.equal(configuration.connections[0]?.resumption, undefined);
});

test('lifetimes that no ticket or key may have are errors at their place', () => {
  for (const value of ['0s', '25h', '500ms']) {
    assert.deepEqual(errorsOf(connection({ connection: `ticket_lifetime = ${value}` })), [
      'swanctl.conf:2:19: ticket_lifetime must be from 1s to 24h (resumption = no turns tickets off)',
    ]);
  }
  assert.deepEqual(errorsOf('wayward {\nticket_key_lifetime = 59m\n}\n'), [
    'swanctl.conf:2:23: ticket_key_lifetime must be at least 1h',
  ]);
});
