// What is said without proof, and what comes of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IkeSa } from '#ike';
import { address } from '#sa';
import { invalidIkeSpi, invalidMajorVersion, unprotectedInvalidSpi } from '#unknown-spi';
import { zeroIkeSpi } from '#wire';
import { addresses, connection } from '../testing/connections.ts';
import { standing } from './testing/seen.ts';
import { established, type HostChange, TwoHosts } from './testing/two-hosts.ts';

/** Its host sends no INITIAL_CONTACT, and keeps no ticket: what it had before stays with its peer. */
const forgetful: HostChange = { connection: { unique: 'never' } };

test('INVALID_SPI without a token is a hint: one liveness check per window, from the peer only', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const [spi] = [...hosts.moon.outbound.keys()];
  const hint = (from: keyof typeof addresses | '203.0.113.9', about = spi!): void => {
    const octets = unprotectedInvalidSpi(about, { initiatorSpi: zeroIkeSpi, responderSpi: zeroIkeSpi }, []);
    const address = from === 'sun' || from === 'moon' ? addresses[from] : (from as typeof addresses.sun);
    hosts.receive(hosts.moon, {
      local: { address, port: 500 },
      remote: { address: addresses.moon, port: 500 },
      octets,
    });
  };
  hint('203.0.113.9');
  hint('sun', 4711);
  assert.equal(hosts.moon.sent.length, 0);
  hint('sun');
  assert.equal(hosts.moon.sent.length, 1);
  hosts.settle();
  hint('sun');
  assert.equal(hosts.moon.sent.length, 0);
  assert.deepEqual(
    hosts.moon.eventsOf('hint').map(({ outcome }) => outcome),
    ['spi-of-another-peer', 'no-such-outbound-spi', 'check', 'back-off'],
  );
  hosts.wait(2_000);
  hint('sun');
  assert.equal(hosts.moon.eventsOf('hint').at(-1)?.outcome, 'check');
  hosts.settle();
  assert.equal(established(hosts.moon).length, 1);
});

test('what a stranger says makes a host look at no SA that it does not name', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  let looks = 0;
  const children = Object.getOwnPropertyDescriptor(IkeSa.prototype, 'children')!;
  Object.defineProperty(IkeSa.prototype, 'children', {
    ...children,
    get(this: IkeSa) {
      looks++;
      return children.get!.call(this);
    },
  });
  try {
    const stranger = address('203.0.113.9');
    const spis = { initiatorSpi: zeroIkeSpi, responderSpi: zeroIkeSpi };
    hosts.receive(hosts.moon, {
      local: { address: stranger, port: 500 },
      remote: { address: addresses.moon, port: 500 },
      octets: unprotectedInvalidSpi(4711, spis, []),
    });
    for (const destination of [stranger, addresses.moon]) {
      const quote = { source: addresses.moon, destination, spi: 4711 };
      hosts.moon.give(hosts.now, { kind: 'icmp-error', from: stranger, quote });
    }
    assert.equal(hosts.moon.eventsOf('hint').length, 3);
    assert.equal(looks, 0);
  } finally {
    Object.defineProperty(IkeSa.prototype, 'children', children);
  }
});

test('an ICMP error about a packet of ours is a hint; about anything else it is nothing', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const [spi] = [...hosts.moon.outbound.keys()];
  const quote = { source: addresses.moon, destination: addresses.sun };
  for (const quoted of [
    { ...quote, spi: 4711 },
    { ...quote, destination: addresses.moon },
    { ...quote, spi: spi! },
    { ...quote, spi: spi! },
  ]) {
    hosts.moon.give(hosts.now, { kind: 'icmp-error', from: addresses.sun, quote: quoted });
    hosts.settle();
  }
  assert.deepEqual(
    hosts.moon.eventsOf('hint').map(({ hint, outcome }) => `${hint} ${outcome}`),
    ['icmp no-such-outbound-spi', 'icmp not-our-packet', 'icmp check', 'icmp back-off'],
  );
  assert.equal(established(hosts.moon).length, 1);
});

