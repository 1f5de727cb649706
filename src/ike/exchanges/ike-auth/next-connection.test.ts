// Several connections fit a peer's identity, and only one of them what it authenticates with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { privateKeyFromPkcs8 } from '#crypto';
import { Ke } from '#sa';
import type { ConnectionConfiguration, Credentials } from '../../configuration.ts';
import {
  authority,
  moonCertificate,
  moonKey,
  strangerCertificate,
  sunCertificate,
  sunKey,
} from '../../testing/certificates.ts';
import { connection, fqdn, ikeProposal, sharedSecret, text } from '../../testing/connections.ts';
import { Pair } from '../../testing/pair.ts';

const secret = 'correct horse battery staple';

function signing(
  name: string,
  change: Partial<ConnectionConfiguration['remote']> = {},
): ConnectionConfiguration {
  const base = connection('sun', { name });
  return {
    ...base,
    local: { ...base.local, method: 'pubkey', certificates: [sunCertificate] },
    remote: { ...base.remote, method: 'pubkey', ...change },
  };
}

const credentialsOfSun: Credentials = {
  ...sharedSecret(secret),
  privateKeys: [privateKeyFromPkcs8(sunKey)],
  certificates: [sunCertificate],
  authorities: [authority],
};

function started(
  connections: readonly ConnectionConfiguration[],
  moon: ConstructorParameters<typeof Pair>[0] = {},
): Pair {
  const pair = new Pair({ ...moon, sun: { connections, credentials: credentialsOfSun } });
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  return pair;
}

test('the first wants a certificate and the peer has a shared key: the second is its connection', () => {
  const pair = started([signing('certificates'), connection('sun', { name: 'keys' })]);
  assert.equal(pair.moon.sa.phase, 'established');
  assert.equal(pair.sun.sa.connection.name, 'keys');
  pair.assertKeysAgree();
});

test('who we are may differ, and with it the secret', () => {
  const base = connection('sun');
  const named = (name: string): ConnectionConfiguration => ({
    ...base,
    name,
    local: { ...base.local, identity: fqdn(name) },
  });
  const pair = new Pair({
    moon: {
      connections: [
        { ...connection('moon'), remote: { ...connection('moon').remote, identity: { kind: 'any' } } },
      ],
    },
    sun: {
      connections: [named('other.example.org'), named('sun.example.org')],
      credentials: {
        ...sharedSecret(secret),
        sharedSecrets: [
          { owners: [{ kind: 'exact', identity: fqdn('other.example.org') }], secret: text('another') },
          { owners: [{ kind: 'exact', identity: fqdn('sun.example.org') }], secret: text(secret) },
        ],
      },
    },
  });
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.sun.sa.connection.name, 'sun.example.org');
  assert.equal(pair.moon.sa.phase, 'established');
});

const withCertificate = {
  moon: {
    connections: [
      {
        ...connection('moon'),
        local: { ...connection('moon').local, method: 'pubkey', certificates: [moonCertificate] },
        remote: { ...connection('moon').remote, method: 'pubkey' },
      },
    ],
    credentials: {
      ...credentialsOfSun,
      privateKeys: [privateKeyFromPkcs8(moonKey)],
      certificates: [moonCertificate],
    },
  },
} as const;

test('a certificate that the first is not for is held against the others, before and after its path is validated', () => {
  const pair = started(
    [
      signing('named', { certificates: [strangerCertificate] }),
      signing('confined', { authorities: [strangerCertificate] }),
      signing('open'),
    ],
    withCertificate,
  );
  assert.equal(pair.moon.sa.phase, 'established');
  assert.equal(pair.sun.sa.connection.name, 'open');
});

test('if none takes the peer it hears no more than anybody does, and we name the first', () => {
  const nobody = started([
    connection('sun', {
      name: 'x',
      remote: { ...connection('sun').remote, identity: { kind: 'exact', identity: fqdn('other') } },
    }),
  ]);
  const unfit = started([signing('certificates'), signing('others')]);
  for (const pair of [nobody, unfit]) {
    const [failure] = pair.moon.eventsOf('ike-failed');
    assert.equal(failure?.failure.code, 'peer-authentication-failed');
    assert.equal(failure.failure.detail, nobody.moon.eventsOf('ike-failed')[0]?.failure.detail);
  }
  assert.equal(unfit.sun.sas[0]?.connection.name, 'certificates');
  assert.match(
    unfit.sun.eventsOf('ike-failed')[0]!.failure.detail,
    /authentication method 2.*1 other connection/,
  );
});

test('a connection that does not allow the suite in use is none, though the peer fits it', () => {
  const base = connection('sun');
  const pickier = { ...base, name: 'pickier', proposals: [ikeProposal(Ke.ECP_256)] };
  for (const [connections, name] of [
    [[base, pickier], base.name],
    [[{ ...base, local: { ...base.local, identity: fqdn('other.example.org') } }, pickier], undefined],
  ] as const) {
    const pair = started(connections);
    assert.equal(pair.moon.sa.phase === 'established' ? pair.sun.sa.connection.name : undefined, name);
  }
});

// RFC 4301 4.4.3.1: the entry that names the peer decides.
test('who is called by its name does not get in by a connection for anybody', () => {
  const base = connection('sun', { name: 'anybody' });
  const pair = started([
    signing('certificates'),
    { ...base, remote: { ...base.remote, identity: { kind: 'any' } } },
  ]);
  assert.equal(pair.moon.sa.phase, 'ended');
});

test('no more than sixteen are tried for one message', () => {
  const others = Array.from({ length: 16 }, (_, i) => signing(`certificates ${i}`));
  assert.equal(started([...others.slice(1), connection('sun')]).moon.sa.phase, 'established');
  assert.equal(started([...others, connection('sun')]).moon.sa.phase, 'ended');
});
