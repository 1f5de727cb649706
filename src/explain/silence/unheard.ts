// What one side has said since the other was heard.
import type { IpAddress } from '#sa';
import type { Sighting } from '../story.ts';
import { count } from '../words.ts';

/** Silences with fewer packets, or shorter, are not worth a word. */
export const packetsMin = 4;
export const durationUsMin = 500_000;
/** Without an unanswered request, traffic may want no answers: only a long pause after an exchange says something. */
export const weakPacketsMin = 30;
export const weakDurationUsMin = 5_000_000;
export const answeredBeforeMin = 5;

/** What a side has said since the other was heard. */
export interface Unheard {
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
}

export interface Speaker {
  readonly address: IpAddress;
  packets: number;
  esp: number;
  ike: number;
  last: Sighting | undefined;
  unheard: Unheard | undefined;
}

export function speaker(address: IpAddress): Speaker {
  return { address, packets: 0, esp: 0, ike: 0, last: undefined, unheard: undefined };
}

export function begin({ frame, atUs }: Sighting): Unheard {
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
  };
}

export function evidence({ esp, requests, unreachable, first, last }: Unheard): string {
  const parts: string[] = [];
  if (esp > 0) parts.push(count(esp, 'ESP packet'));
  if (requests > 0) parts.push(count(requests, 'IKE request'));
  const what = parts.length === 0 ? 'packets' : parts.join(' and ');
  const where =
    first.frame === last.frame ? `frame ${first.frame}` : `frames ${first.frame} to ${last.frame}`;
  const icmp = unreachable > 0 ? `, ${count(unreachable, 'ICMP error')} from its host` : '';
  return `${what} without an answer (${where}${icmp})`;
}
