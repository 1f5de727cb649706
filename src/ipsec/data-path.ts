// The batched data path: SPD, SAD, ESP and AH for arrays of packet slots, with a numeric verdict for each and no throw.
import type { Randomness } from '#crypto';
import type { DataPlaneEvent, PolicyParameters } from '#sa';
import { AhDecapsulation } from './ah/decapsulate.ts';
import { AhEncapsulation } from './ah/encapsulate.ts';
import { decapsulate } from './esp/decapsulate.ts';
import { encapsulate, encapsulateDummy } from './esp/encapsulate.ts';
import type { DecapsulationContext } from './inbound-processing.ts';
import type { EncapsulationContext } from './outbound-processing.ts';
import { PacketFields } from './packet/packet-fields.ts';
import type { PacketSlot } from './packet-slot.ts';
import { FlowCache } from './policy/flow-cache.ts';
import type { Spd } from './policy/spd.ts';
import type { Sad } from './sad.ts';
import type { InboundSa, OutboundSa } from './security-association.ts';
import { Verdict, type VerdictCode, verdictNames } from './verdicts.ts';

export interface DataPathOptions {
  /** Source of the IVs of block modes. */
  readonly randomness: Pick<Randomness, 'bytes'>;
  /** MTU of the outer path; 1500 by default. */
  readonly pathMtuBytes?: number;
  /**
   * Whether we forward between the networks ourselves and so count as a hop (RFC 4301 5.1.2.1, note 2). Off by
   * default: behind a tunnel device the host's IP stack does it.
   */
  readonly decrementHopLimit?: boolean;
}

interface OutboundDecision {
  readonly verdict: VerdictCode;
  readonly policy: PolicyParameters | undefined;
  readonly sa: OutboundSa | undefined;
}

interface InboundDecision {
  readonly sa: InboundSa;
  readonly refusal: VerdictCode | undefined;
}

/** Decisions about outbound flows depend on nothing else. */
const outboundTag = 0;

/** ESP and AH on batches of packets in the caller's buffers: a verdict for each, no copy and nothing thrown (RFC 4301 5). */
export class DataPath {
  readonly sad: Sad;
  readonly spd: Spd;
  readonly #fields = new PacketFields();
  readonly #outbound = new FlowCache<OutboundDecision>();
  readonly #inbound = new FlowCache<InboundDecision>();
  readonly #events: DataPlaneEvent[] = [];
  readonly #encapsulation: EncapsulationContext;
  readonly #decapsulation: DecapsulationContext;
  readonly #ahEncapsulation: AhEncapsulation;
  readonly #ahDecapsulation: AhDecapsulation;
  readonly #verdictCounts = new Float64Array(verdictNames.length);
  #spdVersion = -1;
  #sadVersion = -1;

