import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { handOverHeaderBytes, PacketRing } from './packet-ring.ts';
import type { RingEnd, RingReport } from './testing/ring-end.ts';

const packetBytesMax = 65_535;
/** Where the counters are: all else is records. */
const countersBytes = 128;

function freshMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(PacketRing.bytes);
}

/** All octets differ from zero, and from one seed to the next. */
function octetsOf(seed: number, lengthBytes: number): Uint8Array {
  return new Uint8Array(lengthBytes).fill(1 + (seed % 255));
}

function push(ring: PacketRing, seed: number, lengthBytes: number): boolean {
  // The packet lies somewhere among others.
  const around = new Uint8Array(lengthBytes + 20).fill(0xee);
  around.set(octetsOf(seed, lengthBytes), 7);
  return ring.push(octetsOf(seed + 1, handOverHeaderBytes), around, 7, lengthBytes);
}

interface Taken {
  readonly header: Buffer;
  readonly packet: Buffer;
}

function take(ring: PacketRing, countMax: number): Taken[] {
  const taken: Taken[] = [];
  const count = ring.take(countMax, (octets, headerAt, packetAt, lengthBytes) => {
    taken.push({
      header: Buffer.from(octets.slice(headerAt, headerAt + handOverHeaderBytes)),
      packet: Buffer.from(octets.slice(packetAt, packetAt + lengthBytes)),
    });
  });
  assert.equal(count, taken.length);
  return taken;
}

function assertTaken(
  taken: readonly Taken[],
  pushed: readonly (readonly [seed: number, length: number])[],
): void {
  assert.equal(taken.length, pushed.length);
  for (const [i, [seed, length]] of pushed.entries()) {
    assert.ok(taken[i]!.header.equals(octetsOf(seed + 1, handOverHeaderBytes)));
    assert.ok(taken[i]!.packet.equals(octetsOf(seed, length)));
  }
}

/** Whether nothing of a packet is left. */
function isWiped(memory: SharedArrayBuffer): boolean {
  return new BigUint64Array(memory, countersBytes).every((word) => word === 0n);
}

const lengthBytes = fc.oneof(
  fc.integer({ min: 0, max: 64 }),
  fc.integer({ min: 0, max: 1500 }),
  fc.integer({ min: 0, max: packetBytesMax }),
);

test('a ring gives what it was given, in order, whoever takes the place of either side meanwhile', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ what: fc.constant('push' as const), lengths: fc.array(lengthBytes) }),
    },
    { weight: 4, arbitrary: fc.record({ what: fc.constant('take' as const), count: fc.nat(12) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('other producer' as const) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('other consumer' as const) }) },
  );
  let refused = 0;
  fc.assert(
    fc.property(fc.integer(), fc.array(step, { minLength: 20, maxLength: 60 }), (from, steps) => {
      const memory = freshMemory();
      // As after many packets: the counters wrap sooner or later.
      new Int32Array(memory, 0, countersBytes / 4).fill(from);
      let producer = new PacketRing(memory);
      let consumer = new PacketRing(memory);
      const waiting: [seed: number, length: number][] = [];
      let seed = 0;
      for (const one of steps) {
        if (one.what === 'other producer') producer = new PacketRing(memory);
        if (one.what === 'other consumer') consumer = new PacketRing(memory);
        if (one.what === 'take') assertTaken(take(consumer, one.count), waiting.splice(0, one.count));
        for (const length of one.what === 'push' ? one.lengths : []) {
          if (push(producer, ++seed, length)) {
            waiting.push([seed, length]);
            continue;
          }
          refused++;
          const used = waiting.reduce((sum, [, bytes]) => sum + bytes + 64, 0);
          // At the end of the memory, nearly as much as the largest record may be left out.
          const leftOut = packetBytesMax + 64;
          assert.ok(used + leftOut + length + 64 > PacketRing.bytes - countersBytes, 'there was room');
        }
        assert.equal(consumer.isEmpty, waiting.length === 0);
        assert.equal(producer.isEmpty, waiting.length === 0);
      }
      assertTaken(take(consumer, Number.POSITIVE_INFINITY), waiting);
      assert.ok(isWiped(memory));
    }),
    {
      numRuns: 60,
      examples: [-1, 0x7fff_ffff].map(
        (from): [number, ({ what: 'push'; lengths: number[] } | { what: 'take'; count: number })[]] => [
          from,
          [12, 20, 3, 30].flatMap((count) => [
            { what: 'push' as const, lengths: Array.from({ length: count }, () => packetBytesMax) },
            { what: 'take' as const, count },
          ]),
        ],
      ),
    },
  );
  assert.ok(refused > 0, 'no ring was ever full');
});

