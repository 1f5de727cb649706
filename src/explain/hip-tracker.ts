// HIP: who talks to whom, and the SPIs that they tell each other in the clear (RFC 7401 5.1, RFC 7402 5.1.1).
import { formatSpi } from '#sa';
import { firstHipStatusNotify, HipNotifyType, hipNotifyTypeName, WireError } from '#wire';
import type { Conversation } from './conversation.ts';
import { type HipHeader, readHip } from './hip-header.ts';
import type { Datagram } from './ingress/datagram.ts';
import type { HipAssociationRow, Sighting } from './story.ts';

const names: Readonly<Record<number, string>> = {
  1: 'I1',
  2: 'R1',
  3: 'I2',
  4: 'R2',
  16: 'UPDATE',
  17: 'NOTIFY',
  18: 'CLOSE',
  19: 'CLOSE_ACK',
};

const spisMax = 64;

/** The HIP packets of one pair of HITs. */
export class TrackedAssociation {
  readonly hits: readonly [string, string];
  readonly first: Sighting;
  last: Sighting;
  packets = 0;
  readonly spis: Set<number> = new Set<number>();

  constructor(hits: readonly [string, string], at: Sighting) {
    this.hits = hits;
    this.first = { frame: at.frame, atUs: at.atUs };
    this.last = this.first;
  }

  row(): HipAssociationRow {
    return {
      initiatorHit: this.hits[0],
      responderHit: this.hits[1],
      packets: this.packets,
      first: this.first,
      last: this.last,
      spis: [...this.spis].map(formatSpi),
    };
  }
}

/** @returns false if the packet cannot be read */
export function hipPacket(conversation: Conversation, datagram: Datagram): boolean {
  const { at, source, octets } = datagram;
  let header: HipHeader;
  try {
    header = readHip(octets);
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
  const { senderHit, receiverHit, type, newSpi } = header;
  const key = [senderHit, receiverHit].toSorted().join(' ');
  let association = conversation.hipAssociations.get(key);
  if (association === undefined) {
    association = new TrackedAssociation([senderHit, receiverHit], at);
    conversation.hipAssociations.set(key, association);
  }
  association.packets++;
  association.last = { frame: at.frame, atUs: at.atUs };
  if (newSpi !== undefined && newSpi !== 0 && association.spis.size < spisMax) association.spis.add(newSpi);
  const name = names[type] ?? `packet of type ${type}`;
  // Of those there are as many as of ESP's keepalives.
  if (header.notifyType !== HipNotifyType.NAT_KEEPALIVE)
    conversation.events.tell(
      at,
      'hip',
      `${deed(source.address, name, header)}${spiText(header)}${notifyText(header)}`,
    );
  if (header.notifyType !== undefined && header.notifyType < firstHipStatusNotify)
    errorFound(conversation, datagram, header.notifyType);
  conversation.silence.heard(conversation.sideOf(source.address), at, 'hip');
  return true;
}

/** Who does what; a rendezvous server passes on what another one has said (RFC 8004 3.3). */
function deed(source: string, name: string, { senderHit, from, via = [], locators = [] }: HipHeader): string {
  const reachable = locators.length === 0 ? '' : `, reachable at ${locators.join(' ')}`;
  if (from !== undefined)
    return `${source} passes on HIP ${name} of ${from}, which is ${senderHit}${reachable}`;
  const asked = via.length === 0 ? '' : `, asked by way of ${via.join(' ')}`;
  return `${source} sends HIP ${name} as ${senderHit}${asked}${reachable}`;
}

function notifyText({ notifyType }: HipHeader): string {
  return notifyType === undefined ? '' : `: ${hipNotifyTypeName(notifyType)}`;
}

/** RFC 7401 5.3.6: it changes nothing by itself, and nobody has to say it. */
function errorFound({ findings }: Conversation, { at, source, destination }: Datagram, type: number): void {
  const name = hipNotifyTypeName(type);
  findings.find(at, {
    code: 'hip-notify',
    severity: 'problem',
    about: `${source.address} ${type}`,
    what: `${source.address} says ${name} to ${destination.address}`,
    why: `a NOTIFY in frame ${at.frame}`,
    advice: `What ${destination.address} sent last is not accepted: the log of ${source.address} knows more.`,
  });
}

function spiText({ oldSpi, newSpi }: HipHeader): string {
  if (newSpi === undefined) return '';
  if (oldSpi === newSpi) return `, SPI ${formatSpi(newSpi)}`;
  return oldSpi !== undefined && oldSpi !== 0
    ? `, SPI ${formatSpi(oldSpi)} becomes ${formatSpi(newSpi)}`
    : `, wants ESP on SPI ${formatSpi(newSpi)}`;
}
