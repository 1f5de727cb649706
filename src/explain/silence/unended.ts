// A silence that lasts to the end of the capture: a black hole, or one direction only from the beginning.
import type { Departure } from '../conversation.ts';
import { count, duration } from '../words.ts';
import type { Silence } from './silence-findings.ts';
import {
  answeredBeforeMin,
  durationUsMin,
  evidence,
  packetsMin,
  weakDurationUsMin,
  weakPacketsMin,
} from './unheard.ts';

/** Until a move is heard of, and its new address proven, some packets go to the old one. */
const stragglersUs = 2_000_000;

/** One side has moved, and the other one sent to where it was. */
export function tellMoved({ conversation, speaker, silent, unheard }: Silence, { at, to }: Departure): void {
  const lastedUs = unheard.last.atUs - unheard.first.atUs;
  if (unheard.packets < packetsMin || lastedUs < durationUsMin) return;
  const goesOn = unheard.last.atUs - at.atUs > stragglersUs;
  conversation.findings.find(unheard.first, {
    code: 'sent-to-former-address',
    severity: goesOn ? 'problem' : 'notice',
    about: silent.address,
    what: `${speaker.address} sends ${count(unheard.packets, 'packet')} to ${silent.address}, which has become ${to}`,
    why: `${evidence(unheard)} over ${duration(lastedUs)}; the first message from there is frame ${at.frame}`,
    advice: goesOn
      ? `${speaker.address} does not follow the move, or not with all SAs: do both sides do MOBIKE (RFC 4555), and did ` +
        `its check of the new address succeed? Its log knows.`
      : 'They are lost. So long it took until the move was told and believed.',
  });
}

/** The capture ends, and the silence had no end: at the beginning, nobody may have been there at all. */
export function tellUnended({ conversation, speaker, silent, unheard }: Silence): void {
  const { findings, events } = conversation;
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
