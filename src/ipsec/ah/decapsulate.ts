// Inbound AH processing (RFC 4302 3.4): from a whole IP packet with AH to the packet that it vouches for, in place.
import { FragmentPosition, readU16, readU32, writeIpv4Checksum, writeU16 } from '#wire';
import {
  acceptAuthentic,
  countUse,
  type DecapsulationContext,
  refuseBeforeIntegrity,
  unpackTunnel,
} from '../inbound-processing.ts';
import type { PacketSlot } from '../packet-slot.ts';
import type { InboundSa } from '../security-association.ts';
import { Verdict, type VerdictCode } from '../verdicts.ts';
import { CoveredHeaders } from './covered-headers.ts';
import { HeaderPosition } from './header-chain.ts';
import { integrityFields } from './integrity.ts';
import { ahFixedBytes, isAhLength } from './layout.ts';

/** Inbound AH; keeps scratch space, so one for each data path. */
export class AhDecapsulation {
  readonly #covered = new CoveredHeaders();
  readonly #position = new HeaderPosition();
  readonly #context: DecapsulationContext;

  constructor(context: DecapsulationContext) {
    this.#context = context;
  }

  /** Checks the IP packet in `slot`, which starts with its own header, and takes AH out of it. */
  decapsulate(slot: PacketSlot, at: number): VerdictCode {
    const position = this.#position;
    const { buffer } = slot;
    if (!position.find(buffer, slot.start, slot.length)) return Verdict.MALFORMED;
    const ahAt = position.at;
    if (ahAt + ahFixedBytes > position.end) return Verdict.BAD_LENGTH;
    slot.length = position.end - slot.start;
    slot.spi = readU32(buffer, ahAt + 4);
    slot.sequence = readU32(buffer, ahAt + 8);
    const sa = this.#context.sad.findInbound('ah', slot.spi);
    if (sa === undefined) return Verdict.UNKNOWN_SPI;
    slot.inboundSa = sa;
    const headerBytes = (buffer[ahAt + 1]! + 2) * 4;
    const { family } = position;
    if (ahAt + headerBytes > position.end || !isAhLength(headerBytes, sa.cipher.icvBytes, family)) {
      return Verdict.BAD_LENGTH;
    }
    const refusal = this.#authenticate(slot, sa, headerBytes, at);
    if (refusal !== undefined) return refusal;
    const payloadBytes = position.end - ahAt - headerBytes;
    const verdict =
      sa.parameters.mode === 'tunnel'
        ? this.#unpackTunnel(slot, sa, ahAt + headerBytes)
        : this.#unpackTransport(slot, sa, headerBytes);
    const bytes = verdict === Verdict.OPENED && sa.parameters.mode === 'tunnel' ? slot.length : payloadBytes;
    return countUse(this.#context, sa, verdict, bytes, at);
  }

  #authenticate(slot: PacketSlot, sa: InboundSa, headerBytes: number, at: number): VerdictCode | undefined {
    const high = sa.window.inferHigh(slot.sequence);
    const refusal = refuseBeforeIntegrity(this.#context, slot, sa, high, at);
    if (refusal !== undefined) return refusal;
    const { at: ahAt, end } = this.#position;
    const { icvBytes } = sa.cipher;
    if (!this.#covered.cover(slot.buffer, slot.start, ahAt, headerBytes, icvBytes))
      return Verdict.UNSUPPORTED;
    const packet = { ahAt, headerBytes, icvBytes, end };
    if (!sa.cipher.open(integrityFields(slot.buffer, this.#covered.octets, packet, sa.esn, high))) {
      sa.usage.integrityFailures++;
      return Verdict.NOT_AUTHENTIC;
    }
    return acceptAuthentic(this.#context, slot, sa, high);
  }

  #unpackTunnel(slot: PacketSlot, sa: InboundSa, innerAt: number): VerdictCode {
    const { buffer, start } = slot;
    slot.trafficClass =
      this.#position.family === 4 ? buffer[start + 1]! : (readU16(buffer, start) >>> 4) & 0xff;
    const nextHeader = buffer[this.#position.at]!;
    slot.length -= innerAt - start;
    slot.start = innerAt;
    return unpackTunnel(this.#context, slot, sa, nextHeader);
  }

  /** RFC 4301 5.2: the packet as it was before AH, with the header that it came with. */
  #unpackTransport(slot: PacketSlot, sa: InboundSa, headerBytes: number): VerdictCode {
    const { buffer } = slot;
    const { fields } = this.#context;
    const { at: ahAt, announcedAt, family } = this.#position;
    buffer[announcedAt] = buffer[ahAt]!;
    const start = slot.start + headerBytes;
    buffer.copyWithin(start, slot.start, ahAt);
    slot.start = start;
    slot.length -= headerBytes;
    if (family === 4) {
      writeU16(buffer, start + 2, slot.length);
      writeIpv4Checksum(buffer, start, (buffer[start]! & 0x0f) * 4);
    } else {
      writeU16(buffer, start + 4, slot.length - 40);
    }
    if (!fields.read(buffer, start, slot.length)) return Verdict.BAD_INNER;
    if (fields.fragment !== FragmentPosition.whole) return Verdict.BAD_INNER;
    return this.#context.refusal(buffer, fields, sa) ?? Verdict.OPENED;
  }
}
