// Codecs of packets and messages: what they read they can write, and read again.
import {
  type AddressPair,
  decodeAh,
  decodeCapture,
  decodeEapPacket,
  decodeEsp,
  decodeHipPacket,
  decodeHipParameters,
  decodeHipRecord,
  decodeIcmpv4,
  decodeIcmpv6,
  decodeIkeMessage,
  decodeIp,
  decodeMsChapRequest,
  decodeMsChapResponse,
  decodeNetlinkMessages,
  decodeNetlinkOutcome,
  decodePayloads,
  decodeUdp,
  decodeViciPacket,
  EapCode,
  EapType,
  emptyPacketSelectors,
  encodeAh,
  encodeEapPacket,
  encodeEsp,
  encodeHipPacket,
  encodeHipParameters,
  encodeHipRecord,
  encodeIcmpv4,
  encodeIcmpv6,
  encodeIkeMessage,
  encodeIp,
  encodeMsChapRequest,
  encodeMsChapResponse,
  encodeNetlinkMessage,
  encodePayloads,
  encodeUdp,
  encodeViciPacket,
  hipMac2Octets,
  hipMacOctets,
  hipSignature2Octets,
  hipSignatureOctets,
  IpProtocol,
  internetChecksum,
  locateIpPacket,
  PacketVerdict,
  readPacketSelectors,
  transportChecksum,
  WireError,
  writeIpv4Checksum,
  writeU16,
} from '#wire';
import type { FuzzTarget } from './target.ts';

function isWireError(error: unknown): boolean {
  return error instanceof WireError;
}

function mustEqual(one: Uint8Array, other: Uint8Array, promise: string): void {
  if (one.length !== other.length || one.some((octet, at) => octet !== other[at])) throw new Error(promise);
}

/** What was read must be writable: a refusal to write it is a broken promise, not a refusal of the input. */
function mustWrite<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new Error('what was read cannot be written and read again', { cause: error });
  }
}

/** Reads, writes, reads and writes: the second writing must give what the first gave. */
function mustSurvive<T>(
  octets: Uint8Array,
  decode: (octets: Uint8Array) => T,
  encode: (value: T) => Uint8Array,
): void {
  const value = decode(octets);
  mustWrite(() => {
    const once = encode(value);
    mustEqual(encode(decode(once)), once, 'a packet changes when read and written');
  });
}

function repairChecksum(octets: Uint8Array, checksum: () => number): void {
  if (octets.length < 4) return;
  writeU16(octets, 2, 0);
  writeU16(octets, 2, checksum());
}

/** Loopback to loopback, which the seeds of UDP and ICMPv6 were made for. */
const ipv6Loopback: AddressPair = {
  source: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  destination: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
};

