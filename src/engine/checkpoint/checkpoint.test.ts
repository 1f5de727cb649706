// A host that starts again goes on with its IKE SAs, or refuses them whole, and never says anything that it could forget.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type Spi } from '#sa';
import { ExchangeType } from '#wire';
import type { UnknownSpiConfiguration } from '../configuration.ts';
import type { EngineEvent } from '../interface.ts';
import { connection, sharedSecret } from '../testing/connections.ts';
import {
  type EngineHost,
  EnginePair,
  engineConfiguration,
  type HostOptions,
} from '../testing/engine-pair.ts';
import type { CheckpointOptions } from './checkpoint.ts';
import { checkpointIndexKey, isCheckpointRecord } from './checkpoint-records.ts';

const recordKey = new Uint8Array(32).fill(9);
const options: CheckpointOptions = {
  bootId: 'boot 1',
  place: 'place 1',
  acrossBoot: false,
  maxAgeMs: 60_000,
};

/** Both keep checkpoints; the tunnel stands. */
function standing(unknownSpi: Partial<UnknownSpiConfiguration> = { quickCrashDetection: false }): EnginePair {
  const host = (name: 'moon' | 'sun'): HostOptions => ({
    address: name === 'moon' ? '192.0.2.1' : '192.0.2.2',
    configuration: {
      ...engineConfiguration(connection(name), sharedSecret('correct horse battery staple')),
      unknownSpi,
    },
    recordKey,
    checkpoint: options,
  });
  const pair = new EnginePair(host('moon'), host('sun'));
  pair.moon.command({ kind: 'initiate', connection: 'gateway' });
  pair.settle();
  assert.deepEqual(pair.moon.results, [{ ok: true, count: 1 }]);
  forget(pair);
  return pair;
}

function forget(pair: EnginePair): void {
  pair.exchanges.length = 0;
  for (const host of [pair.moon, pair.sun]) {
    host.events.length = 0;
    host.commands.length = 0;
  }
}

function kinds(host: EngineHost, kind: EngineEvent['kind']): EngineEvent[] {
  return host.events.filter((event) => event.kind === kind);
}

function assertNoInit({ exchanges }: EnginePair): void {
  assert.ok(!exchanges.includes(ExchangeType.IKE_SA_INIT), 'a new IKE SA was begun');
}

function refusals(host: EngineHost): string[] {
  return host.events.flatMap((event) => (event.kind === 'checkpoint-refused' ? [event.reason] : []));
}

function inboundSpis(host: EngineHost): number[] {
  return host.engine.status().ikeSas.flatMap(({ children }) => children.map(({ inboundSpi }) => inboundSpi));
}

function checkpointRecords(host: EngineHost): string[] {
  return [...host.disk]
    .filter(([key, octets]) => isCheckpointRecord(key) && octets.length > 0)
    .map(([key]) => key);
}

function saRecord(host: EngineHost): string {
  const [key] = checkpointRecords(host).filter((one) => one !== checkpointIndexKey);
  assert.ok(key);
  return key;
}

for (const name of ['moon', 'sun'] as const) {
  test(`given that ${name} starts again, it goes on in the same IKE SA and rekeys it, and nobody begins a new one`, () => {
    const pair = standing();
    const host = pair[name];
    const before = inboundSpis(host);
    host.crash();
    assert.deepEqual(inboundSpis(host), before);
    assert.equal(kinds(host, 'checkpoint-adopted').length, 1);
    assert.equal(kinds(host, 'child-up').length, 1);
    pair.run(2_000);
    assert.deepEqual([...new Set(pair.exchanges)].sort(), [
      ExchangeType.CREATE_CHILD_SA,
      ExchangeType.INFORMATIONAL,
    ]);
    assert.notDeepEqual(inboundSpis(host), before);
    assert.equal(inboundSpis(host).length, 1);
    assert.deepEqual(kinds(host, 'recovery'), []);
    for (const one of [pair.moon, pair.sun]) {
      assert.deepEqual(
        one.engine.status().ikeSas.map(({ phase }) => phase),
        ['established'],
      );
    }
    // What it knows of SPIs goes on too.
    const [spi] = inboundSpis(host);
    assert.equal(host.engine.why(spi!).owner?.ended, undefined);
    host.crash();
    assert.equal(kinds(host, 'checkpoint-adopted').length, 2);
  });
}

test('both ends start again at once, and go on', () => {
  const pair = standing();
  pair.moon.crash();
  pair.sun.crash();
  pair.run(5_000);
  assertNoInit(pair);
  assert.deepEqual([inboundSpis(pair.moon).length, inboundSpis(pair.sun).length], [1, 1]);
});