test('the largest packet finds room in an empty ring, wherever the last one ended', () => {
  const memory = freshMemory();
  const ring = new PacketRing(memory);
  for (let seed = 0; seed < 200; seed++) {
    assert.ok(push(ring, seed, packetBytesMax));
    assertTaken(take(ring, 1), [[seed, packetBytesMax]]);
  }
  assert.ok(isWiped(memory));
});

test('a packet for which there is no room leaves no trace', () => {
  const memory = freshMemory();
  const ring = new PacketRing(memory);
  let seed = 0;
  while (push(ring, seed, 1500)) seed++;
  const before = Buffer.from(new Uint8Array(memory).slice());
  assert.equal(push(ring, seed, 1500), false);
  assert.equal(push(ring, seed, packetBytesMax), false);
  assert.ok(Buffer.from(new Uint8Array(memory)).equals(before));
  assertTaken(take(ring, 1), [[0, 1500]]);
  assert.ok(push(ring, seed, 1500));
  assert.throws(
    () => ring.push(new Uint8Array(handOverHeaderBytes + 1), new Uint8Array(9), 0, 9),
    RangeError,
  );
});

test('given a consumer that throws, its record is gone and wiped, and the next one is taken after it', () => {
  const memory = freshMemory();
  const ring = new PacketRing(memory);
  push(ring, 1, 100);
  push(ring, 2, 200);
  assert.throws(
    () =>
      ring.take(5, () => {
        throw new Error('an octet that nobody expected');
      }),
    /nobody expected/,
  );
  assertTaken(take(ring, 5), [[2, 200]]);
  assert.ok(isWiped(memory));
});

test('given a consumer that died with a packet, the next one gets those after it', () => {
  const memory = freshMemory();
  const ring = new PacketRing(memory);
  for (const seed of [1, 2, 3]) push(ring, seed, 100);
  // Of a thread that is ended, nothing more runs: what it had begun with lies there as it was.
  const asOfDeath = new SharedArrayBuffer(PacketRing.bytes);
  ring.take(1, () => new Uint8Array(asOfDeath).set(new Uint8Array(memory)));
  const next = new PacketRing(asOfDeath);
  assertTaken(take(next, 5), [
    [2, 100],
    [3, 100],
  ]);
  assert.ok(isWiped(asOfDeath));
});

test('given a consumer that died when it had wiped a packet, the next one gets those after it', () => {
  const memory = freshMemory();
  const ring = new PacketRing(memory);
  for (const seed of [1, 2, 3]) push(ring, seed, 100);
  const head = new Int32Array(memory, 0, 1);
  ring.take(1, () => undefined);
  // As it was before the last thing that it did.
  head[0] = 0;
  assertTaken(take(new PacketRing(memory), 5), [
    [2, 100],
    [3, 100],
  ]);
  assert.ok(isWiped(memory));
});

test('given a producer that died with a packet half copied, nothing is left of it when the next one has begun', () => {
  for (const before of [0, 700, 7]) {
    const memory = freshMemory();
    const ring = new PacketRing(memory);
    for (let seed = 0; seed < before; seed++) push(ring, seed, 1400);
    take(ring, before - 1);
    const counters = Buffer.from(new Uint8Array(memory, 0, countersBytes).slice());
    push(ring, 9, 50_000);
    push(ring, 9, 50_000);
    new Uint8Array(memory).set(counters);
    const next = new PacketRing(memory);
    assert.ok(push(next, 10, 20));
    take(next, 5);
    assert.ok(isWiped(memory));
  }
});

