import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationErrors } from './error.ts';
import { loadAuthority, loadConnection, loadPool } from './load-part.ts';
import { load } from './testing/load.ts';
import { memoryHost } from './testing/memory-host.ts';
import { sectionFromObject } from './tree.ts';
import { utf8FromText } from './values/utf8.ts';

const file = '/etc/swanctl/swanctl.conf';

const viciConnection = {
  local_addrs: ['192.0.2.2'],
  remote_addrs: ['192.0.2.1'],
  proposals: ['aes128gcm16-prfsha256-x25519', 'default'],
  local: { auth: 'pubkey', certs: [utf8FromText('certificate own')] },
  remote: { auth: 'pubkey', cacerts: [utf8FromText('certificate ca')] },
  children: { d: { local_ts: ['10.1.0.0/16', 'dynamic'], mode: utf8FromText('transport') } },
};

test('a connection from a vici message, with lists and octets in place of text', () => {
  const section = sectionFromObject('c', viciConnection, 'vici');
  const loaded = loadConnection({ section, file, ports: memoryHost() });
  assert.equal(loaded.connection.proposals.length, 3);
  assert.equal(loaded.connection.children[0]!.localSelectors.length, 2);
  assert.equal(loaded.connection.children[0]!.mode, 'transport');
  assert.deepEqual(loaded.certificates, [utf8FromText('DER own')]);
  assert.deepEqual(loaded.authorities, [utf8FromText('DER ca')]);
});

test('what text says of the whole host holds for connections loaded later', () => {
  const { connectionDefaults } = load('wayward { retransmit_tries = 3\nport = 5500\n}');
  const section = sectionFromObject('c', viciConnection, 'vici');
  const { connection } = loadConnection({ section, file, ports: memoryHost(), defaults: connectionDefaults });
  assert.equal(connection.retransmit.tries, 3);
  assert.equal(connection.localPort, 5500);
});

test('a pool and an authority from vici messages', () => {
  const pool = sectionFromObject(
    'p',
    { addrs: '10.9.0.0/24', dns: ['10.0.0.1', '10.0.0.2'], nbns: [] },
    'vici',
  );
  assert.deepEqual(loadPool({ section: pool, file, ports: memoryHost() }), {
    pool: {
      name: 'p',
      addresses: { address: '10.9.0.0', length: 24 },
      dns: ['10.0.0.1', '10.0.0.2'],
      nbns: [],
      subnets: [],
    },
    warnings: [],
  });
  const authority = sectionFromObject('a', { cacert: utf8FromText('certificate ca') }, 'vici');
  assert.deepEqual(loadAuthority({ section: authority, file, ports: memoryHost() }), {
    authorities: [utf8FromText('DER ca')],
    warnings: [],
  });
  const empty = sectionFromObject('e', {}, 'vici');
  for (const loader of [loadPool, loadAuthority, loadConnection]) {
    assert.throws(() => loader({ section: empty, file, ports: memoryHost() }), ConfigurationErrors);
  }
});

test('errors in a vici message have no line', () => {
  const section = sectionFromObject('c', { ...viciConnection, encap: 'perhaps', mark_in: ['1'] }, 'vici');
  assert.throws(
    () => loadConnection({ section, file, ports: memoryHost() }),
    (error) =>
      error instanceof ConfigurationErrors &&
      error.message ===
        'vici: encap = "perhaps": expected "yes" or "no"\nvici: unknown option "mark_in" in connections.<conn>',
  );
});
