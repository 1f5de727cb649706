// The octets of a snapshot: each comes back as it was, anything else is refused, and its secrets can be wiped.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressFromBytes, type Spi } from '#sa';
import { type IkeSpi, WireError } from '#wire';
import { Pair } from '../testing/pair.ts';
import { type IkeSaSnapshot, wipeIkeSaSnapshot } from './snapshot.ts';
import { decodeIkeSaSnapshot, encodeIkeSaSnapshot } from './snapshot-codec.ts';

const record = ((model: object, constraints: object = {}) =>
  fc.record(model as never, { noNullPrototype: true, ...constraints } as never)) as typeof fc.record;
const spi = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((octets) => Buffer.from(octets).toString('hex') as IkeSpi);
const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const childSpi = u32 as fc.Arbitrary<Spi>;
const octets = fc.uint8Array({ maxLength: 64 });
const name = fc.string({ unit: 'binary', maxLength: 12 });
const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const ipAddress = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(addressFromBytes);
const endpoint = record({ address: ipAddress, port: u16 });
const identity = record({ idType: u8, data: octets });
const encr = record({ id: u16, keyLengthBits: u16 });
const datagrams = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 2 });
const flag = fc.boolean();
const selector = record({ protocol: u8, startPort: u16, endPort: u16, start: ipAddress, end: ipAddress });
const direction = record({
  keys: record(
    {
      encryption: record({ id: u16, keyLengthBits: u16, key: octets }),
      integrity: record({ id: u16, key: octets }),
    },
    { requiredKeys: [] },
  ),
  limit: record({ high: u32, low: u32 }),
  blockPackets: u32,
});
const purpose = fc.oneof(
  record({ kind: fc.constantFrom('liveness', 'notify') }),
  record({ kind: fc.constant('request-ticket'), postponements: u8 }),
  record({ kind: fc.constant('delete-child'), inboundSpi: childSpi, installed: flag }),
);
const child = record(
  {
    childId: u32,
    generation: u32,
    name,
    protocol: fc.constantFrom('esp', 'ah'),
    mode: fc.constantFrom('tunnel', 'transport', 'beet'),
    suite: record(
      {
        protocol: fc.constantFrom('esp', 'ah'),
        encr,
        integ: u16,
        ke: u16,
        esn: flag,
      },
      { requiredKeys: ['protocol', 'esn'] },
    ),
    inboundSpi: childSpi,
    outboundSpi: childSpi,
    local: fc.array(selector, { maxLength: 2 }),
    remote: fc.array(selector, { maxLength: 2 }),
    initiator: flag,
    phase: fc.constantFrom('installed', 'replaced', 'deleting'),
    outboundInUse: flag,
    replaces: childSpi,
    expiresAtMs: time,
    inbound: direction,
    outbound: direction,
  },
  {
    requiredKeys: [
      'childId',
      'generation',
      'name',
      'protocol',
      'mode',
      'suite',
      'inboundSpi',
      'outboundSpi',
      'local',
      'remote',
      'initiator',
      'phase',
      'outboundInUse',
      'inbound',
      'outbound',
    ],
  },
);

const fields = {
  connection: name,
  role: fc.constantFrom('initiator', 'responder'),
  spis: record({ initiator: spi, responder: spi }),
  local: endpoint,
  remote: endpoint,
  nat: record({ supported: flag, local: flag, remote: flag }),
  localIdentity: identity,
  remoteIdentity: identity,
  suite: record(
    { encr, prf: u16, integ: fc.integer({ min: 1, max: 0xffff }), ke: u16 },
    { requiredKeys: ['encr', 'prf', 'ke'] },
  ),
  keys: record({
    skD: octets,
    skAi: octets,
    skAr: octets,
    skEi: octets,
    skEr: octets,
    skPi: octets,
    skPr: octets,
  }),
  nextIv: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  nextRequestId: u32,
  requestWindow: u8,
  requests: fc.array(record({ messageId: u32, exchangeType: u8, datagrams, purpose }), { maxLength: 3 }),
  expectedRequestId: u32,
  responseWindow: u8,
  answers: fc.array(record({ messageId: u32, datagrams }), { maxLength: 3 }),
  highestSyncedId: fc.integer({ min: -1, max: 0xffff_fffe }),
  peer: record({ fragmentation: flag, childless: flag, tickets: flag, messageIdSync: flag }),
  client: flag,
  ticketGiven: flag,
  virtualAddresses: fc.array(ipAddress, { maxLength: 2 }),
  peerVirtualAddresses: fc.array(ipAddress, { maxLength: 2 }),
  establishedAtMs: time,
  children: fc.array(child, { maxLength: 3 }),
};