test('no message of an IKE SA leaves before the state behind it is durable', () => {
  const pair = standing();
  const { moon } = pair;
  moon.holdStores = true;
  moon.command({ kind: 'rekey', child: 'net' });
  assert.deepEqual(moon.sent, []);
  // From here nobody could go on: the private key of the exchange is not kept.
  const held = moon.heldStores.find(({ key }) => key.startsWith('checkpoint-sa/'));
  assert.equal(held?.octets.length, 0);
  moon.releaseStores();
  assert.equal(moon.sent.length, 1);
  pair.settle();
  assert.equal(inboundSpis(moon).length, 1);
});

test('an answer waits too, and is the same after a crash that came before it could leave', () => {
  const pair = standing({ quickCrashDetection: false, parallelAttempts: false });
  const { moon, sun } = pair;
  sun.holdStores = true;
  moon.command({ kind: 'rekey', child: 'net' });
  pair.settle();
  assert.deepEqual(sun.sent, []);
  // Lost: sun goes on from before the request, and answers when moon repeats it.
  sun.holdStores = false;
  sun.crash();
  pair.run(5_000);
  assertNoInit(pair);
  assert.equal(inboundSpis(moon).length, 1);
  assert.equal(inboundSpis(sun).length, 1);
});

/**
 * Moon rekeys the IKE SA. Sun dies before its answer leaves, with so many of the writes done that the answer waits for.
 * @returns the writes that there were to do
 */
function dieBeforeAnswering(pair: EnginePair, done: number): readonly string[] {
  const { moon, sun } = pair;
  sun.holdStores = true;
  moon.command({ kind: 'rekey' });
  pair.settle();
  assert.deepEqual(sun.sent, []);
  const writes = sun.heldStores.splice(0).filter(({ key }) => isCheckpointRecord(key));
  for (const { key, octets } of writes.slice(0, done)) sun.disk.set(key, octets);
  sun.holdStores = false;
  sun.crash();
  return writes.map(({ key }) => key);
}

// RFC 7296 2.1, 2.8
test('a rekeying of the IKE SA that is under way outlives its responder, whichever write was its last', () => {
  const writes = dieBeforeAnswering(standing(), 0).length;
  assert.equal(writes, 3, 'the new IKE SA, the one before, the index');
  for (let done = 0; done <= writes; done++) {
    const pair = standing({ quickCrashDetection: false, parallelAttempts: false });
    const { moon, sun } = pair;
    dieBeforeAnswering(pair, done);
    const message = `${done} writes`;
    assert.deepEqual(refusals(sun), [], message);
    assert.equal(kinds(sun, 'checkpoint-adopted').length, 1, message);
    // Long enough for moon to ask again, and for a request of sun to find nobody.
    pair.run(20_000);
    assertNoInit(pair);
    assert.deepEqual(kinds(sun, 'unknown-ike-message'), [], message);
    for (const host of [moon, sun]) {
      assert.equal(inboundSpis(host).length, 1, message);
      assert.equal(host.engine.status().ikeSas.length, 1, message);
    }
    assert.equal(saRecord(sun).length > 0 && checkpointRecords(sun).length, 2, message);
  }
});

test('records of an IKE SA that was replaced, and of what replaced it, are as old as any others later on', () => {
  const pair = standing({ quickCrashDetection: false, parallelAttempts: false });
  const { sun } = pair;
  dieBeforeAnswering(pair, 2);
  const early = new Map(sun.disk);
  pair.run(20_000);
  for (const key of early.keys()) {
    if (key !== checkpointIndexKey && isCheckpointRecord(key)) sun.disk.set(key, early.get(key)!);
  }
  const ikeSas = (): string[] => sun.engine.status().ikeSas.map(({ initiatorSpi }) => initiatorSpi);
  const [now, ...none] = ikeSas();
  assert.deepEqual(none, []);
  sun.crash();
  assert.deepEqual(ikeSas(), [now]);
  pair.run(20_000);
  assertNoInit(pair);
});

test('while the disk hangs, requests that are repeated without end are not answered without end', () => {
  const { moon, sun } = standing();
  sun.command({ kind: 'rekey', child: 'net' });
  const [request] = sun.sent.splice(0);
  assert.ok(request);
  moon.holdStores = true;
  for (let count = 0; count < 3_000; count++) {
    const { local, remote, octets } = request;
    moon.input({ kind: 'datagram', local: remote, remote: local, octets });
  }
  assert.deepEqual(moon.sent, []);
  moon.releaseStores();
  assert.equal(moon.sent.length, 65);
});

