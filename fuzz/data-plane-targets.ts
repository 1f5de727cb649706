// A data plane behind a fresh pair of SAs: ESP and AH of strangers, ESP of the peer with nonsense inside, packets to send.
import { type PacketCipher, packetCipher, seededRandomness } from '#crypto';
import { type DataPlaneOutput, MemoryDataPlane } from '#ipsec';
import {
  address,
  addressFromBytes,
  Encr,
  firstSpi,
  Integ,
  matchesSelectors,
  type SaDirection,
  type SaMode,
  type SaProtocol,
  type Spi,
  selectorOfPrefix,
  type TrafficSelector,
} from '#sa';
import { emptyPacketSelectors, PacketVerdict, readPacketSelectors, writeIpv4Checksum, writeU32 } from '#wire';
import type { FuzzTarget } from './target.ts';

const us = address('192.0.2.1');
const peer = address('192.0.2.2');
const spi = firstSpi as Spi;
const keyLengthBits = 128;
/** Key and salt. */
const key = new Uint8Array(20).fill(7);
const headerBytes = 8;
const ivBytes = 8;

function selector(prefix: string): TrafficSelector {
  const found = selectorOfPrefix(prefix);
  if (found === undefined) throw new Error(`${prefix} is no prefix`);
  return found;
}

const networks = {
  tunnel: { local: [selector('10.1.0.0/16')], remote: [selector('10.2.0.0/16')] },
  transport: { local: [selector(`${us}/32`)], remote: [selector(`${peer}/32`)] },
} as const;

type Mode = keyof typeof networks & SaMode;

/** @param theirs the plane of the peer, not ours */
function planeOf(mode: Mode, protocol: SaProtocol, theirs = false): MemoryDataPlane {
  const plane = new MemoryDataPlane({ randomness: seededRandomness(Uint8Array.of(1)) });
  const { local, remote } = networks[mode];
  const selectors = theirs ? { local: remote, remote: local } : { local, remote };
  const ends = theirs ? { local: peer, remote: us } : { local: us, remote: peer };
  const common = { protocol, spi, mode, ...ends, esn: false, replayWindow: 64, selectors } as const;
  const keys =
    protocol === 'esp'
      ? { encryption: { id: Encr.AES_GCM_16, keyLengthBits, key } }
      : { integrity: { id: Integ.HMAC_SHA2_256_128, key: new Uint8Array(32).fill(9) } };
  const rest = { lifetimes: {}, childId: 1, generation: 0, copyDscp: 'yes', copyDf: true, ...keys } as const;
  const install = (direction: SaDirection): void => {
    const result = plane.apply({ kind: 'install', sa: { ...common, ...rest, direction } }, 0);
    if (!result.ok) throw new Error(result.detail);
  };
  install('inbound');
  install('outbound');
  const policy = { policyId: 1, action: 'protect', selectors, priority: 1, mode, childId: 1 } as const;
  plane.apply({ kind: 'install-policy', policy }, 0);
  return plane;
}

/** Everything the plane says; what it delivers must be what its SA was made for. */
function checkedOutputs(plane: MemoryDataPlane, mode: Mode): string {
  const story = new Set<string>();
  for (let count = 0; ; count++) {
    const output: DataPlaneOutput | undefined = plane.poll();
    if (output === undefined) break;
    // A packet of 64 KiB is cut into pieces before ESP.
    if (count > 128) throw new Error('broken promise: a bounded number of outputs');
    story.add(output.kind === 'event' ? output.event.kind : output.kind);
    if (output.kind === 'bypass') throw new Error('broken promise: nothing passes without a policy');
    if (output.kind === 'deliver') checkDelivered(output.packet, mode);
  }
  for (const [verdict, packets] of Object.entries(plane.stats().verdicts))
    if (packets > 0) story.add(verdict);
  return [...story].sort().join(', ');
}

function checkDelivered(packet: Uint8Array, mode: Mode): void {
  const found = emptyPacketSelectors();
  const verdict = readPacketSelectors(packet, 0, packet.length, found);
  if (verdict !== PacketVerdict.ok)
    throw new Error(`broken promise: a delivered packet is readable (${verdict})`);
  const octetsAt = (offset: number): Uint8Array => packet.subarray(offset, offset + found.addressLength);
  const { local, remote } = networks[mode];
  const inside = (selectors: readonly TrafficSelector[], offset: number): boolean =>
    matchesSelectors(selectors, {
      protocol: found.protocol,
      address: addressFromBytes(octetsAt(offset)),
      port: 0,
    });
  if (!inside(local, found.destinationOffset) || !inside(remote, found.sourceOffset)) {
    throw new Error('broken promise: a delivered packet is within the selectors of its SA');
  }
}

let cipher: PacketCipher | undefined;

