// One side speaks and the other does not: how long, what is known of the silent one, and what would have ended it.
import { formatSpi, type IpAddress } from '#sa';
import type { Conversation, Side } from './conversation.ts';
import type { Sighting } from './story.ts';
import { count, duration } from './words.ts';

/** What a side was heard to say. */
export type Spoken = 'esp' | 'ike-request' | 'ike-response' | 'init-request' | 'init-response' | 'hip';

/** Silences with fewer packets, or shorter, are not worth a word. */
const packetsMin = 4;
const durationUsMin = 500_000;
/** Without an unanswered request, traffic may want no answers: only a long pause after an exchange says something. */
const weakPacketsMin = 30;
const weakDurationUsMin = 5_000_000;
const answeredBeforeMin = 5;
/** Traffic that went without an answer so shortly before a fresh exchange was answered took the same path. */
const sameMomentUs = 2_000_000;

/** What a side has said since the other was heard. */
interface Unheard {
  packets: number;
  esp: number;
  requests: number;
  first: Sighting;
  last: Sighting;
  lastEsp: Sighting | undefined;
  lastSpi: number | undefined;
  init: Sighting | undefined;
  /** ICMP errors from the silent host itself, and packets of ESP since the last. */
  unreachable: number;
  lastUnreachable: Sighting | undefined;
  espSince: number;
  /** Unprotected notifies of the silent side that it does not know an SPI. */
  notifies: number;
  firstNotify: Sighting | undefined;
  espSinceNotify: number;
}

