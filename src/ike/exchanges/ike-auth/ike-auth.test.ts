// IKE_AUTH between two hosts: who is believed, what becomes of the first Child SA, virtual addresses, lost messages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, Ke } from '#sa';
import {
  addresses,
  block,
  child,
  connection,
  espProposal,
  fqdn,
  networks,
  sharedSecret,
} from '../../testing/connections.ts';
import { Pair } from '../../testing/pair.ts';

// RFC 7296 1.2
test('two hosts that share a secret have an IKE SA and a Child SA after four messages', () => {
  const pair = new Pair();
  const { moon, sun } = pair;
  moon.initiate(sun.endpoint);
  pair.deliver(sun);
  pair.deliver(moon);
  assert.equal(moon.sa.phase, 'connecting');
  pair.deliver(sun);
  assert.equal(sun.sa.phase, 'established');
  assert.equal(moon.sa.phase, 'connecting');
  pair.deliver(moon);
  assert.equal(moon.sa.phase, 'established');
  assert.equal(pair.wire.length, 0);
  assert.equal(moon.installed.size, 2);
  assert.equal(sun.installed.size, 2);
  pair.assertKeysAgree();
  assert.deepEqual(moon.sa.remoteIdentity, sun.sa.localIdentity);
  assert.equal(moon.eventsOf('child-established').length, 1);
});

test('the responder is ready to receive before its answer leaves', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  pair.deliver(pair.sun);
  assert.deepEqual(
    pair.sun.commands.map((command) => command.kind),
    ['install', 'install', 'install-policy', 'use-outbound'],
  );
  assert.equal(pair.sun.commands[0]?.kind === 'install' && pair.sun.commands[0].sa.direction, 'inbound');
});

// RFC 7296 2.1
test('when the IKE_AUTH answer is lost, the repeated request gets the same octets and nothing is installed twice', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  pair.deliver(pair.sun);
  const lost = pair.take(pair.moon);
  pair.wait(1000);
  pair.deliver(pair.sun);
  const again = pair.take(pair.moon);
  assert.deepEqual(again.octets, lost.octets);
  assert.equal(pair.sun.installed.size, 2);
  pair.deliver(pair.moon, again);
  assert.equal(pair.moon.sa.phase, 'established');
});

// RFC 7296 2.21.2, 2.15
test('with another secret, the responder refuses and both ends are left without an SA', () => {
  const pair = new Pair({ sun: { credentials: sharedSecret('something else') } });
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'ended');
  assert.equal(pair.sun.sa.phase, 'ended');
  assert.equal(pair.moon.eventsOf('ike-failed')[0]?.failure.code, 'peer-authentication-failed');
  assert.equal(pair.sun.eventsOf('ike-failed')[0]?.failure.code, 'authentication-failed');
  assert.equal(pair.sun.installed.size + pair.moon.installed.size, 0);
  assert.equal(pair.moon.reservedSpis.size + pair.sun.reservedSpis.size, 0);
});

test('a responder that has not the identity we ask for refuses', () => {
  const moonsView = connection('moon', {
    remote: { ...connection('moon').remote, identity: { kind: 'exact', identity: fqdn('mars.example.org') } },
  });
  const pair = new Pair({ moon: { connections: [moonsView] } });
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.sun.eventsOf('ike-failed')[0]?.failure.code, 'identity-mismatch');
  assert.equal(pair.moon.eventsOf('ike-failed')[0]?.failure.code, 'peer-authentication-failed');
  assert.equal(pair.sun.installed.size, 0);
});

// RFC 7296 2.21.2
test('an initiator that rejects the answer says AUTHENTICATION_FAILED in an exchange of its own', () => {
  const sun = connection('sun', {
    local: { ...connection('sun').local, identity: fqdn('imposter.example.org') },
  });
  const moon = connection('moon', {
    remote: {
      ...connection('moon').remote,
      identity: { kind: 'wildcard', idType: 2, pattern: 'sun.*' },
    },
  });
  const pair = new Pair({ moon: { connections: [moon] }, sun: { connections: [sun] } });
  pair.moon.initiate(pair.sun.endpoint);
  for (const to of [pair.sun, pair.moon, pair.sun, pair.moon]) pair.deliver(to);
  assert.equal(pair.sun.sa.phase, 'established');
  assert.equal(pair.moon.sa.phase, 'deleting');
  pair.settle();
  assert.equal(pair.moon.eventsOf('ike-failed')[0]?.failure.code, 'identity-mismatch');
  assert.equal(pair.sun.eventsOf('ike-ended')[0]?.failure.code, 'peer-authentication-failed');
  assert.equal(pair.sun.installed.size, 0);
});