/** RFC 4303 2: a packet of the peer with this text, trailer included. */
function seal(text: Uint8Array): Uint8Array {
  cipher ??= packetCipher({ encryption: { id: Encr.AES_GCM_16, keyLengthBits, key } });
  const aligned = text.length - (text.length % 4);
  const packet = new Uint8Array(headerBytes + ivBytes + aligned + cipher.icvBytes);
  writeU32(packet, 0, spi);
  writeU32(packet, 4, 1);
  packet.set(text.subarray(0, aligned), headerBytes + ivBytes);
  cipher.seal({
    aad: packet.subarray(0, headerBytes),
    iv: packet.subarray(headerBytes, headerBytes + ivBytes),
    text: packet.subarray(headerBytes + ivBytes, headerBytes + ivBytes + aligned),
    icv: packet.subarray(headerBytes + ivBytes + aligned),
  });
  return packet;
}

/** An IPv4 packet with UDP inside, from the peer's side to ours. */
function innerPacket(source: readonly number[], destination: readonly number[]): Uint8Array {
  const packet = Uint8Array.of(
    ...[0x45, 0, 0, 36, 0, 1, 0, 0, 64, 17, 0, 0],
    ...source,
    ...destination,
    ...[0, 53, 0, 53, 0, 16, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
  );
  writeIpv4Checksum(packet, 0, 20);
  return packet;
}

const tunnelled = innerPacket([10, 2, 0, 1], [10, 1, 0, 1]);
/** Padding 1 and 2, pad length 2, next header. */
const textOf = (packet: Uint8Array, nextHeader: number): Uint8Array =>
  Uint8Array.of(...packet, 1, 2, 2, nextHeader);

/** The first octet of an input: which SAs there are, and in what the packet comes. */
const Flag = { TRANSPORT: 1, UDP: 2 } as const;
const modeOf = (flags: number): Mode => ((flags & Flag.TRANSPORT) !== 0 ? 'transport' : 'tunnel');

function inbound(octets: Uint8Array, protocol: SaProtocol, packet: Uint8Array): string {
  const mode = modeOf(octets[0] ?? 0);
  const plane = planeOf(mode, protocol);
  const received = protocol === 'ah' ? 'ah' : ((octets[0] ?? 0) & Flag.UDP) !== 0 ? 'udp' : 'esp';
  const port = received === 'udp' ? 4500 : 0;
  const ends = { local: { address: us, port }, remote: { address: peer, port } };
  plane.inbound({ ...ends, protocol: received, octets: packet }, 0);
  // The same packet again is a replay, or as wrong as it was.
  plane.inbound({ ...ends, protocol: received, octets: packet }, 1);
  const delivered = plane.stats().verdicts['opened'] ?? 0;
  if (delivered > 1) throw new Error('broken promise: a packet is delivered once');
  return checkedOutputs(plane, mode);
}

const input = (flags: number, octets: Uint8Array): Uint8Array => Uint8Array.of(flags, ...octets);

export const dataPlaneTargets: readonly FuzzTarget[] = [
  {
    name: 'esp-inbound',
    run: (octets) => inbound(octets, 'esp', octets.slice(1)),
    seeds: () => [
      { name: 'seed-tunnel', octets: input(0, seal(textOf(tunnelled, 4))) },
      { name: 'seed-transport', octets: input(Flag.TRANSPORT, seal(textOf(tunnelled.subarray(20), 17))) },
      { name: 'seed-udp', octets: input(Flag.UDP, seal(textOf(tunnelled, 4))) },
    ],
    refuses: () => false,
  },
  {
    // As a peer with the keys: the input is what ESP hides.
    name: 'esp-inside',
    run: (octets) => inbound(octets, 'esp', seal(octets.subarray(1))),
    seeds: () => [
      { name: 'seed-tunnel', octets: input(0, textOf(tunnelled, 4)) },
      { name: 'seed-transport', octets: input(Flag.TRANSPORT, textOf(tunnelled.subarray(20), 17)) },
      { name: 'seed-dummy', octets: input(0, textOf(new Uint8Array(16), 59)) },
    ],
    refuses: () => false,
  },
  {
    name: 'ah-inbound',
    run: (octets) => inbound(octets, 'ah', octets.slice(1)),
    seeds: () =>
      [0, Flag.TRANSPORT].map((flags) => {
        const mode = modeOf(flags);
        const plane = planeOf(mode, 'ah', true);
        const outer = innerPacket([192, 0, 2, 2], [192, 0, 2, 1]);
        plane.outbound(mode === 'tunnel' ? tunnelled : outer, 0);
        const sent = plane.poll();
        if (sent?.kind !== 'transmit') throw new Error('AH sent nothing');
        return { name: `seed-${mode}`, octets: input(flags, sent.octets) };
      }),
    refuses: () => false,
  },
  {
    name: 'esp-outbound',
    run(octets) {
      const mode = modeOf(octets[0] ?? 0);
      const plane = planeOf(mode, 'esp');
      plane.outbound(octets.slice(1), 0);
      return checkedOutputs(plane, mode);
    },
    seeds: () => [
      { name: 'seed-tunnel', octets: input(0, innerPacket([10, 1, 0, 1], [10, 2, 0, 1])) },
      { name: 'seed-transport', octets: input(Flag.TRANSPORT, innerPacket([192, 0, 2, 1], [192, 0, 2, 2])) },
    ],
    refuses: () => false,
    repair(octets) {
      if (octets.length > 21) writeIpv4Checksum(octets, 1, 20);
    },
  },
];