test('more sequence numbers are granted only when a restart would know of them', () => {
  const { moon } = standing();
  const [sa] = moon.engine.status().ikeSas;
  const [child] = sa!.children;
  moon.holdStores = true;
  moon.input({
    kind: 'data-plane',
    event: {
      kind: 'reservation-low',
      protocol: 'esp',
      direction: 'outbound',
      spi: child!.outboundSpi,
      childId: child!.childId,
      last: { high: 0, low: 40_000 },
    },
  });
  assert.deepEqual(moon.commands, []);
  assert.ok(moon.heldStores.some(({ key, octets }) => key.startsWith('checkpoint-sa/') && octets.length > 0));
  moon.releaseStores();
  assert.deepEqual(
    moon.commands.map(({ kind }) => kind),
    ['extend-reservation'],
  );
});

test('what the former process had received is taken from its marks, and is not more than it could be', () => {
  const pair = standing();
  const { moon } = pair;
  const [inbound] = inboundSpis(moon);
  moon.checkpoint = { ...options, received: new Map([[inbound!, { high: 0, low: 3 }]]) };
  moon.crash();
  pair.settle();
  const installs = moon.commands.flatMap((command) => (command.kind === 'install' ? [command.sa] : []));
  const taken = installs.filter(({ reservation }) => reservation?.last.low !== 0);
  assert.deepEqual(
    taken.map(({ direction, reservation }) => [direction, reservation?.last.low]),
    [
      ['inbound', 3],
      ['outbound', 65_536],
    ],
  );
});

test('after a restart nothing is sent, carried or answered before the old checkpoint is consumed', () => {
  const pair = standing();
  const { moon } = pair;
  moon.holdStores = true;
  moon.crash();
  pair.run(1_000);
  assert.deepEqual(pair.exchanges, []);
  const installs = moon.commands.filter((command) => command.kind === 'install');
  assert.equal(installs.length, 2);
  for (const { sa } of installs) assert.deepEqual(sa.reservation?.last, sa.reservation?.limit);
  assert.ok(!moon.commands.some(({ kind }) => kind === 'extend-reservation'));
  moon.input({
    kind: 'data-plane',
    event: {
      kind: 'unknown-spi',
      evidence: {
        protocol: 'esp',
        spi: 0x1234_5678 as Spi,
        source: { address: address('192.0.2.2'), port: 0 },
        destination: { address: address('192.0.2.1'), port: 0 },
        encapsulated: false,
        lengthBytes: 100,
        count: 1,
        mergedBytes: 100,
      },
    },
  });
  assert.deepEqual(moon.sent, []);
  assert.equal(kinds(moon, 'unknown-spi').length, 1);
  const [event] = kinds(moon, 'unknown-spi') as Extract<EngineEvent, { kind: 'unknown-spi' }>[];
  assert.equal(event?.verdict.reason, 'not-ready');
  moon.releaseStores();
  assert.equal(moon.commands.filter(({ kind }) => kind === 'extend-reservation').length, 2);
  pair.run(2_000);
  assert.equal(inboundSpis(moon).length, 1);
  assertNoInit(pair);
});

const reasons: readonly {
  readonly reason: string;
  readonly change: (host: EngineHost, before: ReadonlyMap<string, Uint8Array>) => void;
}[] = [
  {
    reason: 'another-boot',
    change: (host) => {
      host.checkpoint = { ...options, bootId: 'boot 2' };
    },
  },
  {
    reason: 'another-place',
    change: (host) => {
      host.checkpoint = { ...options, place: 'place 2' };
    },
  },
  {
    reason: 'stale',
    change: (host) => {
      host.now += options.maxAgeMs + 1;
    },
  },
  {
    reason: 'disabled',
    change: (host) => {
      host.checkpoint = undefined;
    },
  },
  {
    reason: 'unreadable',
    change: (host) => {
      host.recordKey = new Uint8Array(32).fill(8);
    },
  },
  {
    reason: 'unreadable',
    change: (host) => void host.disk.set(checkpointIndexKey, host.disk.get(checkpointIndexKey)!.slice(0, 40)),
  },
  {
    reason: 'unreadable',
    change: (host) => void host.disk.set(saRecord(host), host.disk.get(saRecord(host))!.slice(0, 200)),
  },
  { reason: 'unreadable', change: (host) => void host.disk.delete(saRecord(host)) },
  {
    reason: 'superseded',
    change: (host, before) => void host.disk.set(saRecord(host), before.get(saRecord(host))!),
  },
  {
    reason: 'not-configured',
    change: (host) => {
      host.configuration = { ...host.configuration, connections: [connection('moon', { children: [] })] };
    },
  },
];