export const codecTargets: readonly FuzzTarget[] = [
  {
    name: 'ike-message',
    run(octets) {
      const message = decodeIkeMessage(octets);
      mustWrite(() => {
        const once = encodeIkeMessage(message);
        mustEqual(encodeIkeMessage(decodeIkeMessage(once)), once, 'a message changes when read and written');
      });
    },
    refuses: isWireError,
    repair(octets) {
      if (octets.length < 28) return;
      new DataView(octets.buffer, octets.byteOffset).setUint32(24, octets.length);
      octets[17] = 0x20;
    },
  },
  {
    // The first octet is the type of the first payload.
    name: 'ike-inner-payloads',
    run(octets) {
      const payloads = decodePayloads(octets[0] ?? 0, octets.subarray(1));
      mustWrite(() => {
        const once = encodePayloads(payloads);
        const again = encodePayloads(decodePayloads(once.firstPayload, once.octets));
        mustEqual(again.octets, once.octets, 'payloads change when read and written');
      });
    },
    refuses: isWireError,
  },
  {
    // With what MSCHAPv2 has inside, whose own length is written as it should be.
    name: 'eap-packet',
    run(octets) {
      mustSurvive(octets, decodeEapPacket, encodeEapPacket);
      const packet = decodeEapPacket(octets);
      if (!('type' in packet) || packet.type !== EapType.MSCHAPV2) return;
      if (packet.code === EapCode.REQUEST) mustSurvive(packet.data, decodeMsChapRequest, encodeMsChapRequest);
      else mustSurvive(packet.data, decodeMsChapResponse, encodeMsChapResponse);
    },
    refuses: isWireError,
    repair(octets) {
      if (octets.length >= 4) writeU16(octets, 2, octets.length);
    },
  },
  {
    // As it comes out of UDP, with a checksum of zero.
    name: 'hip-packet',
    run(octets) {
      const packet = decodeHipPacket(octets);
      mustWrite(() => {
        const once = encodeHipPacket(packet);
        mustEqual(encodeHipPacket(decodeHipPacket(once)), once, 'a packet changes when read and written');
        for (const covered of [
          hipMacOctets(packet.octets, 'HIP_MAC'),
          hipMacOctets(packet.octets, 'RVS_HMAC'),
          hipMac2Octets(packet.octets, new Uint8Array(0)),
          hipSignatureOctets(packet.octets),
          hipSignature2Octets(packet.octets),
        ]) {
          if (covered.length > packet.octets.length) throw new Error('more is covered than there is');
          if (decodeHipPacket(covered).octets.length !== covered.length) throw new Error('a length is wrong');
        }
      });
    },
    refuses: isWireError,
    repair(octets) {
      if (octets.length < 40) return;
      octets[1] = Math.min(255, Math.floor(octets.length / 8) - 1);
      octets[3] = 0x21;
      writeU16(octets, 4, 0);
    },
  },
  {
    // The inside of ENCRYPTED, where no checksum is in the way.
    name: 'hip-parameters',
    run: (octets) => mustSurvive(octets, decodeHipParameters, encodeHipParameters),
    refuses: isWireError,
  },
  {
    name: 'hip-record',
    run: (octets) => mustSurvive(octets, decodeHipRecord, encodeHipRecord),
    refuses: isWireError,
  },
  {
    name: 'ip-packet',
    run: (octets) => mustSurvive(octets, decodeIp, encodeIp),
    refuses: isWireError,
    repair(octets) {
      const headerLength = ((octets[0] ?? 0) & 0xf) * 4;
      const isIpv4 = (octets[0] ?? 0) >>> 4 === 4 && headerLength >= 20;
      if (isIpv4 && octets.length >= headerLength) writeIpv4Checksum(octets, 0, headerLength);
    },
  },
  {
    name: 'packet-selectors',
    run(octets) {
      const found = emptyPacketSelectors();
      if (readPacketSelectors(octets, 0, octets.length, found) !== PacketVerdict.ok) return;
      const inside = found.payloadOffset <= found.end && found.end <= octets.length;
      const addressesEnd = found.destinationOffset + found.addressLength;
      if (!inside || addressesEnd > found.payloadOffset) throw new Error('an offset lies outside the packet');
    },
    refuses: () => false,
  },
  {
    name: 'icmpv4',
    run: (octets) => mustSurvive(octets, decodeIcmpv4, encodeIcmpv4),
    refuses: isWireError,
    repair: (octets) => repairChecksum(octets, () => internetChecksum(octets)),
  },
  {
    name: 'icmpv6',
    run(octets) {
      mustSurvive(
        octets,
        (message) => decodeIcmpv6(message, ipv6Loopback),
        (message) => encodeIcmpv6(message, ipv6Loopback),
      );
    },
    refuses: isWireError,
    repair(octets) {
      repairChecksum(octets, () => transportChecksum(ipv6Loopback, IpProtocol.ICMPV6, octets));
    },
  },
  {
    name: 'netlink',
    run(octets) {
      const messages = decodeNetlinkMessages(octets);
      for (const message of messages) {
        mustWrite(() => {
          const [again] = decodeNetlinkMessages(encodeNetlinkMessage(message));
          mustEqual(again!.payload, message.payload, 'a message changes when written and read');
        });
        decodeNetlinkOutcome(message);
      }
    },
    refuses: isWireError,
  },
  {
    name: 'udp-datagram',
    run(octets) {
      mustSurvive(
        octets,
        (datagram) => decodeUdp(datagram, ipv6Loopback),
        (datagram) => encodeUdp(datagram, ipv6Loopback),
      );
    },
    refuses: isWireError,
    repair(octets) {
      if (octets.length < 8) return;
      writeU16(octets, 4, octets.length);
      writeU16(octets, 6, 0);
    },
  },
  {
    name: 'esp-packet',
    run: (octets) => mustSurvive(octets, decodeEsp, encodeEsp),
    refuses: isWireError,
  },
  {
    name: 'ah-packet',
    run: (octets) => mustSurvive(octets, decodeAh, encodeAh),
    refuses: isWireError,
  },
  {
    name: 'capture-file',
    run(octets) {
      for (const packet of decodeCapture(octets)) {
        const offset = locateIpPacket(packet.linkType, packet.octets);
        if (offset === undefined) continue;
        if (offset > packet.octets.length) throw new Error('a packet begins outside its frame');
        decodeIp(packet.octets.subarray(offset), { partial: true });
      }
    },
    refuses: isWireError,
  },
  {
    name: 'vici-packet',
    run: (octets) => mustSurvive(octets, decodeViciPacket, encodeViciPacket),
    refuses: isWireError,
  },
];
