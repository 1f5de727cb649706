// An Internet scanner that has lost its mind: random ESP, AH and IKE from random sources to one IPv4 address.
// Runs as a process: `packet-flood.js DESTINATION RATE SECONDS SEED [KIND]`, prints what it sent as one line of JSON. Needs
// root.
import { address, addressBytes } from '#sa';
import { AF_INET, SO_SNDBUF, SOCK_RAW, SOL_SOCKET } from '../libc/constants.ts';
import { attempt, must, packetCalls, pinned } from '../libc/libc.ts';
import { memoryAddress } from '../memory/memory-address.ts';
import { MessageVector } from '../sockets/message-vector.ts';
import { writeSocketAddress } from '../sockets/socket-address.ts';

/** The kernel sends what it is given, IP header and all. */
const rawProtocol = 255;
const batchMax = 64;
const strideBytes = 512;
const ipHeaderBytes = 20;

/** What was sent, by what it is. */
export interface FloodReport {
  readonly seconds: number;
  readonly sent: Readonly<Record<FloodKind, number>>;
  /** Packets that the kernel refused to send. */
  readonly refused: number;
}

export type FloodKind = 'esp' | 'esp-in-udp' | 'ah' | 'ike' | 'ike-behind-marker';

/** Of a hundred packets. */
const shares: Readonly<Record<FloodKind, number>> = {
  esp: 35,
  'esp-in-udp': 10,
  ah: 20,
  ike: 25,
  'ike-behind-marker': 10,
};

const kinds = Object.keys(shares) as FloodKind[];
const kindOfPercent: readonly FloodKind[] = kinds.flatMap((kind) =>
  Array<FloodKind>(shares[kind]).fill(kind),
);

/** Numbers that look random, quickly (xorshift32). */
class Numbers {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }
}

class PacketWriter {
  readonly #numbers: Numbers;
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  readonly #destination: Uint8Array;

  readonly #only: FloodKind | undefined;

  constructor(octets: Uint8Array, destination: string, seed: number, only: FloodKind | undefined) {
    this.#only = only;
    this.#octets = octets;
    this.#view = new DataView(octets.buffer);
    this.#destination = addressBytes(address(destination));
    this.#numbers = new Numbers(seed);
  }

  /** Writes one packet at `at`; its length and kind. */
  write(at: number): { readonly bytes: number; readonly kind: FloodKind } {
    const numbers = this.#numbers;
    const kind = this.#only ?? kindOfPercent[numbers.below(100)]!;
    const from = at + ipHeaderBytes;
    const bodyBytes = this.#body(kind, from);
    const bytes = ipHeaderBytes + bodyBytes;
    const view = this.#view;
    view.setUint32(at, 0x4500_0000 | bytes);
    view.setUint32(at + 4, 0);
    view.setUint16(at + 8, (64 << 8) | (kind === 'esp' ? 50 : kind === 'ah' ? 51 : 17));
    view.setUint16(at + 10, 0);
    // 11.0.0.0 to 110.255.255.255: nothing that a host drops by itself, and nobody of this test.
    view.setUint32(at + 12, 0x0b00_0000 + numbers.below(0x6400_0000));
    this.#octets.set(this.#destination, at + 16);
    return { bytes, kind };
  }