for (const [index, { reason, change }] of reasons.entries()) {
  test(`a checkpoint that is ${reason} (${index}) is refused, and nothing of it stays`, () => {
    const pair = standing();
    const { moon } = pair;
    const before = new Map(moon.disk);
    pair.sun.command({ kind: 'rekey', connection: 'gateway', child: 'net' });
    pair.settle();
    change(moon, before);
    pair.sun.now = moon.now;
    moon.crash();
    assert.deepEqual(refusals(moon), [reason]);
    assert.deepEqual(kinds(moon, 'checkpoint-adopted'), []);
    assert.deepEqual(
      checkpointRecords(moon).filter((key) => key !== checkpointIndexKey),
      [],
    );
    assert.ok(
      !moon.commands.some((command) => command.kind === 'install' && command.sa.reservation?.last.low !== 0),
    );
    // Rung 2: whom the history names is called.
    pair.run(2_000);
    if (reason !== 'not-configured' && index !== 4) assert.equal(inboundSpis(moon).length, 1);
    const again = refusals(moon).length;
    moon.crash();
    assert.equal(refusals(moon).length, again, 'what was refused once is not found again');
  });
}

test('a checkpoint of another boot is used only if both the process that wrote it and the one that finds it are asked to', () => {
  for (const [wrote, finds, adopted] of [
    [true, true, 1],
    [false, true, 0],
    [true, false, 0],
  ] as const) {
    const pair = standing();
    const { moon } = pair;
    // From now on it is written by a process that does, or does not, flush the disk each time.
    moon.checkpoint = { ...options, acrossBoot: wrote };
    moon.crash();
    pair.run(300);
    forget(pair);
    moon.checkpoint = { ...options, bootId: 'boot 2', acrossBoot: finds };
    moon.crash();
    assert.equal(kinds(moon, 'checkpoint-adopted').length, adopted);
    assert.deepEqual(refusals(moon), adopted === 1 ? [] : ['another-boot']);
  }
});

test('an idle host confirms its checkpoint, so that it is not taken for a stale one', () => {
  const pair = standing();
  pair.run(10 * options.maxAgeMs);
  pair.moon.crash();
  assert.equal(kinds(pair.moon, 'checkpoint-adopted').length, 1);
});

test('an IKE SA that ended leaves no record, not even one that could be put back', () => {
  const pair = standing();
  const { moon } = pair;
  const before = new Map(moon.disk);
  moon.command({ kind: 'terminate', connection: 'gateway' });
  pair.settle();
  assert.deepEqual(checkpointRecords(moon), [checkpointIndexKey]);
  const [key] = [...before.keys()].filter((one) => one.startsWith('checkpoint-sa/'));
  moon.disk.set(key!, before.get(key!)!);
  moon.crash();
  assert.deepEqual(kinds(moon, 'checkpoint-adopted'), []);
  assert.deepEqual(checkpointRecords(moon), [checkpointIndexKey]);
});

test('a record from before a time without one is older than any record after it', () => {
  const pair = standing();
  const { moon } = pair;
  const key = saRecord(moon);
  const old = moon.disk.get(key)!;
  for (let round = 0; round < 3; round++) {
    moon.command({ kind: 'rekey', child: 'net' });
    pair.settle();
  }
  assert.equal(saRecord(moon), key);
  moon.disk.set(key, old);
  moon.crash();
  assert.deepEqual(refusals(moon), ['superseded']);
});

test('what one process has gone on with is the past for any other', () => {
  const pair = standing();
  const { moon } = pair;
  const copy = new Map(moon.disk);
  const key = saRecord(moon);
  moon.crash();
  // While the first one rekeys there is no record, and afterwards a newer one.
  moon.disk.set(key, copy.get(key)!);
  moon.crash();
  assert.deepEqual(kinds(moon, 'checkpoint-adopted').length, 1);
  pair.run(2_000);
  const again = new Map(moon.disk);
  const next = saRecord(moon);
  moon.crash();
  assert.equal(kinds(moon, 'checkpoint-adopted').length, 2);
  pair.settle();
  moon.disk.set(next, again.get(next)!);
  moon.crash();
  assert.deepEqual(refusals(moon), ['superseded']);
});

test('the tokens of a peer outlive our restart: we believe it when it forgets everything (RFC 6290 5.3)', () => {
  const pair = standing({});
  const { moon, sun } = pair;
  moon.crash();
  assert.equal(moon.sent.length, 1);
  for (const key of checkpointRecords(sun)) sun.disk.delete(key);
  sun.crash();
  pair.settle();
  const hints = moon.events.flatMap((event) => (event.kind === 'hint' ? [event.outcome] : []));
  assert.deepEqual(hints, ['proven']);
});

test('without a key there is no checkpoint', () => {
  const { moon } = standing();
  moon.recordKey = undefined;
  assert.throws(() => moon.crash(), /under a key/);
});