test('without a pre-shared key for both identities, the attempt fails before IKE_AUTH is sent', () => {
  const pair = new Pair({ moon: { credentials: { ...sharedSecret('x'), sharedSecrets: [] } } });
  pair.moon.initiate(pair.sun.endpoint);
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  assert.equal(pair.moon.eventsOf('ike-failed')[0]?.failure.code, 'no-credentials');
});

// RFC 7296 1.2
test('a Child SA that cannot be agreed upon leaves the IKE SA in place', () => {
  for (const [change, code] of [
    [{ remoteSelectors: [block('172.16.0.0/12')] }, 'ts-unacceptable'],
    [
      {
        proposals: [
          {
            ...espProposal(),
            transforms: espProposal().transforms.map((transform) =>
              transform.type === 1 ? { ...transform, keyLengthBits: 256 } : transform,
            ),
          },
        ],
      },
      'no-proposal-chosen',
    ],
  ] as const) {
    const pair = new Pair({
      sun: { connections: [connection('sun', { children: [child('sun', change)] })] },
    });
    pair.establish();
    assert.equal(pair.moon.eventsOf('child-failed')[0]?.failure.code, code);
    assert.equal(pair.moon.installed.size + pair.sun.installed.size, 0);
    assert.equal(pair.moon.reservedSpis.size + pair.sun.reservedSpis.size, 0);
  }
});

// RFC 7296 2.9
test('the responder narrows the selectors, and both ends carry the same traffic', () => {
  const half = block('10.1.0.0/17');
  const pair = new Pair({
    sun: { connections: [connection('sun', { children: [child('sun', { remoteSelectors: [half] })] })] },
  }).establish();
  assert.deepEqual(pair.moon.sa.children[0]?.local, [half]);
  assert.deepEqual(pair.moon.sa.children[0]?.remote, [networks.sun]);
  pair.assertKeysAgree();
});

// RFC 7296 1.3.1
test('transport mode is agreed upon by both ends', () => {
  const dynamic = { dynamic: true, protocol: 0, startPort: 0, endPort: 65535 } as const;
  const change = { mode: 'transport', localSelectors: [dynamic], remoteSelectors: [dynamic] } as const;
  const pair = new Pair({
    moon: { connections: [connection('moon', { children: [child('moon', change)] })] },
    sun: { connections: [connection('sun', { children: [child('sun', change)] })] },
  }).establish();
  for (const host of [pair.moon, pair.sun]) {
    assert.equal(host.sa.children[0]?.mode, 'transport');
    assert.equal(host.sa.children[0]?.local[0]?.start, host.endpoint.address);
  }
});

// RFC 7296 2.23.1
test('transport mode through a NAT: each end sees the address on its side', () => {
  const dynamic = { dynamic: true, protocol: 0, startPort: 0, endPort: 65535 } as const;
  const change = { mode: 'transport', localSelectors: [dynamic], remoteSelectors: [dynamic] } as const;
  const pair = new Pair({
    moon: { connections: [connection('moon', { children: [child('moon', change)] })] },
    sun: { connections: [connection('sun', { children: [child('sun', change)] })] },
  });
  pair.natAddress = address('198.51.100.7');
  pair.establish();
  assert.equal(pair.moon.sa.children[0]?.local[0]?.start, addresses.moon);
  assert.equal(pair.sun.sa.children[0]?.remote[0]?.start, pair.natAddress);
});

test('a responder in tunnel mode turns a request for transport mode into a tunnel', () => {
  const dynamic = { dynamic: true, protocol: 0, startPort: 0, endPort: 65535 } as const;
  const selectors = { localSelectors: [dynamic], remoteSelectors: [dynamic] } as const;
  const pair = new Pair({
    moon: {
      connections: [connection('moon', { children: [child('moon', { ...selectors, mode: 'transport' })] })],
    },
    sun: { connections: [connection('sun', { children: [child('sun', selectors)] })] },
  }).establish();
  assert.equal(pair.moon.sa.children[0]?.mode, 'tunnel');
  assert.equal(pair.sun.sa.children[0]?.mode, 'tunnel');
});

