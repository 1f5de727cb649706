// What a silence is found to be: an outage of the path, lost state, or no end; and what would have ended it sooner.
import { formatSpi } from '#sa';
import type { Conversation } from '../conversation.ts';
import type { Sighting } from '../story.ts';
import { count, duration } from '../words.ts';
import { evidence, packetsMin, type Speaker, type Unheard } from './unheard.ts';

/** One side spoke, the other was silent, until `at`. */
export interface Silence {
  readonly conversation: Conversation;
  readonly speaker: Speaker;
  readonly silent: Speaker;
  readonly unheard: Unheard;
  readonly at: Sighting;
}

/** What ends a silence with a fresh start: the silent side asks, answers, or uses an SPI whose making is not seen. */
export type FreshStart = 'init-request' | 'init-response' | 'new-spi';

/** Traffic that went without an answer so shortly before a fresh exchange was answered took the same path. */
const sameMomentUs = 2_000_000;

/** The silent side still knows its SAs: it was the path, or the host was busy. */
export function tellOutage({ conversation, silent, unheard, at }: Silence): void {
  const lasted = duration(at.atUs - unheard.first.atUs);
  const { events, findings } = conversation;
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
export function tellLostState(silence: Silence, start: FreshStart): void {
  const { conversation, silent, unheard, at } = silence;
  const { events, findings } = conversation;
  const lastedUs = at.atUs - unheard.first.atUs;
  const calls = start === 'init-request';
  const samePath =
    unheard.lastEsp !== undefined &&
    at.atUs - unheard.lastEsp.atUs < sameMomentUs &&
    unheard.esp >= packetsMin;
  const sure = calls || unheard.unreachable > 0 || unheard.notifies > 0;
  const suspected = sure || samePath;
  const ways: Readonly<Record<FreshStart, string>> = {
    'init-request': 'asks for a fresh IKE SA itself',
    'init-response': 'answers a fresh IKE SA at once',
    'new-spi': 'begins anew with an SPI whose making is not in the capture',
  };
  const how = `${silent.address} ${ways[start]} (frame ${at.frame})`;
  // The request that was answered in the end.
  if (start === 'init-response') unheard.requests = Math.max(0, unheard.requests - 1);
  if (suspected) {
    for (const sa of conversation.ikeSas.values()) {
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
      ? remedy(silence, calls)
      : 'Either the path was down or the peer lost its state: its log around that time knows.',
  });
}

/** Whether a notify or a token would have told the survivor earlier, and how much. */
function remedy({ conversation, speaker, silent, unheard, at }: Silence, calls: boolean): string {
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
  const qcd = aboutCrashDetection(conversation.silence.crashDetection);
  const own = calls
    ? ''
    : ` Letting ${silent.address} call after a start (start_action = start) helps without either.`;
  return base + qcd + own;
}

/** @param agreed whether each side offered QUICK_CRASH_DETECTION; undefined: that could not be read */
function aboutCrashDetection(agreed: readonly (boolean | undefined)[]): string {
  if (agreed.every((one) => one === true)) return ' Both sides had agreed on QCD, yet no token was seen.';
  if (agreed.every((one) => one === undefined)) {
    return ' Whether both speak QCD is in IKE_AUTH, which --keys would open.';
  }
  return ' QCD was not agreed on.';
}

/** Nothing speaks for a fault: the traffic may be of a kind that wants no answers. */
export function tellPause({ conversation: { findings }, speaker, silent, unheard, at }: Silence): void {
  const lastedUs = at.atUs - unheard.first.atUs;
  findings.find(unheard.first, {
    code: 'pause',
    severity: 'note',
    about: silent.address,
    what: `${silent.address} sent nothing for ${duration(lastedUs)}, then went on with the same SAs`,
    why: `${count(unheard.esp, 'ESP packet')} of ${speaker.address} passed in that time (frames ${unheard.first.frame} to ${unheard.last.frame})`,
    advice: 'If that traffic wants answers, look for an outage of the path; if it is one-way, all is well.',
  });
}