interface Speaker {
  readonly address: IpAddress;
  packets: number;
  esp: number;
  ike: number;
  last: Sighting | undefined;
  unheard: Unheard | undefined;
}

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
    if (spoken === 'esp') speaker.esp++;
    else speaker.ike++;
    const unheard = speaker.unheard ?? begin(at);
    speaker.unheard = unheard;
    unheard.packets++;
    unheard.last = { frame: at.frame, atUs: at.atUs };
    if (spoken === 'esp') {
      unheard.esp++;
      unheard.espSince++;
      unheard.espSinceNotify++;
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
      unheard.espSinceNotify = 0;
    }
  }

  /** The capture is over. */
  end(): void {
    for (const [index, speaker] of this.#sides.entries()) {
      const silent = this.#sides[index === 0 ? 1 : 0]!;
      if (speaker.unheard !== undefined) this.#unbroken(speaker, silent, speaker.unheard);
    }
  }

  #broken(speaker: Speaker, silent: Speaker, unheard: Unheard, at: Sighting, spoken: Spoken): void {
    const lastedUs = at.atUs - unheard.first.atUs;
    if (unheard.packets < packetsMin || lastedUs < durationUsMin) return;
    if (silent.packets === 0) return;
    const fresh = spoken === 'init-request' || spoken === 'init-response';
    const strong =
      unheard.requests >= 2 ||
      unheard.unreachable > 0 ||
      unheard.notifies > 0 ||
      spoken === 'init-request' ||
      (spoken === 'init-response' && unheard.esp >= packetsMin);
    if (strong && fresh) {
      this.#lostState(speaker, silent, unheard, at, spoken);
      return;
    }
    if (strong) {
      this.#outage(silent, unheard, at);
      return;
    }
    if (unheard.esp < weakPacketsMin || lastedUs < weakDurationUsMin || silent.esp < answeredBeforeMin)
      return;
    this.#conversation.findings.find(unheard.first, {
      code: 'pause',
      severity: 'note',
      about: silent.address,
      what: `${silent.address} sent nothing for ${duration(lastedUs)}, then went on with the same SAs`,
      why: `${count(unheard.esp, 'ESP packet')} of ${speaker.address} passed in that time (frames ${unheard.first.frame} to ${unheard.last.frame})`,
      advice: 'If that traffic wants answers, look for an outage of the path; if it is one-way, all is well.',
    });
  }

  /** The silent side still knows its SAs: it was the path, or the host was busy. */
  #outage(silent: Speaker, unheard: Unheard, at: Sighting): void {
    const lasted = duration(at.atUs - unheard.first.atUs);
    const { events, findings } = this.#conversation;
    events.tell(unheard.first, 'silence', `${silent.address} falls silent; ${evidence(unheard)}`);
    events.tell(at, 'silence-ends', `${silent.address} is heard again after ${lasted}, with the SAs it had`);
    const away = unheard.unreachable > 0;
    findings.find(unheard.first, {
      code: 'outage',
      severity: 'problem',
      about: `${silent.address} ${unheard.first.frame}`,
      what: away
        ? `${silent.address} was away for ${lasted}, and came back with the SAs it had`
        : `${silent.address} did not answer for ${lasted}, and then went on with the SAs it had`,
      why: `${evidence(unheard)}; what came in frame ${at.frame} belongs to an SA from before`,
      advice: away
        ? 'Its host said by ICMP that nobody listened: the program ended and started again, and kept its SAs (a ' +
          'checkpoint, or the kernel holds them). INVALID_SPI or QCD would not have helped.'
        : `It lost no state: look at the path between the two, or at the load of ${silent.address}. INVALID_SPI or QCD ` +
          'would not have helped.',
    });
  }

  /** A fresh IKE SA ends the silence: the silent side forgot, or was given up. */
  #lostState(speaker: Speaker, silent: Speaker, unheard: Unheard, at: Sighting, spoken: Spoken): void {
    const { events, findings } = this.#conversation;
    const lastedUs = at.atUs - unheard.first.atUs;
    const calls = spoken === 'init-request';
    const samePath =
      unheard.lastEsp !== undefined &&
      at.atUs - unheard.lastEsp.atUs < sameMomentUs &&
      unheard.esp >= packetsMin;
    const sure = calls || unheard.unreachable > 0 || unheard.notifies > 0;
    const suspected = sure || samePath;
    const how = calls
      ? `${silent.address} asks for a fresh IKE SA itself (frame ${at.frame})`
      : `${silent.address} answers a fresh IKE SA at once (frame ${at.frame})`;
    // The request that was answered in the end.
    if (!calls) unheard.requests = Math.max(0, unheard.requests - 1);
    if (suspected) {
      for (const sa of this.#conversation.ikeSas.values()) {
        if (sa.state === 'established' && sa.first.frame < (unheard.init ?? at).frame) sa.state = 'lost';
      }
    }
    events.tell(unheard.first, 'silence', `${silent.address} falls silent; ${evidence(unheard)}`);
    events.tell(at, 'silence-ends', `${how}, ${duration(lastedUs)} after the first packet without an answer`);
    const because = [evidence(unheard), how];
    if (unheard.lastUnreachable !== undefined) {
      because.push(
        `its host said by ICMP that nobody listened, last in frame ${unheard.lastUnreachable.frame}: the program was gone, not the path`,
      );
    } else if (samePath && !calls) {
      because.push(
        `ESP went without an answer until ${duration(at.atUs - unheard.lastEsp!.atUs)} before, on the same path`,
      );
    }
    findings.find(unheard.first, {
      code: suspected ? 'lost-state' : 'silence',
      severity: 'problem',
      about: `${silent.address} ${unheard.first.frame}`,
      what: suspected
        ? `${silent.address} lost its SAs (a reboot or a crash); traffic had no answer for ${duration(lastedUs)}`
        : `${silent.address} did not answer for ${duration(lastedUs)}, until a fresh IKE SA was made`,
      why: because.join('; '),
      advice: suspected
        ? `${this.#remedy(speaker, silent, unheard, at, calls)}`
        : 'Either the path was down or the peer lost its state: its log around that time knows.',
    });
  }

  /** Whether a notify or a token would have told the survivor earlier, and how much. */
  #remedy(speaker: Speaker, silent: Speaker, unheard: Unheard, at: Sighting, calls: boolean): string {
    const side = this.#conversation.sideOf(silent.address);
    const tokens = this.crashDetection[side] === true && this.crashDetection[side === 0 ? 1 : 0] === true;
    if (unheard.firstNotify !== undefined) {
      const ignoredUs = at.atUs - unheard.firstNotify.atUs;
      if (calls) {
        return (
          `${silent.address} said so by an unprotected notify (first in frame ${unheard.firstNotify.frame}) and called ` +
          `itself ${duration(ignoredUs)} later: nobody had to heed it.`
        );
      }
      return (
        `${silent.address} said so by an unprotected notify (${count(unheard.notifies, 'time')}, first in frame ` +
        `${unheard.firstNotify.frame}), and ${speaker.address} began anew ${duration(ignoredUs)} later. ` +
        (ignoredUs < 2_000_000
          ? 'The notify helped.'
          : `${speaker.address} did not heed it; a liveness check on such a hint, or QCD (RFC 6290), would have saved that time.`)
      );
    }
    const spi = unheard.lastSpi === undefined ? 'an old SPI' : `SPI ${formatSpi(unheard.lastSpi)}`;
    const from = unheard.lastUnreachable ?? unheard.first;
    const sent = unheard.lastUnreachable === undefined ? unheard.esp : unheard.espSince;
    const savedUs = at.atUs - from.atUs;
    if (sent === 0) return 'Nothing was sent on the old SAs meanwhile: INVALID_SPI could not have helped.';
    const when =
      unheard.lastUnreachable === undefined
        ? 'The first of them that found it up again'
        : `Some time after frame ${unheard.lastUnreachable.frame} it was up again, and the next of them`;
    const base =
      `${count(sent, 'packet')} of ${spi} went to it meanwhile. ${when} could have been answered by INVALID_SPI ` +
      `(RFC 7296 1.5), which is a hint, and by a QCD token (RFC 6290), which is a proof: that would have saved up ` +
      `to ${duration(savedUs)}.`;
    const qcd = tokens
      ? ' Both sides had agreed on QCD, yet no token was seen.'
      : this.crashDetection[0] === undefined && this.crashDetection[1] === undefined
        ? ' Whether both speak QCD is in IKE_AUTH, which --keys would open.'
        : ' QCD was not agreed on.';
    const own = calls
      ? ''
      : ` Letting ${silent.address} call after a start (start_action = start) helps without either.`;
    return base + qcd + own;
  }

  #unbroken(speaker: Speaker, silent: Speaker, unheard: Unheard): void {
    const { findings, events } = this.#conversation;
    const lastedUs = unheard.last.atUs - unheard.first.atUs;
    if (unheard.packets < packetsMin) return;
    if (silent.packets === 0) {
      const host = unheard.unreachable > 0 ? `; its host answers by ICMP that nobody listens` : '';
      findings.find(unheard.first, {
        code: 'one-direction',
        severity: 'problem',
        about: silent.address,
        what: `nothing of ${silent.address} was seen, only packets to it`,
        why: `${evidence(unheard)} over ${duration(lastedUs)}${host}`,
        advice:
          unheard.unreachable > 0
            ? `Start the IKE daemon of ${silent.address}.`
            : 'A black hole, or a capture that sees one direction: capture at the other side too, and look for a ' +
              'firewall that drops UDP 500, UDP 4500 or IP protocol 50, and for routes that differ by direction.',
      });
      return;
    }
    const strong = unheard.requests >= 2 || unheard.unreachable > 0 || unheard.notifies > 0;
    const weak =
      unheard.esp >= weakPacketsMin && lastedUs >= weakDurationUsMin && silent.esp >= answeredBeforeMin;
    if (!(strong && lastedUs >= durationUsMin) && !weak) return;
    events.tell(unheard.first, 'silence', `${silent.address} falls silent to the end; ${evidence(unheard)}`);
    const about =
      unheard.notifies > 0
        ? ` It says that it does not know the SPI (frame ${unheard.firstNotify!.frame}): it lost its state, and ${speaker.address} does not heed it.`
        : '';
    findings.find(unheard.first, {
      code: 'black-hole',
      severity: strong ? 'problem' : 'notice',
      about: silent.address,
      what: `${silent.address} falls silent and is not heard again, while ${speaker.address} goes on sending`,
      why: `${evidence(unheard)} over the last ${duration(lastedUs)} of the conversation${
        silent.last === undefined ? '' : `; the last of ${silent.address} is frame ${silent.last.frame}`
      }`,
      advice:
        unheard.unreachable > 0
          ? `Its host answers by ICMP that nobody listens: start the IKE daemon of ${silent.address}.${about}`
          : `Look whether ${silent.address} is up and reachable, and whether it logs packets of unknown SPIs: it may have ` +
            `lost its state.${about} Dead peer detection (dpd_delay) decides how soon ${speaker.address} notices.`,
    });
  }
}

function speaker(address: IpAddress): Speaker {
  return { address, packets: 0, esp: 0, ike: 0, last: undefined, unheard: undefined };
}

function begin({ frame, atUs }: Sighting): Unheard {
  return {
    packets: 0,
    esp: 0,
    requests: 0,
    first: { frame, atUs },
    last: { frame, atUs },
    lastEsp: undefined,
    lastSpi: undefined,
    init: undefined,
    unreachable: 0,
    lastUnreachable: undefined,
    espSince: 0,
    notifies: 0,
    firstNotify: undefined,
    espSinceNotify: 0,
  };
}

function evidence({ esp, requests, unreachable, first, last }: Unheard): string {
  const parts: string[] = [];
  if (esp > 0) parts.push(count(esp, 'ESP packet'));
  if (requests > 0) parts.push(count(requests, 'IKE request'));
  const what = parts.length === 0 ? 'packets' : parts.join(' and ');
  const where =
    first.frame === last.frame ? `frame ${first.frame}` : `frames ${first.frame} to ${last.frame}`;
  const icmp = unreachable > 0 ? `, ${count(unreachable, 'ICMP error')} from its host` : '';
  return `${what} without an answer (${where}${icmp})`;
}