// RFC 7296 2.4
test('INITIAL_CONTACT reaches the responder, and only if it was asked for', () => {
  for (const initialContact of [true, false]) {
    const pair = new Pair();
    pair.moon.initiate(pair.sun.endpoint, { initialContact });
    pair.settle();
    assert.equal(pair.sun.eventsOf('ike-established')[0]?.initialContact, initialContact);
    assert.equal(pair.moon.eventsOf('ike-established')[0]?.initialContact, false);
  }
});

// RFC 7296 2.19, 3.15.1
test('a client gets a virtual address, and its dynamic selector becomes that address', () => {
  const dynamic = { dynamic: true, protocol: 0, startPort: 0, endPort: 65535 } as const;
  const virtual = address('10.9.0.5');
  const pair = new Pair({
    moon: {
      connections: [
        connection('moon', {
          virtualAddresses: [address('0.0.0.0')],
          children: [child('moon', { localSelectors: [dynamic] })],
        }),
      ],
    },
    sun: {
      connections: [
        connection('sun', { pools: ['road'], children: [child('sun', { remoteSelectors: [dynamic] })] }),
      ],
      lease: { addresses: [virtual], dns: [address('10.2.0.53')], attributes: [] },
    },
  }).establish();
  assert.deepEqual(pair.moon.eventsOf('virtual-addresses')[0], {
    kind: 'virtual-addresses',
    addresses: [virtual],
    dns: [address('10.2.0.53')],
  });
  assert.equal(pair.moon.sa.children[0]?.local[0]?.start, virtual);
  assert.equal(pair.moon.sa.children[0]?.local[0]?.end, virtual);
  pair.assertKeysAgree();
  pair.moon.command({ kind: 'delete', reason: 'test' });
  pair.settle();
  assert.equal(pair.sun.leased.length, 0);
});

// RFC 7296 3.15.4
test('without a free virtual address there is an IKE SA, a reason, and no Child SA', () => {
  const pair = new Pair({
    moon: { connections: [connection('moon', { virtualAddresses: [address('0.0.0.0')] })] },
    sun: { connections: [connection('sun', { pools: ['road'] })] },
  }).establish();
  assert.equal(pair.moon.eventsOf('child-failed')[0]?.failure.code, 'internal-address-failure');
  assert.equal(pair.moon.installed.size + pair.sun.installed.size, 0);
});

test('without a wish for a child, a childless IKE SA is made', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint, { children: [] });
  pair.settle();
  assert.equal(pair.moon.sa.phase, 'established');
  assert.equal(pair.sun.sa.phase, 'established');
  assert.equal(pair.moon.installed.size, 0);
});

// RFC 7296 1.3.1
test('further children follow the first by CREATE_CHILD_SA', () => {
  const other = block('10.3.0.0/16');
  const pair = new Pair({
    moon: {
      connections: [
        connection('moon', {
          children: [child('moon'), child('moon', { name: 'other', localSelectors: [other] })],
        }),
      ],
    },
    sun: {
      connections: [
        connection('sun', {
          children: [child('sun'), child('sun', { name: 'other', remoteSelectors: [other] })],
        }),
      ],
    },
  }).establish();
  assert.deepEqual(
    pair.moon.sa.children.map(({ name }) => name),
    ['net', 'other'],
  );
  pair.assertKeysAgree();
});

test('the responder takes the connection that the identities mean, if it allows the suite', () => {
  const decoy = connection('sun', {
    name: 'decoy',
    local: { ...connection('sun').local, identity: fqdn('venus.example.org') },
  });
  const pair = new Pair({ sun: { connections: [decoy, connection('sun')] } }).establish();
  assert.equal(pair.sun.sa.connection.name, 'gateway');
});

