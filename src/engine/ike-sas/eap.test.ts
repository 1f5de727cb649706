// Whole hosts with EAP (RFC 7296 2.16): the user is who counts, and the gateway waits to be called.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityKey } from '#ike';
import { address } from '#sa';
import { eventFields } from '../events/event-fields.ts';
import { eventText } from '../events/event-text.ts';
import { child, connection } from '../testing/configurations.ts';
import { carol, dynamic, eapHosts } from '../testing/eap-hosts.ts';

test('status, log and lease are the user’s, and what his machine calls itself stands beside', () => {
  const pair = eapHosts().establish();
  const [sa] = pair.sun.engine.status().ikeSas;
  assert.equal(sa?.remoteIdentity, '192.0.2.1');
  assert.equal(sa.remoteEapIdentity, 'carol');
  assert.deepEqual(
    pair.sun.engine.status().pools[0]?.leases.map(({ owner }) => owner),
    [`user ${identityKey(carol)}`],
  );
  const [established] = pair.sun.events.filter(
    (event) => event.kind === 'ike' && event.event.kind === 'ike-established',
  );
  assert.match(
    eventText(established!).text,
    /IKE SA established \[sun\.example\.org\]\.\.\.\[192\.0\.2\.1\] user carol with /,
  );
  assert.equal(eventFields(established!)['user'], 'carol');
  assert.equal(pair.moon.engine.status().ikeSas[0]?.remoteEapIdentity, undefined);
});

test('an IKE SA that replaces another one in a rekeying is the same user’s', () => {
  const pair = eapHosts().establish();
  pair.moon.command({ kind: 'rekey', connection: 'gateway' });
  pair.settle();
  assert.deepEqual(
    pair.sun.engine.status().ikeSas.map(({ remoteEapIdentity }) => remoteEapIdentity),
    ['carol'],
  );
});

for (const [unique, kept] of [
  ['replace', 1],
  // INITIAL_CONTACT
  ['no', 1],
  ['never', 2],
] as const) {
  test(`of two IKE SAs of one user that began anew the gateway keeps ${kept} (unique = ${unique})`, () => {
    const pair = eapHosts({ unique }).establish();
    pair.now += 1000;
    pair.moon.crash();
    pair.moon.command({ kind: 'initiate', child: 'net' });
    pair.settle();
    assert.deepEqual([pair.moon.established, pair.sun.established], [1, kept]);
    assert.equal(pair.sun.engine.status().pools[0]?.online, kept);
  });
}

test('who is called like a user, and has proven it otherwise, ends none of his IKE SAs', () => {
  const [moon, sun] = [connection('moon'), connection('sun')];
  const branch = { name: 'branch', unique: 'replace' } as const;
  const pair = eapHosts({ unique: 'replace' }, 'tulips', {
    moon: {
      ...moon,
      ...branch,
      local: { ...moon.local, identity: carol },
      children: [child('moon', { name: 'other' })],
    },
    sun: {
      ...sun,
      ...branch,
      remote: { ...sun.remote, identity: { kind: 'exact', identity: carol } },
      children: [child('sun', { name: 'other' })],
    },
  }).establish();
  pair.now += 1000;
  pair.moon.command({ kind: 'initiate', child: 'other' });
  pair.settle();
  assert.deepEqual(
    pair.sun.engine.status().ikeSas.map(({ connection: name, phase }) => [name, phase]),
    [
      ['gateway', 'established'],
      ['branch', 'established'],
    ],
  );
});

test('who is called like a user, and has proven it otherwise, gets an address of his own, and the user his again', () => {
  const [moon, sun] = [connection('moon'), connection('sun')];
  const pair = eapHosts({}, 'tulips', {
    moon: {
      ...moon,
      name: 'branch',
      local: { ...moon.local, identity: carol },
      virtualAddresses: [address('0.0.0.0')],
      children: [child('moon', { name: 'other', localSelectors: [dynamic] })],
    },
    sun: {
      ...sun,
      name: 'branch',
      remote: { ...sun.remote, identity: { kind: 'exact', identity: carol } },
      pools: ['road'],
      children: [child('sun', { name: 'other', remoteSelectors: [dynamic] })],
    },
  }).establish();
  const leases = (): unknown =>
    pair.sun.engine.status().pools[0]?.leases.map(({ address: leased, owner }) => [leased, owner]);
  const user = ['10.9.0.1', `user ${identityKey(carol)}`];
  const machine = ['10.9.0.2', identityKey(carol)];
  assert.deepEqual(leases(), [user]);
  pair.moon.command({ kind: 'terminate', connection: 'gateway' });
  pair.settle();
  pair.moon.command({ kind: 'initiate', child: 'other' });
  pair.settle();
  assert.deepEqual(leases(), [machine, user]);
  pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.settle();
  assert.deepEqual(leases(), [machine, user]);
  assert.equal(pair.sun.engine.status().pools[0]?.online, 2);
});

test('a wrong password leaves nothing behind', () => {
  const pair = eapHosts({}, 'roses');
  const id = pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.settle();
  const result = pair.moon.results.get(id);
  assert.ok(result?.ok === false);
  assert.match(result.detail, /the user name or the password is wrong/);
  for (const { engine } of [pair.moon, pair.sun]) {
    const { ikeSas, halfOpen, reservedSpis } = engine.tables();
    assert.deepEqual([ikeSas, halfOpen, reservedSpis], [0, 0, 0]);
  }
});

test('one whose user is being asked is still half-open, and counted so', () => {
  const pair = eapHosts();
  pair.moon.command({ kind: 'initiate', child: 'net' });
  for (let delivered = 0; delivered < 4; delivered++) pair.deliver(pair.wire.shift()!);
  assert.equal(pair.sun.engine.tables().halfOpen, 1);
  pair.settle();
  assert.equal(pair.sun.engine.tables().halfOpen, 0);
  assert.equal(pair.sun.established, 1);
});

test('a gateway cannot call its users, and says why', () => {
  const pair = eapHosts();
  const id = pair.sun.command({ kind: 'initiate', child: 'net' });
  const result = pair.sun.results.get(id);
  assert.ok(result?.ok === false);
  assert.match(result.detail, /for peers that authenticate by EAP, and only they can initiate/);
  assert.equal(pair.sun.engine.tables().initiations, 0);
});

test('a gateway that has lost its state waits for its users, who come back', () => {
  const pair = eapHosts({ dpdDelayMs: 0 }).establish();
  pair.now += 1000;
  pair.sun.crash();
  pair.settle();
  assert.equal(pair.sun.engine.tables().initiations, 0);
  pair.moon.command({ kind: 'terminate', connection: 'gateway' });
  pair.run(60_000);
  const id = pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.run(60_000);
  assert.equal(pair.moon.results.get(id)?.ok, true);
  assert.equal(pair.sun.established, 1);
});
