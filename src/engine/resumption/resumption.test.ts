// Session resumption between two hosts: when a ticket is presented, when it is not, and what happens when it does not help.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionConfiguration } from '#ike';
import { address, Encr, Esn, Ke, Prf, selectorOfPrefix } from '#sa';
import { ExchangeType, IdType, TransformType } from '#wire';
import type { EngineConfiguration } from '../configuration.ts';
import { EnginePair, engineConfiguration } from '../testing/engine-pair.ts';

const addresses = { moon: '192.0.2.1', sun: '192.0.2.2' } as const;
const networks = { moon: '10.1.0.0/16', sun: '10.2.0.0/16' } as const;

function octets(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function connectionOf(
  host: 'moon' | 'sun',
  change: Partial<ConnectionConfiguration>,
): ConnectionConfiguration {
  const other = host === 'moon' ? 'sun' : 'moon';
  const identity = (name: string): { idType: number; data: Uint8Array } => ({
    idType: IdType.FQDN,
    data: octets(name),
  });
  return {
    name: 'gateway',
    localAddresses: [],
    remoteAddresses: [{ kind: 'address', address: address(addresses[other]) }],
    localPort: 500,
    remotePort: 500,
    proposals: [
      {
        protocol: 'ike',
        transforms: [
          { type: TransformType.ENCR, id: Encr.AES_GCM_16, keyLengthBits: 128 },
          { type: TransformType.PRF, id: Prf.HMAC_SHA2_256 },
          { type: TransformType.KE, id: Ke.CURVE25519 },
        ],
      },
    ],
    local: { method: 'psk', identity: identity(host), certificates: [] },
    remote: {
      method: 'psk',
      identity: { kind: 'exact', identity: identity(other) },
      certificates: [],
      authorities: [],
      revocation: 'relaxed',
    },
    children: [
      {
        name: 'net',
        mode: 'tunnel',
        proposals: [
          {
            protocol: 'esp',
            transforms: [
              { type: TransformType.ENCR, id: Encr.AES_GCM_16, keyLengthBits: 128 },
              { type: TransformType.ESN, id: Esn.NO },
            ],
          },
        ],
        localSelectors: [selectorOfPrefix(networks[host])!],
        remoteSelectors: [selectorOfPrefix(networks[other])!],
        lifetimes: { jitterTimeMs: 0, jitterBytes: 0, jitterPackets: 0 },
        startAction: 'none',
        closeAction: 'none',
        dpdAction: 'restart',
        policies: true,
        replayWindow: 64,
        copyDf: true,
        copyDscp: 'out',
      },
    ],
    virtualAddresses: [],
    pools: [],
    encap: false,
    mobike: false,
    fragmentation: 'yes',
    fragmentSizeBytes: 1280,
    sendCertreq: true,
    sendCert: 'ifasked',
    unique: 'replace',
    dpdDelayMs: 10_000,
    rekeyTimeMs: 0,
    reauthTimeMs: 0,
    overTimeMs: 0,
    jitterTimeMs: 0,
    keyingTries: 0,
    retransmit: { baseMs: 1000, factor: 1, tries: 3, jitter: 0 },
    windowSize: 1,
    resumption: { ticketLifetimeMs: 3_600_000, freshKeyExchange: false },
    ...change,
  };
}

const credentials = {
  sharedSecrets: [{ owners: [], secret: octets('correct horse') }],
  privateKeys: [],
  certificates: [],
  authorities: [],
  revocationLists: [],
};

/** Sun answers, and leaves it to moon to notice a failure. */
const gatewayOnly = { dpdDelayMs: 0 };

function pairOf(
  change: {
    readonly connection?: Partial<ConnectionConfiguration>;
    readonly sun?: Partial<EngineConfiguration>;
    /** Whether both hosts store their tickets. */
    readonly durable?: true;
  } = {},
): EnginePair {
  const host = (name: 'moon' | 'sun', more: Partial<EngineConfiguration> = {}) => ({
    address: addresses[name],
    ...(change.durable && { recordKey: new Uint8Array(32).fill(name.length) }),
    configuration: {
      ...engineConfiguration(
        connectionOf(name, name === 'moon' ? (change.connection ?? {}) : gatewayOnly),
        credentials,
      ),
      ...more,
    },
  });
  return new EnginePair(host('moon'), host('sun', change.sun));
}

function up(pair: EnginePair): void {
  pair.moon.command({ kind: 'initiate', connection: 'gateway' });
  pair.settle();
  assert.deepEqual(pair.moon.results.at(-1), { ok: true, count: 1 });
}

/** Moon gives sun up after its liveness check, which nobody answers. */
function losePeer(pair: EnginePair): void {
  const before = pair.moon.ikeEvents().filter((kind) => kind === 'ike-ended').length;
  for (let second = 0; second < 60; second++) {
    pair.run(1000, { drop: true });
    if (pair.moon.ikeEvents().filter((kind) => kind === 'ike-ended').length > before) return;
  }
  assert.fail('the peer was never given up');
}

test('after silence the connection is resumed: one IKE SA, no key exchange, and the old one goes silently', () => {
  const pair = pairOf();
  up(pair);
  pair.exchanges.length = 0;
  losePeer(pair);
  pair.moon.sent.length = 0;
  pair.run(2000);
  assert.deepEqual(pair.moon.establishments(), [false, true]);
  assert.deepEqual(pair.sun.establishments(), [false, true]);
  assert.ok(pair.exchanges.includes(ExchangeType.IKE_SESSION_RESUME));
  assert.ok(!pair.exchanges.includes(ExchangeType.IKE_SA_INIT));
  assert.ok(!pair.sun.events.some(({ kind }) => kind === 'duplicate-ike-sa'));
  for (const host of [pair.moon, pair.sun]) {
    const { ikeSas } = host.engine.status();
    assert.deepEqual(
      ikeSas.map(({ phase, children }) => [phase, children.length]),
      [['established', 1]],
    );
  }
});

test('a gateway that restarted without its keys refuses the ticket, and a full exchange follows at once', () => {
  const pair = pairOf();
  up(pair);
  pair.sun.crash();
  losePeer(pair);
  pair.moon.sent.length = 0;
  pair.run(2000);
  assert.ok(pair.moon.events.some(({ kind }) => kind === 'resumption-failed'));
  assert.deepEqual(pair.moon.establishments(), [false, false]);
  assert.equal(pair.moon.engine.status().ikeSas.length, 1);
  assert.equal(pair.sun.engine.status().ikeSas[0]?.children.length, 1);
});

test('a pre-shared key that a reload changes ends tickets, and a full exchange with the new one follows at once', () => {
  const pair = pairOf();
  up(pair);
  const changed = { ...credentials, sharedSecrets: [{ owners: [], secret: octets('battery staple') }] };
  for (const [host, name] of [
    [pair.moon, 'moon'],
    [pair.sun, 'sun'],
  ] as const) {
    const connection = connectionOf(name, name === 'moon' ? {} : gatewayOnly);
    host.command({ kind: 'load', configuration: engineConfiguration(connection, changed) });
  }
  losePeer(pair);
  pair.moon.sent.length = 0;
  pair.run(2000);
  assert.equal(pair.moon.events.filter(({ kind }) => kind === 'resumption-failed').length, 1);
  assert.deepEqual(pair.moon.establishments(), [false, false]);
  pair.run(10_000);
  assert.equal(pair.sun.engine.status().ikeSas.length, 1);
});

test('a peer that does not answer a ticket gets a full exchange, and no ticket again in this attempt', () => {
  const pair = pairOf();
  up(pair);
  losePeer(pair);
  pair.run(60_000, { drop: true });
  assert.equal(pair.moon.events.filter(({ kind }) => kind === 'resumption-failed').length, 1);
  pair.run(60_000);
  assert.deepEqual(pair.moon.establishments(), [false, false]);
});

test('INVALID_IKE_SPI and other words of strangers make nobody present a ticket', () => {
  const pair = pairOf();
  up(pair);
  pair.sun.crash();
  pair.exchanges.length = 0;
  pair.run(10_500);
  assert.ok(pair.exchanges.includes(ExchangeType.INFORMATIONAL));
  assert.ok(!pair.exchanges.includes(ExchangeType.IKE_SESSION_RESUME));
});

test('after terminate and after a Delete of the peer, the next exchange is a full one', () => {
  for (const end of ['moon', 'sun'] as const) {
    const pair = pairOf();
    up(pair);
    pair[end].command({ kind: 'terminate', connection: 'gateway' });
    pair.settle();
    up(pair);
    assert.deepEqual(pair.moon.establishments(), [false, false], end);
  }
});

test('reauthentication is a full exchange, though there is a good ticket', () => {
  const pair = pairOf({ connection: { reauthTimeMs: 100_000, overTimeMs: 20_000 } });
  up(pair);
  pair.run(101_000);
  assert.deepEqual(pair.moon.establishments(), [false, false]);
});

test('after a rekeying by either end, the ticket that counts is the new one', () => {
  for (const end of ['moon', 'sun'] as const) {
    const pair = pairOf();
    up(pair);
    pair[end].command({ kind: 'rekey', connection: 'gateway' });
    pair.settle();
    losePeer(pair);
    pair.moon.sent.length = 0;
    pair.run(2000);
    assert.deepEqual(pair.moon.establishments(), [false, true], end);
    assert.equal(pair.sun.engine.status().ikeSas.length, 1);
  }
});

test('many half-open IKE SAs: the ticket is presented behind a cookie of the right exchange', () => {
  const pair = pairOf({
    sun: {
      halfOpen: {
        cookieThreshold: 0,
        cookieThresholdPerSource: 0,
        halfOpenMax: 10,
        halfOpenTimeoutMs: 30_000,
      },
    },
  });
  up(pair);
  losePeer(pair);
  pair.moon.sent.length = 0;
  pair.exchanges.length = 0;
  pair.run(2000);
  assert.deepEqual(pair.moon.establishments(), [false, true]);
  const { IKE_SESSION_RESUME, IKE_AUTH } = ExchangeType;
  assert.deepEqual(pair.exchanges.slice(-6), [
    ...new Array<number>(4).fill(IKE_SESSION_RESUME),
    ...new Array<number>(2).fill(IKE_AUTH),
  ]);
});

test('a virtual address is asked for again, and given again while the old IKE SA still stood', () => {
  const pools = [
    {
      name: 'road',
      addresses: { start: address('10.9.0.5'), end: address('10.9.0.250') },
      dns: [],
      nbns: [],
      subnets: [],
    },
  ];
  const dynamic = { dynamic: true, protocol: 0, startPort: 0, endPort: 65535 } as const;
  const moon = connectionOf('moon', { virtualAddresses: [address('0.0.0.0')] });
  const sun = connectionOf('sun', { ...gatewayOnly, pools: ['road'] });
  const pair = new EnginePair(
    {
      address: addresses.moon,
      configuration: engineConfiguration(
        { ...moon, children: [{ ...moon.children[0]!, localSelectors: [dynamic] }] },
        credentials,
      ),
    },
    {
      address: addresses.sun,
      configuration: {
        ...engineConfiguration(
          { ...sun, children: [{ ...sun.children[0]!, remoteSelectors: [dynamic] }] },
          credentials,
        ),
        pools,
      },
    },
  );
  up(pair);
  losePeer(pair);
  pair.moon.sent.length = 0;
  pair.run(2000);
  assert.deepEqual(pair.moon.establishments(), [false, true]);
  const given = pair.moon.events.flatMap((event) =>
    event.kind === 'ike' && event.event.kind === 'virtual-addresses' ? event.event.addresses : [],
  );
  assert.deepEqual(given, ['10.9.0.5', '10.9.0.5']);
});

test('a gateway that stored its keys accepts the ticket after a crash, once, also after a second crash', () => {
  const pair = pairOf({ durable: true });
  up(pair);
  const used = [...pair.moon.disk].find(([key]) => key.startsWith('client-ticket/'))!;
  pair.sun.crash();
  losePeer(pair);
  pair.moon.sent.length = 0;
  pair.run(2000);
  assert.deepEqual(pair.moon.establishments(), [false, true]);
  assert.deepEqual(pair.sun.establishments(), [false, true]);
  // Moon is set back to the used ticket, and both hosts crash.
  pair.moon.disk.set(...used);
  pair.moon.crash();
  pair.sun.crash();
  pair.moon.command({ kind: 'initiate', connection: 'gateway' });
  pair.run(2000);
  assert.ok(pair.moon.events.some(({ kind }) => kind === 'resumption-failed'));
  assert.deepEqual(pair.moon.establishments(), [false, true, false]);
});

test('a client that crashed comes back by its stored ticket, and the gateway drops its old IKE SA silently', () => {
  const pair = pairOf({ durable: true });
  up(pair);
  pair.moon.crash();
  pair.exchanges.length = 0;
  up(pair);
  assert.deepEqual(pair.moon.establishments(), [false, true]);
  assert.deepEqual(pair.exchanges.slice(0, 4), [
    ExchangeType.IKE_SESSION_RESUME,
    ExchangeType.IKE_SESSION_RESUME,
    ExchangeType.IKE_AUTH,
    ExchangeType.IKE_AUTH,
  ]);
  assert.equal(pair.sun.engine.status().ikeSas.length, 1);
});

test('the answer that establishes a resumed IKE SA waits until the use of its ticket is durable', () => {
  const pair = pairOf({ durable: true });
  up(pair);
  pair.moon.crash();
  pair.sun.holdStores = true;
  pair.moon.command({ kind: 'initiate', connection: 'gateway' });
  pair.settle();
  assert.deepEqual(pair.moon.establishments(), [false]);
  assert.deepEqual(
    pair.sun.heldStores.flatMap(({ key }) => (key.startsWith('ticket') ? [key.split('/')[0]] : [])),
    ['ticket-void'],
  );
  pair.sun.releaseStores();
  pair.settle();
  assert.deepEqual(pair.moon.establishments(), [false, true]);
});

test('a gateway that crashes before the use of a ticket was durable has established nothing with it', () => {
  const pair = pairOf({ durable: true });
  up(pair);
  pair.moon.crash();
  pair.sun.holdStores = true;
  pair.moon.command({ kind: 'initiate', connection: 'gateway' });
  pair.settle();
  pair.sun.holdStores = false;
  pair.sun.crash();
  pair.run(60_000);
  assert.deepEqual(pair.moon.establishments(), [false, false]);
  assert.equal(pair.sun.engine.status().ikeSas.length, 1);
});

test('nothing that a host stores shows a name or a key, and another record key opens none of it', () => {
  const pair = pairOf({ durable: true });
  up(pair);
  for (const host of [pair.moon, pair.sun]) {
    for (const octetsOfRecord of host.disk.values()) {
      for (const name of ['moon', 'sun', 'gateway', 'g\u0000a\u0000']) {
        assert.equal(Buffer.from(octetsOfRecord).indexOf(name), -1);
      }
    }
  }
  pair.moon.recordKey!.fill(9);
  pair.moon.crash();
  up(pair);
  assert.deepEqual(pair.moon.establishments(), [false, false]);
});

test('a record in the place of another one opens nothing', () => {
  const pair = pairOf({ durable: true });
  up(pair);
  const [key] = [...pair.moon.disk.keys()].filter((each) => each.startsWith('client-ticket/'));
  pair.moon.disk.set(key!, pair.moon.disk.get('ticket-keys')!);
  pair.moon.crash();
  up(pair);
  assert.deepEqual(pair.moon.establishments(), [false, false]);
});

test('without a record key no ticket is stored', () => {
  const pair = pairOf();
  up(pair);
  const keys = [...pair.moon.disk.keys(), ...pair.sun.disk.keys()];
  assert.deepEqual(
    keys.filter((key) => key.includes('ticket')),
    [],
  );
});
