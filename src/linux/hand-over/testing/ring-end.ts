// A thread at one end of a ring: it makes packets that can be told apart, or takes them and looks whether they are those.
import { parentPort, workerData } from 'node:worker_threads';
import { handOverHeaderBytes, PacketRing } from '../packet-ring.ts';

export interface RingEnd {
  readonly side: 'producer' | 'consumer';
  readonly memory: SharedArrayBuffer;
  /** Two words: the number of the next packet to be taken, and of the next to be made. */
  readonly progress: SharedArrayBuffer;
  /** The number of the first packet, and how many there are in all. */
  readonly from: number;
  readonly count: number;
}

export interface RingReport {
  readonly packets: number;
  /** Numbers that never came. */
  readonly missing: number;
}

const packetBytesMax = 65_535;
/** Any word may stand anywhere in a packet. */
const noise = Uint8Array.from({ length: 3 * packetBytesMax }, (_, i) => mixed(i));

function mixed(number: number): number {
  let hash = Math.imul(number ^ 0x9e37_79b9, 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Of a packet's octets in the noise, and how many there are: most are as the Internet has them, some as large as can be. */
function startOf(number: number): number {
  return mixed(number) % packetBytesMax;
}

function lengthOf(number: number): number {
  const random = mixed(~number);
  return (random >>> 8) % ((random & 0xff) === 0 ? packetBytesMax + 1 : 1501);
}

const { side, memory, progress, from, count } = workerData as RingEnd;
const ring = new PacketRing(memory);
const words = new Int32Array(progress);
const pause = new Int32Array(new SharedArrayBuffer(4));
const header = new Uint8Array(new ArrayBuffer(handOverHeaderBytes));
const headerView = new DataView(header.buffer);

function produce(): RingReport {
  for (let number = from; number < count; number++) {
    headerView.setUint32(0, number);
    headerView.setUint32(handOverHeaderBytes - 4, lengthOf(number));
    while (!ring.push(header, noise, startOf(number), lengthOf(number))) Atomics.wait(pause, 0, 0, 1);
    Atomics.store(words, 1, number + 1);
  }
  return { packets: count - from, missing: 0 };
}

function consume(): RingReport {
  let next = from;
  let packets = 0;
  let missing = 0;
  while (next < count) {
    const taken = ring.take(32, (octets, headerAt, packetAt, lengthBytes) => {
      const view = new DataView(octets.buffer, headerAt, handOverHeaderBytes);
      const number = view.getUint32(0);
      // One that a producer told of too late comes a second time.
      if (number < next - 1) throw new Error(`packet ${number} after ${next - 1}`);
      missing += Math.max(0, number - next);
      if (lengthBytes !== lengthOf(number) || view.getUint32(handOverHeaderBytes - 4) !== lengthBytes)
        throw new Error(`packet ${number} has ${lengthBytes} octets`);
      const start = startOf(number);
      if (
        Buffer.compare(
          octets.subarray(packetAt, packetAt + lengthBytes),
          noise.subarray(start, start + lengthBytes),
        ) !== 0
      )
        throw new Error(`packet ${number} is not as it was`);
      packets++;
      next = number + 1;
      Atomics.store(words, 0, next);
    });
    if (taken === 0) Atomics.wait(pause, 0, 0, 1);
  }
  return { packets, missing };
}

parentPort!.postMessage(side === 'producer' ? produce() : consume());