  constructor(sad: Sad, spd: Spd, options: DataPathOptions) {
    this.sad = sad;
    this.spd = spd;
    const decrement = options.decrementHopLimit ?? false;
    this.#encapsulation = {
      randomness: options.randomness,
      pathMtuBytes: options.pathMtuBytes ?? 1500,
      decrementHopLimit: decrement,
      events: this.#events,
    };
    this.#decapsulation = {
      sad,
      decrementHopLimit: decrement,
      fields: this.#fields,
      refusal: (buffer, fields, sa) => this.#refusal(buffer, fields, sa),
      events: this.#events,
    };
    this.#ahEncapsulation = new AhEncapsulation(this.#encapsulation);
    this.#ahDecapsulation = new AhDecapsulation(this.#decapsulation);
  }

  /** Outbound: `slots[0..count)` hold IP packets; afterwards each has a verdict (RFC 4301 5.1). */
  encapsulate(slots: readonly PacketSlot[], at: number, count: number = slots.length): void {
    this.#forgetOldDecisions();
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      slot.verdict = this.#encapsulateOne(slot, at);
      this.#count(slot.verdict);
    }
  }

  /** Fills `slot` with a dummy packet of the pair's outbound SA, behind `slot.start` (RFC 4303 2.6). */
  encapsulateDummy(slot: PacketSlot, childId: number, payloadBytes: number, at: number): void {
    const sa = this.sad.isSealedElsewhere(childId) ? undefined : this.sad.currentOutbound(childId);
    slot.policy = undefined;
    slot.outboundSa = sa;
    slot.verdict =
      sa === undefined || sa.parameters.protocol === 'ah'
        ? Verdict.NO_SA
        : encapsulateDummy(this.#encapsulation, slot, sa, payloadBytes, at);
    this.#count(slot.verdict);
  }

  /**
   * Inbound: `slots[0..count)` hold ESP packets, UDP payloads, or whole IP packets with AH; afterwards each has a verdict
   * (RFC 4301 5.2).
   */
  decapsulate(slots: readonly PacketSlot[], at: number, count: number = slots.length): void {
    this.#forgetOldDecisions();
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      slot.inboundSa = undefined;
      slot.verdict =
        slot.protocol === 'ah'
          ? this.#ahDecapsulation.decapsulate(slot, at)
          : decapsulate(this.#decapsulation, slot, at);
      this.#count(slot.verdict);
    }
  }

  /** Inbound packets that came unprotected: `BYPASS`, or a verdict that drops (RFC 4301 5.2, step 3b). */
  admitUnprotected(slots: readonly PacketSlot[], count: number = slots.length): void {
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      slot.verdict = this.#admitOne(slot);
      this.#count(slot.verdict);
    }
  }

  /** What happened to SAs meanwhile, oldest first. */
  takeEvent(): DataPlaneEvent | undefined {
    return this.#events.shift();
  }

  /** Packets per verdict, by name. */
  verdictCounts(): Readonly<Record<string, number>> {
    return Object.fromEntries(verdictNames.map((name, code) => [name, this.verdictCount(code)]));
  }

  verdictCount(code: number): number {
    return this.#verdictCounts[code]!;
  }

  /** One more packet with an unknown SPI that nobody put into a slot. */
  countDismissed(): void {
    this.#count(Verdict.UNKNOWN_SPI);
  }

  #count(verdict: VerdictCode): void {
    this.#verdictCounts[verdict] = this.#verdictCounts[verdict]! + 1;
  }

  #forgetOldDecisions(): void {
    if (this.#spdVersion === this.spd.version && this.#sadVersion === this.sad.version) return;
    this.#spdVersion = this.spd.version;
    this.#sadVersion = this.sad.version;
    this.#outbound.clear();
    this.#inbound.clear();
  }

  /** Like `encapsulate` for a packet of any length, of which only that is of interest (`MemoryDataPlane.handsOver`). */
  handsOver(buffer: Uint8Array, start: number, length: number): number | undefined {
    this.#forgetOldDecisions();
    const fields = this.#fields;
    if (!fields.read(buffer, start, length)) return undefined;
    const { verdict, policy } = this.#decisionOn(buffer, fields);
    if (verdict !== Verdict.HANDED_OVER) return undefined;
    this.#count(verdict);
    return policy?.childId;
  }

  #decisionOn(buffer: Uint8Array, fields: PacketFields): OutboundDecision {
    let decision = this.#outbound.find(outboundTag, buffer, fields);
    if (decision === undefined) {
      decision = this.#decide(buffer, fields);
      this.#outbound.storeLast(decision);
    }
    return decision;
  }

  #encapsulateOne(slot: PacketSlot, at: number): VerdictCode {
    slot.outboundSa = undefined;
    slot.policy = undefined;
    const fields = this.#fields;
    if (!fields.read(slot.buffer, slot.start, slot.length)) return Verdict.MALFORMED;
    slot.length = fields.lengthBytes;
    const decision = this.#decisionOn(slot.buffer, fields);
    slot.policy = decision.policy;
    if (decision.sa === undefined) return decision.verdict;
    slot.outboundSa = decision.sa;
    return decision.sa.parameters.protocol === 'ah'
      ? this.#ahEncapsulation.encapsulate(slot, fields, decision.sa, at)
      : encapsulate(this.#encapsulation, slot, fields, decision.sa, at);
  }

  #decide(buffer: Uint8Array, fields: PacketFields): OutboundDecision {
    const policy = this.spd.find(buffer, fields, 'outbound');
    const without = (verdict: VerdictCode): OutboundDecision => ({ verdict, policy, sa: undefined });
    switch (policy?.action) {
      case undefined:
        return without(this.spd.unmatched === 'bypass' ? Verdict.BYPASS : Verdict.NO_POLICY);
      case 'bypass':
        return without(Verdict.BYPASS);
      case 'discard':
        return without(Verdict.DISCARDED);
      case 'trap':
        return without(Verdict.TRAP);
      case 'protect': {
        const { childId } = policy;
        if (childId === undefined) return without(Verdict.NO_SA);
        if (this.sad.isSealedElsewhere(childId)) return without(Verdict.HANDED_OVER);
        const sa = this.sad.currentOutbound(childId);
        if (sa === undefined) return without(Verdict.NO_SA);
        if (!sa.matcher.matches(buffer, fields, 'outbound')) return without(Verdict.OUTSIDE_SA);
        return { verdict: Verdict.SEALED, policy, sa };
      }
    }
  }

  #refusal(buffer: Uint8Array, fields: PacketFields, sa: InboundSa): VerdictCode | undefined {
    let decision = this.#inbound.find(sa.spi, buffer, fields);
    // ESP and AH may have the same SPI.
    if (decision?.sa !== sa) {
      decision = { sa, refusal: this.#refusalOfFlow(buffer, fields, sa) };
      this.#inbound.storeLast(decision);
    }
    return decision.refusal;
  }

  #refusalOfFlow(buffer: Uint8Array, fields: PacketFields, sa: InboundSa): VerdictCode | undefined {
    if (!sa.matcher.matches(buffer, fields, 'inbound')) return Verdict.OUTSIDE_SELECTORS;
    const permitted = this.spd.permitsProtected(buffer, fields, sa.parameters.childId);
    return permitted ? undefined : Verdict.NO_POLICY;
  }

  #admitOne(slot: PacketSlot): VerdictCode {
    const fields = this.#fields;
    if (!fields.read(slot.buffer, slot.start, slot.length)) return Verdict.MALFORMED;
    slot.length = fields.lengthBytes;
    const policy = this.spd.find(slot.buffer, fields, 'inbound');
    slot.policy = policy;
    if (policy === undefined) return this.spd.unmatched === 'bypass' ? Verdict.BYPASS : Verdict.NO_POLICY;
    return policy.action === 'bypass' ? Verdict.BYPASS : Verdict.DISCARDED;
  }
}