test('a thousand forged hints of every kind change no SA', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const before = JSON.stringify([
    hosts.moon.engine.status().ikeSas[0]?.ikeId,
    [...hosts.moon.inbound.keys()],
  ]);
  const [sa] = hosts.moon.engine.status().ikeSas;
  assert.ok(sa !== undefined);
  const { initiatorSpi, responderSpi } = sa;
  const [spi] = [...hosts.moon.outbound.keys()];
  const request = {
    initiatorSpi,
    responderSpi,
    majorVersion: 2,
    minorVersion: 0,
    exchangeType: 37,
    initiator: true,
    response: false,
    higherVersion: false,
  };
  for (let i = 0; i < 1_000; i++) {
    const token = new Uint8Array(16).fill(i);
    const octets = [
      () => unprotectedInvalidSpi(spi!, { initiatorSpi, responderSpi }, [token]),
      () => invalidIkeSpi({ ...request, messageId: i % 5 }, [token, token, token, token]),
      () => invalidMajorVersion({ ...request, messageId: i % 5 }),
    ][i % 3]!();
    hosts.now += 10;
    hosts.receive(hosts.moon, {
      local: { address: addresses.sun, port: 500 },
      remote: { address: addresses.moon, port: 500 },
      octets,
    });
    hosts.settle();
  }
  const after = JSON.stringify([hosts.moon.engine.status().ikeSas[0]?.ikeId, [...hosts.moon.inbound.keys()]]);
  assert.equal(after, before);
  assert.equal(hosts.moon.engine.status().ikeSas.length, 1);
});

test('a protected INVALID_SPI about another IKE SA of the same peer replaces that Child SA, once in a while', () => {
  const hosts = new TwoHosts({ moon: forgetful, sun: forgetful });
  hosts.connect();
  const [old] = established(hosts.moon);
  const [spi] = [...hosts.moon.outbound.keys()];
  hosts.now = 1_000;
  hosts.restart(hosts.sun);
  hosts.settle();
  assert.equal(established(hosts.moon).length, 2);
  // moon still uses the old Child SA; sun has another IKE SA to say so over.
  hosts.sendEsp(hosts.moon, { spi: spi! });
  assert.equal(hosts.sun.eventsOf('unknown-spi').at(-1)?.outcome, 'sent-protected');
  hosts.settle(({ octets }) => octets[18] !== 36);
  assert.deepEqual(
    hosts.moon.eventsOf('hint').map(({ protected: under, outcome, ikeId }) => [under, outcome, ikeId]),
    [[true, 'replacing-child', old]],
  );
  hosts.wait(1_500, ({ octets }) => octets[18] === 37);
  hosts.sendEsp(hosts.moon, { spi: spi! });
  hosts.settle(({ octets }) => octets[18] === 37);
  assert.equal(hosts.moon.eventsOf('hint').length, 2);
  assert.notEqual(hosts.moon.eventsOf('hint').at(-1)?.outcome, 'replacing-child');
  // What asks to replace it learns that the whole IKE SA is unknown there; the other carries the traffic.
  hosts.wait(3_000);
  assert.equal(hosts.moon.eventsOf('hint').at(-1)?.outcome, 'proven');
  assert.equal(established(hosts.moon).length, 1);
  assert.deepEqual(standing(hosts.sun), standing(hosts.moon));
  assert.ok(!established(hosts.moon).includes(old!));
});

test('a peer says nothing about the Child SAs of another peer', () => {
  const anyPeer = { ...connection('moon').remote, identity: { kind: 'any' as const } };
  const hosts = new TwoHosts({ moon: { connection: { unique: 'never', remote: anyPeer } }, sun: forgetful });
  hosts.connect();
  const [spi] = [...hosts.moon.outbound.keys()];
  const before = [...hosts.moon.outbound.keys()];
  const identity = {
    idType: 2,
    data: Uint8Array.from('venus.example.org', (letter) => letter.charCodeAt(0)),
  };
  hosts.restart(hosts.sun, {
    connection: { unique: 'never', local: { ...connection('sun').local, identity } },
  });
  hosts.settle();
  assert.equal(established(hosts.moon).length, 2);
  hosts.sendEsp(hosts.moon, { spi: spi! });
  assert.equal(hosts.sun.eventsOf('unknown-spi').at(-1)?.outcome, 'sent-protected');
  hosts.settle();
  assert.deepEqual(
    hosts.moon.eventsOf('hint').map(({ outcome }) => outcome),
    ['no-such-outbound-spi'],
  );
  assert.ok(before.every((one) => hosts.moon.outbound.has(one)));
});

test('what was asked, told and replaced because of hints is forgotten with the SAs that it was about', () => {
  const hosts = new TwoHosts({ moon: forgetful, sun: forgetful });
  hosts.connect();
  const { moon, sun } = hosts;
  const [spi] = [...moon.outbound.keys()];
  hosts.restart(sun);
  hosts.settle();
  hosts.sendEsp(moon, { spi: spi! });
  hosts.settle();
  assert.equal(moon.eventsOf('hint')[0]?.outcome, 'replacing-child');
  assert.ok(sun.engine.tables().backOffs > 0);
  moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'terminate', connection: 'gateway' } });
  hosts.wait(200_000);
  assert.deepEqual([established(moon), established(sun)], [[], []]);
  assert.deepEqual([moon.engine.tables().backOffs, sun.engine.tables().backOffs], [0, 0]);
});
