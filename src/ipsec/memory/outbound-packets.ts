// Packets from the protected side, and what becomes of those that do not leave at once: held, cut, answered.
import { fragmentIpv4, WireError } from '#wire';
import type { DataPath } from '../data-path.ts';
import type { IcmpError } from '../packet/icmp-error.ts';
import { encapsulationHeadroomBytes, encapsulationTailroomBytes, PacketSlot } from '../packet-slot.ts';
import { Verdict } from '../verdicts.ts';
import { HeldPackets } from './held-packets.ts';
import { IcmpAnswers } from './icmp-answers.ts';
import type { DataPlaneOutput, MemoryDataPlaneOptions } from './interface.ts';
import { selectorsOfPacket } from './packet-selectors.ts';

/** Events of the data path are for whoever has called to collect. */
export class OutboundPackets {
  readonly #path: DataPath;
  readonly #outputs: DataPlaneOutput[];
  readonly #slots: [PacketSlot] = [new PacketSlot()];
  readonly held: HeldPackets;
  readonly #answers: IcmpAnswers;
  readonly #answerDiscarded: boolean;
  /** How far TFC padding may fill a packet. */
  readonly #paddedBytesMax: number;

  /** @param outputs where what comes of packets goes */
  constructor(
    path: DataPath,
    outputs: DataPlaneOutput[],
    paddedBytesMax: number,
    options: MemoryDataPlaneOptions,
  ) {
    this.#path = path;
    this.#outputs = outputs;
    this.#paddedBytesMax = paddedBytesMax;
    this.held = new HeldPackets({
      packetsPerPolicyMax: options.heldPacketsMax ?? 4,
      holdMs: options.holdMs ?? 10_000,
      acquireIntervalMs: options.acquireIntervalMs ?? 1000,
    });
    this.#answers = new IcmpAnswers(options.icmpErrorsPerSecondMax);
    this.#answerDiscarded = options.answerDiscarded ?? false;
  }

  take(packet: Uint8Array, at: number): void {
    const slot = this.#encapsulate(packet, at);
    if (slot.verdict === Verdict.TRAP) this.#hold(slot, at);
    this.#act(slot, at);
  }

  takeBatch(slots: readonly PacketSlot[], count: number, at: number): void {
    this.#path.encapsulate(slots, at, count);
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (slot.verdict === Verdict.SEALED || slot.verdict === Verdict.HANDED_OVER) continue;
      if (slot.verdict === Verdict.TRAP) this.#hold(slot, at);
      // The caller's buffer is used again before the output is taken.
      if (slot.verdict === Verdict.BYPASS)
        this.#outputs.push({ kind: 'bypass', packet: slot.octets.slice() });
      else this.#act(slot, at);
    }
  }

  dummy(childId: number, payloadBytes: number, at: number): void {
    const slot = this.#slots[0];
    const room = encapsulationHeadroomBytes + payloadBytes + encapsulationTailroomBytes;
    slot.buffer = new Uint8Array(room);
    slot.start = encapsulationHeadroomBytes;
    slot.length = 0;
    this.#path.encapsulateDummy(slot, childId, payloadBytes, at);
    this.#act(slot, at);
  }

  #encapsulate(packet: Uint8Array, at: number): PacketSlot {
    const slot = this.#slots[0];
    // TFC padding may fill the path.
    const room = Math.max(packet.length, this.#paddedBytesMax);
    slot.buffer = new Uint8Array(encapsulationHeadroomBytes + room + encapsulationTailroomBytes);
    slot.buffer.set(packet, encapsulationHeadroomBytes);
    slot.start = encapsulationHeadroomBytes;
    slot.length = packet.length;
    this.#path.encapsulate(this.#slots, at);
    return slot;
  }

  /** Turns the verdict on an outbound packet into outputs. */
  #act(slot: PacketSlot, at: number): void {
    switch (slot.verdict) {
      case Verdict.SEALED:
        this.#outputs.push({
          kind: 'transmit',
          protocol: slot.encapsulated ? 'udp' : slot.protocol,
          local: slot.local!,
          remote: slot.remote!,
          octets: slot.octets,
          trafficClass: slot.trafficClass,
          hopLimit: slot.hopLimit,
          dontFragment: slot.dontFragment,
        });
        return;
      case Verdict.BYPASS:
        this.#outputs.push({ kind: 'bypass', packet: slot.octets });
        return;
      case Verdict.HANDED_OVER:
        // Not of the caller's buffer: `outboundBatch` leaves such a slot alone.
        this.#outputs.push({ kind: 'hand-over', childId: slot.policy!.childId!, packet: slot.octets });
        return;
      case Verdict.FRAGMENT:
        for (const fragment of fragmentsOf(slot.octets, slot.mtuBytes)) {
          this.#act(this.#encapsulate(fragment, at), at);
        }
        return;
      case Verdict.TOO_BIG:
        this.#answer(slot, { kind: 'too-big', mtuBytes: slot.mtuBytes }, at);
        return;
      case Verdict.HOP_LIMIT:
        this.#answer(slot, { kind: 'hop-limit' }, at);
        return;
      case Verdict.DISCARDED:
        if (this.#answerDiscarded) this.#answer(slot, { kind: 'prohibited' }, at);
        return;
    }
  }

  #answer(slot: PacketSlot, error: IcmpError, at: number): void {
    const answer = this.#answers.about(slot.octets, error, at);
    if (answer !== undefined) this.#outputs.push({ kind: 'deliver', packet: answer });
  }

  #hold(slot: PacketSlot, at: number): void {
    const policyId = slot.policy!.policyId;
    if (!this.held.hold(policyId, slot.octets, at)) return;
    const { local, remote } = selectorsOfPacket(slot.octets);
    this.#outputs.push({ kind: 'event', event: { kind: 'acquire', policyId, local, remote } });
  }

  /** Tries held packets again, now that SAs or policies are others. Only those that may leave do. */
  release(at: number): void {
    this.held.release((packet) => {
      const slot = this.#encapsulate(packet, at);
      const waits =
        slot.verdict === Verdict.TRAP || slot.verdict === Verdict.NO_SA || slot.verdict === Verdict.NO_POLICY;
      if (!waits) this.#act(slot, at);
      return !waits;
    });
  }
}

/** The header may still have options that cannot be copied; such a packet is dropped. */
function fragmentsOf(packet: Uint8Array, mtuBytes: number): readonly Uint8Array[] {
  try {
    return fragmentIpv4(packet, mtuBytes);
  } catch (error) {
    if (error instanceof WireError) return [];
    throw error;
  }
}