  #body(kind: FloodKind, at: number): number {
    switch (kind) {
      case 'esp':
        return this.#esp(at);
      case 'ah':
        return this.#ah(at);
      case 'esp-in-udp':
        return this.#udp(at, 4500, this.#esp(at + 8));
      case 'ike':
        return this.#udp(at, 500, this.#ike(at + 8));
      case 'ike-behind-marker':
        this.#view.setUint32(at + 8, 0);
        return this.#udp(at, 4500, 4 + this.#ike(at + 12));
    }
  }

  #udp(at: number, port: number, bytes: number): number {
    const view = this.#view;
    view.setUint16(at, 1024 + this.#numbers.below(60_000));
    view.setUint16(at + 2, port);
    view.setUint16(at + 4, bytes + 8);
    // RFC 768: no checksum.
    view.setUint16(at + 6, 0);
    return bytes + 8;
  }

  #noise(at: number, bytes: number): void {
    for (let i = 0; i < bytes; i += 4) this.#view.setUint32(at + i, this.#numbers.next());
  }

  /** An SPI that can be negotiated, a sequence number, and a body of any length, right or wrong. */
  #esp(at: number): number {
    const bytes = 12 + this.#numbers.below(180);
    this.#noise(at, bytes);
    this.#view.setUint32(at, 256 + this.#numbers.below(0xffff_ff00));
    return bytes;
  }

  #ah(at: number): number {
    const bytes = 24 + 4 * this.#numbers.below(40);
    this.#noise(at, bytes);
    this.#view.setUint32(at, 0x3204_0000);
    this.#view.setUint32(at + 4, 256 + this.#numbers.below(0xffff_ff00));
    return bytes;
  }

  /** A header that could be one, in front of noise: a first request, or a protected request of an IKE SA that nobody has. */
  #ike(at: number): number {
    const numbers = this.#numbers;
    const bytes = 28 + 4 * (1 + numbers.below(50));
    this.#noise(at, bytes);
    const view = this.#view;
    const first = numbers.below(3) === 0;
    if (first) {
      view.setUint32(at + 8, 0);
      view.setUint32(at + 12, 0);
    }
    // Next payload SA or SK, version 2.0, IKE_SA_INIT or INFORMATIONAL, initiator.
    view.setUint32(at + 16, first ? 0x2120_2208 : 0x2e20_2508);
    view.setUint32(at + 20, first ? 0 : numbers.below(100));
    view.setUint32(at + 24, bytes);
    return bytes;
  }
}

function flood(
  destination: string,
  rate: number,
  seconds: number,
  seed: number,
  only: FloodKind | undefined,
): FloodReport {
  const fd = must('socket', 'raw', AF_INET, SOCK_RAW, rawProtocol);
  const room = pinned(4);
  new DataView(room.buffer).setInt32(0, 4 << 20, true);
  attempt('setsockopt', fd, SOL_SOCKET, SO_SNDBUF, room, 4);
  const octets = pinned(batchMax * strideBytes);
  const base = memoryAddress(octets);
  const vector = new MessageVector(batchMax, batchMax);
  const writer = new PacketWriter(octets, destination, seed, only);
  const calls = packetCalls();
  const sent = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<FloodKind, number>;
  const batch: FloodKind[] = [];
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const name = { address: address(destination), port: 0 };
  for (let i = 0; i < batchMax; i++) {
    const at = vector.nameAt(i);
    const nameBytes = writeSocketAddress(name, vector.names.subarray(at, at + 28));
    vector.setVectors(i, i, 1);
    vector.setLengths(i, nameBytes, 0);
  }
  let total = 0;
  let refused = 0;
  const startedAt = performance.now();
  for (;;) {
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs >= seconds * 1000) break;
    const due = Math.floor((elapsedMs * rate) / 1000) - total;
    if (due < 1) {
      Atomics.wait(pause, 0, 0, 1);
      continue;
    }
    const count = Math.min(batchMax, due);
    batch.length = 0;
    for (let i = 0; i < count; i++) {
      const { bytes, kind } = writer.write(i * strideBytes);
      vector.setVector(i, base + i * strideBytes, bytes);
      batch.push(kind);
    }
    const taken = Math.max(0, calls.sendmmsg(fd, vector.address, count, 0));
    for (let i = 0; i < taken; i++) sent[batch[i]!]++;
    refused += count - taken;
    total += count;
  }
  attempt('close', fd);
  return { seconds: (performance.now() - startedAt) / 1000, sent, refused };
}

const [, , destination = '', rate, seconds, seed, kind] = process.argv;
const only = kinds.find((one) => one === kind);
const report = flood(destination, Number(rate), Number(seconds), Number(seed), only);
process.stdout.write(`${JSON.stringify(report)}\n`);
