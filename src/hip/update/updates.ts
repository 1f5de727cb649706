// What an association knows of its UPDATE packets: ours on their way, the peer's that were processed (RFC 7401 6.11, 6.12).
import type { HipKeymat, KeyPair } from '#crypto';
import type { Spi } from '#sa';
import type { HipParameter } from '#wire';
import type { EspPair, Standing } from '../association.ts';
import { removePair } from '../esp-pair.ts';
import type { HipHostState } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import type { Probe } from '../locators/probe.ts';

/** What an UPDATE of ours is for. One is under way at a time, so that none depends on another. */
export type UpdatePurpose =
  | 'rekey'
  | 'check'
  | 'move'
  /** We ask for a registration, or end one; and as registrar we tell what we offer. */
  | 'register'
  | 'cancel'
  | 'offer';

export interface OutstandingUpdate {
  readonly updateId: number;
  readonly purpose: UpdatePurpose;
  readonly path: HipPath;
  readonly packet: Uint8Array;
  readonly sentAt: number;
  /** What the peer has to echo. */
  readonly echo: Uint8Array | undefined;
  repetitions: number;
  nextAt: number;
}

/** The peer's half of a rekeying (RFC 7402 6.9). */
export interface PeerHalf {
  readonly newSpi: Spi;
  readonly keymatIndex: number;
  readonly publicValue: Uint8Array | undefined;
}

/** What takes the place of the pair in use once our half is acknowledged. */
export interface PreparedPair {
  readonly pair: EspPair;
  /** Absent: the keys came out of the one in use. */
  readonly keymat: HipKeymat | undefined;
  readonly nextIndex: number;
  readonly peerPublicValue: Uint8Array;
}

/** A rekeying of the ESP SAs under way (RFC 7402 6.8 to 6.10). */
export interface Rekeying {
  readonly inboundSpi: Spi;
  readonly keymatIndex: number;
  readonly keyPair: KeyPair | undefined;
  acknowledged: boolean;
  /** Both halves are known: the SAs are installed, and the peer may send by them before we do. */
  prepared: PreparedPair | undefined;
  /** Until when the peer's half may come; for good until ours is acknowledged. */
  until: number;
}

/**
 * What a repeated UPDATE is answered with: the packet that answered it first, or what an acknowledgement has besides. A
 * packet that asks an address for its nonce goes nowhere else.
 */
export type UpdateAnswer = Uint8Array | readonly HipParameter[];

/** Update IDs ahead of the expected one that are processed all the same (RFC 7401 6.12). */
const windowMax = 16;

export class Updates {
  outstanding: OutstandingUpdate | undefined;
  rekeying: Rekeying | undefined;
  /** By Update ID: to each address of the peer that has to prove itself, its own. */
  readonly probes: Map<number, Probe> = new Map();
  /** What is to be sent once the outstanding one is acknowledged. */
  readonly wanted: Set<UpdatePurpose> = new Set();
  #nextId = 0;
  /** The peer's next one in sequence; those ahead of it that came already. */
  #expectedId = 0;
  readonly #ahead: Set<number> = new Set();
  #lastAnswer: { readonly updateId: number; readonly answer: UpdateAnswer } | undefined;

  takeId(): number {
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) >>> 0;
    return id;
  }

  judge(updateId: number): 'new' | 'repeated' | 'outside' {
    const distance = (updateId - this.#expectedId) >>> 0;
    if (distance < windowMax) return this.#ahead.has(updateId) ? 'repeated' : 'new';
    return distance >= 0x8000_0000 ? 'repeated' : 'outside';
  }

  processed(updateId: number): void {
    this.#ahead.add(updateId);
    while (this.#ahead.delete(this.#expectedId)) this.#expectedId = (this.#expectedId + 1) >>> 0;
  }

  /** Our answer to the UPDATE that came last, for it is most likely to be repeated. */
  remember(updateId: number, answer: UpdateAnswer): void {
    this.#lastAnswer = { updateId, answer };
  }

  answerTo(updateId: number): UpdateAnswer | undefined {
    return this.#lastAnswer?.updateId === updateId ? this.#lastAnswer.answer : undefined;
  }

  /**
   * Our half was sent in vain, as far as we know. The peer may have it all the same and have made its pair of it: whenever it is heard
   * again, it has to get the same half, and no other.
   */
  get halfIsSpent(): boolean {
    return this.rekeying?.acknowledged === false && this.outstanding?.purpose !== 'rekey';
  }

  /** Ends a rekeying that did not come to its end. */
  dropRekeying(state: HipHostState, standing: Pick<Standing, 'childId'>): void {
    const { rekeying } = this;
    this.rekeying = undefined;
    if (rekeying === undefined) return;
    rekeying.keyPair?.destroy();
    rekeying.prepared?.keymat?.destroy();
    if (rekeying.prepared === undefined) state.ports.releaseSpi(rekeying.inboundSpi);
    else removePair(state, standing, rekeying.prepared.pair);
  }
}
