// Two queues of one TUN device, for a test within a namespace: flows come in by either of them, and what the kernel answers is
// looked for in both. Says what it saw as JSON.
import { execFileSync } from 'node:child_process';
import { address, addressBytes } from '#sa';
import { encodeIp, IpProtocol, readU16, transportChecksum, writeU16 } from '#wire';
import { SOL_UDP, UDP_SEGMENT } from '../libc/constants.ts';
import { SystemCallError } from '../libc/errno.ts';
import { attempt, pinned } from '../libc/libc.ts';
import { PacketMemory } from '../memory/packet-memory.ts';
import { Coalescing } from '../offload/coalescing.ts';
import { VirtioNetHeader, virtioNetHeaderBytes } from '../offload/virtio-net-header.ts';
import { DatagramSocket } from '../sockets/datagram-socket.ts';
import { TunDevice } from '../tun-device.ts';

/** A flow whose three datagrams were written to a queue as one packet, and were answered by three at once. */
export interface QueuedFlow {
  readonly writtenTo: number;
  /** How long the datagrams were that an application received. */
  readonly received: readonly number[];
  readonly answers: readonly QueuedAnswer[];
}

export interface QueuedAnswer {
  readonly queue: number;
  readonly packetBytes: number;
  readonly gsoType: number;
  readonly gsoBytes: number;
  readonly needsChecksum: boolean;
}

export interface TunQueuesReport {
  readonly takesLargeUdp: readonly boolean[];
  readonly flows: Readonly<Record<4 | 6, readonly QueuedFlow[]>>;
  /** What happened to those who wanted the device otherwise. */
  readonly refusals: readonly string[];
}

const tunName = 'wwqueues';
const port = 5007;
const dataBytes = 1000;
const datagrams = 3;
const flowsCount = 40;
const packetBytesMax = 2048;
const own = { 4: address('10.7.0.1'), 6: address('2001:db8:7::1') } as const;
const remote = { 4: address('10.7.0.2'), 6: address('2001:db8:7::2') } as const;

class Queue {
  readonly tun: TunDevice;
  readonly #memory: PacketMemory;
  readonly #coalescing: Coalescing;
  readonly #packet: number;
  readonly #header = new VirtioNetHeader();

  constructor(queue: 'first' | 'further') {
    const pieces = [TunDevice.bytes, Coalescing.bytes, packetBytesMax];
    this.#memory = new PacketMemory(pieces.reduce((sum, bytes) => sum + PacketMemory.bytesTaken(bytes), 0));
    this.tun = new TunDevice(tunName, this.#memory, { queue });
    const write = (start: number, lengthBytes: number): void => {
      if (!this.tun.write(start, lengthBytes)) throw new Error('the kernel takes no packet');
    };
    this.#coalescing = new Coalescing(this.#memory, write, { udp: true });
    this.#packet = this.#memory.take(packetBytesMax) + virtioNetHeaderBytes;
  }

  write(packet: Uint8Array): void {
    for (let i = 0; i < datagrams; i++) {
      this.#memory.octets.set(packet, this.#packet);
      this.#coalescing.take(this.#packet, packet.length);
    }
    this.#coalescing.flush();
  }

  /** What has come for a port there: other packets are the kernel's own, for its neighbours. */
  read(family: 4 | 6, remotePort: number, queue: number): QueuedAnswer[] {
    const answers: QueuedAnswer[] = [];
    for (let bytes = this.tun.read(); bytes > 0; bytes = this.tun.read()) {
      const { octets } = this.#memory;
      const at = this.tun.start + virtioNetHeaderBytes;
      if (octets[at]! >>> 4 !== family) continue;
      if (octets[at + (family === 4 ? 9 : 6)] !== IpProtocol.UDP) continue;
      if (readU16(octets, at + (family === 4 ? 22 : 42)) !== remotePort) continue;
      this.#header.read(octets, this.tun.start);
      const { gsoType, gsoBytes, needsChecksum } = this.#header;
      answers.push({ queue, packetBytes: bytes - virtioNetHeaderBytes, gsoType, gsoBytes, needsChecksum });
    }
    return answers;
  }
}

function datagram(family: 4 | 6, remotePort: number): Uint8Array {
  const [source, destination] = [addressBytes(remote[family]), addressBytes(own[family])];
  const payload = new Uint8Array(8 + dataBytes).fill(7);
  for (const [at, value] of [remotePort, port, payload.length, 0].entries()) writeU16(payload, 2 * at, value);
  writeU16(payload, 6, transportChecksum({ source, destination }, IpProtocol.UDP, payload) || 0xffff);
  const common = { dscp: 0, ecn: 0, source, destination, protocol: IpProtocol.UDP, payload } as const;
  if (family === 6) return encodeIp({ ...common, version: 6, flowLabel: 0, hopLimit: 64, extensions: [] });
  return encodeIp({
    ...common,
    ...{ version: 4, identification: 0, dontFragment: true, moreFragments: false, fragmentOffset: 0 },
    ...{ timeToLive: 64, options: new Uint8Array(0) },
  });
}

/** An application that answers. */
function application(family: 4 | 6): DatagramSocket {
  const socket = new DatagramSocket(own[family], { kind: 'udp', port });
  const octets = pinned(4);
  new DataView(octets.buffer).setInt32(0, dataBytes, true);
  attempt('setsockopt', socket.fd, SOL_UDP, UDP_SEGMENT, octets, 4);
  return socket;
}

function playFlow(queues: readonly Queue[], socket: DatagramSocket, flow: number): QueuedFlow {
  const { family } = socket;
  const remotePort = 40_000 + flow;
  // Neither in turn nor as a hash would have it.
  const writtenTo = (flow >> 2) & 1;
  queues[writtenTo]!.write(datagram(family, remotePort));
  const received: number[] = [];
  for (let one = socket.receive(); one !== undefined; one = socket.receive())
    received.push(one.octets.length);
  socket.send(
    own[family],
    { address: remote[family], port: remotePort },
    new Uint8Array(datagrams * dataBytes),
  );
  const answers = queues.flatMap((queue, index) => queue.read(family, remotePort, index));
  return { writtenTo, received, answers };
}

function refusal(queue: 'first' | 'further' | undefined, name = tunName): string {
  try {
    new TunDevice(name, undefined, queue === undefined ? {} : { queue }).close();
    return 'none';
  } catch (error) {
    if (error instanceof SystemCallError) return error.code;
    throw error;
  }
}

const queues = [new Queue('first'), new Queue('further')];
const ip = (...words: string[]): void => void execFileSync('ip', words);
ip('link', 'set', tunName, 'up');
ip('address', 'add', `${own[4]}/24`, 'dev', tunName);
ip('address', 'add', `${own[6]}/64`, 'dev', tunName, 'nodad');
const flows = { 4: [] as QueuedFlow[], 6: [] as QueuedFlow[] };
for (const family of [4, 6] as const) {
  const socket = application(family);
  for (let flow = 0; flow < flowsCount; flow++) flows[family].push(playFlow(queues, socket, flow));
  socket.close();
}
const single = new TunDevice('wwsingle');
const report: TunQueuesReport = {
  takesLargeUdp: queues.map(({ tun }) => tun.takesLargeUdp),
  flows,
  refusals: [
    refusal('first'),
    refusal(undefined),
    refusal('first', single.name),
    refusal('further', single.name),
    refusal(undefined, single.name),
  ],
};
console.log(JSON.stringify(report));
