// Large packets through the kernel, for a test within a namespace: what one device takes joined, the kernel forwards to another one,
// for which it cuts it (`plain`), or which cuts it itself. Says what came of it as JSON.
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { writeIpv4Checksum, writeU16 } from '#wire';
import { PacketMemory } from '../../memory/packet-memory.ts';
import { TunDevice } from '../../tun-device.ts';
import { Coalescing } from '../coalescing.ts';
import { Segmentation } from '../segmentation.ts';
import { GsoType, virtioNetHeaderBytes } from '../virtio-net-header.ts';
import { Collected, fromKernel, segmentsOf } from './device.ts';
import { type Large, large, tcpPacket, udpPacket } from './large-packets.ts';

export interface ForwardingReport {
  readonly takesLargeUdp: boolean;
  /** How many packets went, in how many writes, and how many of these were of UDP. */
  readonly packets: number;
  readonly writes: number;
  readonly datagramWrites: number;
  /** How many reads gave them. */
  readonly reads: number;
  /** Those that did not come, and others that did. */
  readonly missing: number;
  readonly unexpected: number;
}

const packetBytesMax = 65_600;
const plain = process.argv[2] === 'plain';
const memory = new PacketMemory(
  [2 * TunDevice.bytes, Coalescing.bytes, packetBytesMax].reduce(
    (sum, bytes) => sum + PacketMemory.bytesTaken(bytes) + 64,
    0,
  ),
);
const from = new TunDevice('wwfrom', memory);
const to = new TunDevice('wwto', memory, { plain });
const packetAt = memory.take(packetBytesMax) + virtioNetHeaderBytes;
const report = { packets: 0, writes: 0, datagramWrites: 0, reads: 0, missing: 0, unexpected: 0 };
const coalescing = new Coalescing(
  memory,
  (start, lengthBytes) => {
    report.writes++;
    if (memory.octets[start + 1] === GsoType.UDP_L4) report.datagramWrites++;
    if (!from.write(start, lengthBytes)) throw new Error('the kernel does not take it');
  },
  { udp: from.takesLargeUdp },
);
const segmentation = new Segmentation();

function set(command: string, ...words: string[]): void {
  execFileSync(command, words);
}
for (const { name } of [from, to]) {
  // It has nothing to say itself.
  set('sysctl', '-qw', `net.ipv6.conf.${name}.addr_gen_mode=1`);
  set('ip', 'link', 'set', name, 'txqueuelen', '10000', 'up');
}
set('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
for (const [family, here, there] of [
  ['-4', '10.1.0.0/16', '10.2.0.0/16'],
  ['-6', '2001:db8:1::/48', '2001:db8:2::/48'],
] as const) {
  set('ip', family, 'route', 'add', here, 'dev', from.name);
  set('ip', family, 'route', 'add', there, 'dev', to.name);
}

function piecesOf(shape: Large, isTcp: boolean): Uint8Array[] {
  const tcpType = shape.version === 4 ? GsoType.TCPV4 : GsoType.TCPV6;
  const [packet, type] = isTcp ? [tcpPacket(shape), tcpType] : [udpPacket(shape), GsoType.UDP_L4];
  return segmentsOf(...fromKernel(packet, type, shape.gsoBytes)).packets;
}

/** As it leaves a router. */
function forwarded(packet: Uint8Array): Uint8Array {
  const octets = packet.slice();
  const hopLimitAt = octets[0]! >>> 4 === 4 ? 8 : 7;
  octets[hopLimitAt] = octets[hopLimitAt]! - 1;
  if (hopLimitAt === 7) return octets;
  writeU16(octets, 10, 0);
  writeIpv4Checksum(octets, 0, 20);
  return octets;
}

function received(): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let length = to.read(); length > 0; length = to.read()) {
    report.reads++;
    const cut = new Collected();
    if (!cut.cut(segmentation, memory.octets.subarray(to.start), length)) throw new Error('no packet');
    packets.push(...cut.packets);
  }
  // What the kernel says to its neighbours goes to many.
  return packets.filter((packet) => packet[0]! >>> 4 === 4 || packet[24] !== 0xff);
}

const text = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

for (const shape of fc.sample(large, { numRuns: 60, seed: 1 })) {
  for (const isTcp of [true, false]) {
    const pieces = piecesOf({ ...shape, gsoBytes: Math.min(shape.gsoBytes, 1400) }, isTcp);
    const awaited = pieces.map((piece) => text(forwarded(piece)));
    report.packets += pieces.length;
    for (const piece of pieces) {
      memory.octets.set(piece, packetAt);
      coalescing.take(packetAt, piece.length);
    }
    coalescing.flush();
    for (const packet of received()) {
      const at = awaited.indexOf(text(packet));
      // In the order in which they went.
      if (at !== 0) report.unexpected++;
      if (at >= 0) awaited.splice(at, 1);
    }
    report.missing += awaited.length;
  }
}
console.log(JSON.stringify({ takesLargeUdp: from.takesLargeUdp, ...report } satisfies ForwardingReport));