test('given memory in which anything may stand, taking ends, stays within it, and the ring is good again', () => {
  const word = fc.oneof(
    fc.integer(),
    fc.integer({ min: -20, max: 20 }),
    // A record's marks.
    fc.integer({ min: 0x5752_4e00, max: 0x5752_4e03 }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(0, 1, 16), word), { maxLength: 3 }),
      fc.array(lengthBytes, { maxLength: 10 }),
      fc.array(fc.tuple(fc.nat(40), word), { maxLength: 10 }),
      (counters, lengths, words) => {
        const memory = freshMemory();
        const ring = new PacketRing(memory);
        for (const [seed, length] of lengths.entries()) push(ring, seed, length);
        const head = new Int32Array(memory, 0, countersBytes / 4);
        for (const [at, value] of counters) head[at] = value;
        const records = new Int32Array(memory, countersBytes);
        for (const [at, value] of words) records[at] = value;
        for (let i = 0; i < 3; i++) {
          ring.take(Number.POSITIVE_INFINITY, (octets, headerAt, packetAt, length) => {
            assert.ok(headerAt >= countersBytes && packetAt === headerAt + handOverHeaderBytes);
            assert.ok(packetAt + length <= octets.length);
          });
        }
        assert.ok(ring.isEmpty);
        const fresh = new PacketRing(memory);
        assert.ok(push(fresh, 3, packetBytesMax));
        assertTaken(take(fresh, 2), [[3, packetBytesMax]]);
        assert.ok(isWiped(memory));
      },
    ),
    { numRuns: 300 },
  );
});

/** Threads at both ends of a ring; each may take the place of the one before it. */
class RingEnds {
  readonly memory = freshMemory();
  readonly #progress = new Int32Array(new SharedArrayBuffer(8));
  readonly #count: number;
  readonly #workers = new Map<RingEnd['side'], Worker>();
  readonly #reports = new Map<RingEnd['side'], RingReport>();
  #failure: unknown;

  constructor(count: number) {
    this.#count = count;
    for (const side of ['consumer', 'producer'] as const) this.#start(side);
  }

  #start(side: RingEnd['side']): void {
    const { memory } = this;
    const end: RingEnd = {
      ...{ side, memory, progress: this.#progress.buffer as SharedArrayBuffer, count: this.#count },
      from: Atomics.load(this.#progress, side === 'consumer' ? 0 : 1),
    };
    const worker = new Worker(new URL('./testing/ring-end.js', import.meta.url), { workerData: end });
    worker.once('message', (report: RingReport) => this.#reports.set(side, report));
    worker.once('error', (error) => {
      this.#failure = error;
    });
    this.#workers.set(side, worker);
  }

  async replace(side: RingEnd['side']): Promise<void> {
    await this.#workers.get(side)?.terminate();
    this.#start(side);
  }

  /** Until so many packets were taken. */
  async taken(count: number): Promise<void> {
    await this.#until(() => Atomics.load(this.#progress, 0) >= count);
  }

  /** What the consumer says when both are through. */
  async report(): Promise<RingReport | undefined> {
    await this.#until(() => this.#reports.size === 2);
    return this.#reports.get('consumer');
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#failure !== undefined) throw this.#failure;
      await setTimeout(1);
    }
  }

  async end(): Promise<void> {
    for (const worker of this.#workers.values()) await worker.terminate();
  }
}

test('two hundred thousand packets of all sizes pass from one thread to another', async () => {
  const count = 200_000;
  const ends = new RingEnds(count);
  try {
    assert.deepEqual(await ends.report(), { packets: count, missing: 0 });
    assert.ok(isWiped(ends.memory));
  } finally {
    await ends.end();
  }
});

test('threads at both ends die in the midst of it and are replaced: one packet each is lost at most', async () => {
  const count = 200_000;
  const deaths = 6;
  const ends = new RingEnds(count);
  try {
    for (let death = 1; death <= deaths; death++) {
      await ends.taken((death * count) / (deaths + 2));
      await ends.replace(death % 2 === 0 ? 'producer' : 'consumer');
    }
    const missing = (await ends.report())?.missing ?? Number.NaN;
    assert.ok(missing <= deaths / 2, `${missing} packets are missing`);
    assert.ok(isWiped(ends.memory));
  } finally {
    await ends.end();
  }
});