test('a data plane that refuses an SA makes the pair go again, and the peer is told', () => {
  const pair = new Pair();
  pair.moon.saResult = (command) =>
    command.kind === 'install' && command.sa.direction === 'inbound'
      ? { ok: false, code: 'exists', detail: 'EEXIST' }
      : { ok: true };
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.moon.eventsOf('child-failed')[0]?.failure.code, 'data-plane');
  assert.equal(pair.moon.sa.phase, 'established');
  assert.equal(pair.sun.installed.size, 0);
  assert.equal(pair.moon.installed.size, 0);
});

// RFC 4301 4.1
test('of an SPI that another peer behind its address has already, only the pair that was refused it is removed', () => {
  const pair = new Pair();
  pair.moon.saResult = (command) =>
    command.kind === 'install' && command.sa.direction === 'outbound'
      ? { ok: false, code: 'exists', detail: 'EEXIST' }
      : { ok: true };
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  const installed = pair.moon.commands.flatMap((command) =>
    command.kind === 'install' ? [`${command.sa.direction} ${command.sa.spi} ${command.sa.childId}`] : [],
  );
  const removed = pair.moon.commands.flatMap((command) =>
    command.kind === 'remove' ? [`${command.direction} ${command.spi} ${command.childId}`] : [],
  );
  assert.equal(installed.length, 2);
  assert.deepEqual(removed, installed);
});

for (const kind of ['install-policy', 'use-outbound'] as const) {
  test(`a data plane that refuses ${kind} makes the pair go again: its traffic would be unprotected`, () => {
    const pair = new Pair();
    pair.moon.saResult = (command) =>
      command.kind === kind ? { ok: false, code: 'exists', detail: 'EEXIST' } : { ok: true };
    pair.moon.initiate(pair.sun.endpoint);
    pair.settle();
    assert.match(pair.moon.eventsOf('child-failed')[0]?.failure.detail ?? '', /EEXIST/);
    assert.equal(pair.moon.sa.phase, 'established');
    for (const host of [pair.moon, pair.sun]) assert.equal(host.installed.size, 0, host.name);
  });
}

test('of everything that a data plane refuses of one pair the first reason is told, once', () => {
  const pair = new Pair();
  pair.moon.saResult = ({ kind }) => ({ ok: false, code: 'failed', detail: `no ${kind}` });
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  assert.deepEqual(
    pair.moon.eventsOf('child-failed').map(({ failure }) => failure.detail),
    ['failed: no install'],
  );
});

test('what a network device is to do of a child is told with both its SAs, and what it does with the child', () => {
  const children = [child('moon', { hardwareOffload: 'auto' })];
  const pair = new Pair({ moon: { connections: [connection('moon', { children })] } });
  pair.moon.saResult = (command) =>
    command.kind === 'install' && command.sa.direction === 'inbound'
      ? { ok: true, offloaded: 'crypto' }
      : { ok: true };
  pair.establish();
  assert.deepEqual(pair.moon.sa.children[0]?.offloaded, { inbound: 'crypto' });
  assert.equal(pair.sun.sa.children[0]?.offloaded, undefined);
  const wanted = ({ commands }: typeof pair.moon) =>
    commands.flatMap((command) => (command.kind === 'install' ? [command.sa.hardwareOffload] : []));
  assert.deepEqual(wanted(pair.moon), ['auto', 'auto']);
  assert.deepEqual(wanted(pair.sun), [undefined, undefined]);
});

test('key logs exist only for a host that asked for them', () => {
  const pair = new Pair();
  pair.moon.initiate(pair.sun.endpoint, { keyLog: true });
  pair.settle();
  assert.deepEqual(
    pair.moon.keyLog.map((entry) => entry.kind),
    ['ike', 'child', 'child'],
  );
  assert.ok(
    pair.moon.keyLog.every((entry) => entry.kind !== 'ike' || entry.skEi.some((octet) => octet !== 0)),
  );
  assert.equal(pair.sun.keyLog.length, 0);
});

test('a Child SA with a key exchange in its proposal is made without one in IKE_AUTH', () => {
  const change = { proposals: [espProposal(Ke.CURVE25519)] };
  const pair = new Pair({
    moon: { connections: [connection('moon', { children: [child('moon', change)] })] },
    sun: { connections: [connection('sun', { children: [child('sun', change)] })] },
  }).establish();
  assert.equal(pair.moon.sa.children[0]?.suite.ke, undefined);
});
