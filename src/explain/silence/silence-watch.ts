// One side speaks and the other does not: since when, with what, and how it ends.
import type { Conversation, Side } from '../conversation.ts';
import type { Sighting } from '../story.ts';
import { tellLostState, tellOutage, tellPause } from './silence-findings.ts';
import { tellMoved, tellUnended } from './unended.ts';
import {
  answeredBeforeMin,
  begin,
  durationUsMin,
  packetsMin,
  type Speaker,
  speaker,
  type Unheard,
  weakDurationUsMin,
  weakPacketsMin,
} from './unheard.ts';

/** What a side was heard to say. */
export type Spoken =
  | 'esp'
  | 'esp-new'
  | 'ike-request'
  | 'ike-response'
  | 'init-request'
  | 'init-response'
  | 'hip';

export class SilenceWatch {
  readonly #conversation: Conversation;
  readonly #sides: readonly [Speaker, Speaker];
  /** QUICK_CRASH_DETECTION as seen from each side; undefined: its IKE_AUTH could not be read. */
  readonly crashDetection: [boolean | undefined, boolean | undefined] = [undefined, undefined];

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
    const [one, other] = conversation.peers;
    this.#sides = [speaker(one), speaker(other)];
  }

  /** Packets of ESP and AH from a side. */
  espFrom(side: Side): number {
    return this.#sides[side].esp;
  }

  ikeFrom(side: Side): number {
    return this.#sides[side].ike;
  }

  heard(side: Side, at: Sighting, spoken: Spoken, spi?: number): void {
    const speaker = this.#sides[side];
    const other = this.#sides[side === 0 ? 1 : 0];
    if (other.unheard !== undefined) {
      this.#broken(other, speaker, other.unheard, at, spoken);
      other.unheard = undefined;
    }
    speaker.packets++;
    if (spoken === 'esp' || spoken === 'esp-new') speaker.esp++;
    else speaker.ike++;
    const unheard = speaker.unheard ?? begin(at);
    speaker.unheard = unheard;
    unheard.packets++;
    unheard.last = { frame: at.frame, atUs: at.atUs };
    if (spoken === 'esp' || spoken === 'esp-new') {
      unheard.esp++;
      unheard.espSince++;
      unheard.lastEsp = unheard.last;
      unheard.lastSpi = spi;
    } else if (spoken === 'ike-request') unheard.requests++;
    else if (spoken === 'init-request') {
      unheard.requests++;
      unheard.init ??= unheard.last;
    }
    speaker.last = unheard.last;
  }

  /** The host of a side says by ICMP that nobody takes our packets there. */
  unreachable(side: Side, at: Sighting): void {
    const unheard = this.#sides[side === 0 ? 1 : 0].unheard;
    if (unheard === undefined) return;
    unheard.unreachable++;
    unheard.lastUnreachable = { frame: at.frame, atUs: at.atUs };
    unheard.espSince = 0;
  }

  /** A side says, unprotected, that it does not know an SPI. */
  unknownSpi(side: Side, at: Sighting): void {
    const unheard = this.#sides[side === 0 ? 1 : 0].unheard;
    if (unheard === undefined) return;
    unheard.notifies++;
    if (unheard.firstNotify === undefined) {
      unheard.firstNotify = { frame: at.frame, atUs: at.atUs };
    }
  }

  /** The capture is over. */
  end(): void {
    const { departure } = this.#conversation;
    for (const [index, speaker] of this.#sides.entries()) {
      const other = index === 0 ? 1 : 0;
      const { unheard } = speaker;
      if (unheard === undefined) continue;
      const silence = {
        conversation: this.#conversation,
        speaker,
        silent: this.#sides[other],
        unheard,
        at: unheard.last,
      };
      if (departure === undefined) tellUnended(silence);
      // Whoever moved away hears its answers elsewhere.
      else if (departure.side === other) tellMoved(silence, departure);
    }
  }

  #broken(speaker: Speaker, silent: Speaker, unheard: Unheard, at: Sighting, spoken: Spoken): void {
    const lastedUs = at.atUs - unheard.first.atUs;
    if (unheard.packets < packetsMin || lastedUs < durationUsMin) return;
    if (silent.packets === 0) return;
    const silence = { conversation: this.#conversation, speaker, silent, unheard, at };
    const fresh = spoken === 'init-request' || spoken === 'init-response' || spoken === 'esp-new';
    const strong =
      unheard.requests >= 2 ||
      unheard.unreachable > 0 ||
      unheard.notifies > 0 ||
      spoken === 'init-request' ||
      (spoken === 'init-response' && unheard.esp >= packetsMin);
    if (strong && fresh) {
      tellLostState(silence, spoken === 'esp-new' ? 'new-spi' : spoken);
      return;
    }
    if (strong) {
      tellOutage(silence);
      return;
    }
    if (unheard.esp < weakPacketsMin || lastedUs < weakDurationUsMin || silent.esp < answeredBeforeMin)
      return;
    tellPause(silence);
  }
}