const snapshots = record(
  {
    ...fields,
    mobility: record(
      {
        peerAddresses: fc.array(ipAddress, { maxLength: 3 }),
        pending: flag,
        proven: record({
          local: endpoint,
          remote: endpoint,
          nat: record({ supported: flag, local: flag, remote: flag }),
        }),
      },
      { requiredKeys: ['peerAddresses', 'pending'] },
    ),
    clientMethod: u8,
    lease: record({
      addresses: fc.array(ipAddress, { maxLength: 2 }),
      dns: fc.array(ipAddress, { maxLength: 2 }),
      attributes: fc.array(record({ type: u16, value: octets }), { maxLength: 2 }),
    }),
    rekeyAtMs: time,
    reauthAtMs: time,
    expiresAtMs: time,
    successor: spi,
    remoteEapIdentity: identity,
    clientCredential: octets,
  },
  { requiredKeys: Object.keys(fields) as (keyof typeof fields)[] },
) as unknown as fc.Arbitrary<IkeSaSnapshot>;

function decodes(input: Uint8Array): boolean {
  try {
    decodeIkeSaSnapshot(input);
    return true;
  } catch (error) {
    assert.ok(error instanceof WireError, `${error}`);
    return false;
  }
}

/** A snapshot of a living IKE SA, with an answer and a request in it. */
function living(): IkeSaSnapshot {
  const two = new Pair({ sun: { checkpoints: true } }).establish();
  two.moon.command({ kind: 'check-liveness', reason: 'test' });
  two.settle();
  two.sun.command({ kind: 'check-liveness', reason: 'test' });
  const snapshot = two.sun.sa.snapshot(two.now);
  assert.ok(snapshot);
  assert.ok(snapshot.requests.length === 1 && snapshot.answers.length > 0 && snapshot.children.length === 1);
  return snapshot;
}

/** A snapshot of one that was replaced a moment ago. */
function replaced(): IkeSaSnapshot {
  const two = new Pair({ sun: { checkpoints: true } }).establish();
  const former = two.sun.sa;
  two.moon.command({ kind: 'rekey-ike' });
  two.deliver(two.sun);
  const snapshot = former.snapshot(two.now);
  assert.ok(snapshot?.successor !== undefined && snapshot.answers.length > 0);
  return snapshot;
}

test('every snapshot comes back as it was', () => {
  fc.assert(
    fc.property(snapshots, (snapshot) => {
      assert.deepEqual(decodeIkeSaSnapshot(encodeIkeSaSnapshot(snapshot)), snapshot);
    }),
  );
  for (const make of [living, replaced]) {
    assert.deepEqual(decodeIkeSaSnapshot(encodeIkeSaSnapshot(make())), make());
  }
});

test('no part of a snapshot is a snapshot, wherever it is cut', () => {
  for (const make of [living, replaced]) {
    const whole = encodeIkeSaSnapshot(make());
    for (let length = 0; length < whole.length; length++) {
      assert.equal(decodes(whole.slice(0, length)), false, `${length} of ${whole.length} octets`);
    }
    assert.equal(decodes(Uint8Array.of(...whole, 0)), false);
  }
});

test('whatever the octets are, they are a snapshot or a WireError', () => {
  const change = record({ at: fc.nat(), value: u8 });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), (input) => void decodes(input)));
  const whole = encodeIkeSaSnapshot(living());
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const changed = whole.slice();
      for (const { at, value } of changes) changed[at % changed.length] = value;
      decodes(changed);
    }),
    { numRuns: 500 },
  );
});

test('another version is refused', () => {
  const whole = encodeIkeSaSnapshot(living());
  whole[0] = 6;
  assert.throws(() => decodeIkeSaSnapshot(whole), { code: 'version' });
});

test('what earlier versions kept is good: of MOBIKE, of what was replaced, of users of EAP and of what tickets rest on they knew nothing', () => {
  const snapshot = living();
  const whole = encodeIkeSaSnapshot(snapshot);
  for (const [version, lacks] of [
    [1, 4],
    [2, 3],
    [3, 2],
    [4, 1],
  ] as const) {
    const former = whole.slice(0, -lacks);
    former[0] = version;
    assert.deepEqual(decodeIkeSaSnapshot(former), snapshot);
    assert.equal(decodes(Uint8Array.of(...former, 0)), false);
  }
});

test('wiping leaves no key, and takes none of the living IKE SA with it', () => {
  const two = new Pair({ moon: { checkpoints: true } }).establish();
  const snapshot = two.moon.sa.snapshot(two.now)!;
  const [pair] = snapshot.children;
  const keys = [
    ...Object.values(snapshot.keys),
    pair!.inbound.keys.encryption!.key,
    pair!.outbound.keys.encryption!.key,
  ];
  assert.ok(keys.some((key) => key.some((octet: number) => octet !== 0)));
  wipeIkeSaSnapshot(snapshot);
  for (const key of keys) assert.ok(key.every((octet: number) => octet === 0));
  two.moon.command({ kind: 'check-liveness', reason: 'test' });
  two.settle();
  assert.equal(two.moon.eventsOf('liveness-confirmed').length, 1);
  const again = two.moon.sa.snapshot(two.now)!;
  assert.ok(again.children[0]!.outbound.keys.encryption!.key.some((octet) => octet !== 0));
});
