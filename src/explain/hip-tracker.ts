// HIP: who talks to whom, and the SPIs that they tell each other in the clear (RFC 7401 5.1, RFC 7402 5.1.1).
import { formatSpi } from '#sa';
import { Reader, readU16, WireError } from '#wire';
import type { Conversation } from './conversation.ts';
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

const espInfo = 65;
const parametersMax = 64;
const spisMax = 64;

interface HipHeader {
  readonly type: number;
  readonly senderHit: string;
  readonly receiverHit: string;
  /** Of ESP_INFO: 0 for none. */
  readonly oldSpi?: number;
  readonly newSpi?: number;
}

/** The fixed header, and ESP_INFO if the packet has it. @throws WireError */
function readHip(octets: Uint8Array): HipHeader {
  const reader = new Reader(octets);
  reader.skip(1, 'HIP.nextHeader');
  const length = 8 * (reader.u8('HIP.length') + 1);
  const type = reader.u8('HIP.packetType') & 0x7f;
  reader.skip(5, 'HIP.version');
  const senderHit = hit(reader.bytes(16, 'HIP.sender'));
  const receiverHit = hit(reader.bytes(16, 'HIP.receiver'));
  const end = Math.min(length, octets.length);
  // RFC 7401 5.2.1: type, length without padding, contents, all in units of 8 octets.
  for (let at = 40, seen = 0; at + 4 <= end && seen < parametersMax; seen++) {
    const contents = readU16(octets, at + 2);
    if (readU16(octets, at) === espInfo && contents >= 12 && at + 16 <= end) {
      const parameter = new Reader(octets, at + 8, at + 16);
      const oldSpi = parameter.u32('ESP_INFO.oldSpi');
      return { type, senderHit, receiverHit, oldSpi, newSpi: parameter.u32('ESP_INFO.newSpi') };
    }
    at += (contents + 4 + 7) & ~7;
  }
  return { type, senderHit, receiverHit };
}

function hit(octets: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => readU16(octets, 2 * i).toString(16));
  return groups.join(':');
}

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
  const { senderHit, receiverHit, type, oldSpi, newSpi } = header;
  const key = [senderHit, receiverHit].toSorted().join(' ');
  let association = conversation.hipAssociations.get(key);
  if (association === undefined) {
    association = new TrackedAssociation([senderHit, receiverHit], at);
    conversation.hipAssociations.set(key, association);
  }
  association.packets++;
  association.last = { frame: at.frame, atUs: at.atUs };
  if (newSpi !== undefined && newSpi !== 0 && association.spis.size < spisMax) association.spis.add(newSpi);
  const spis =
    newSpi === undefined
      ? ''
      : oldSpi !== undefined && oldSpi !== 0
        ? `, SPI ${formatSpi(oldSpi)} becomes ${formatSpi(newSpi)}`
        : `, wants ESP on SPI ${formatSpi(newSpi)}`;
  const name = names[type] ?? `packet of type ${type}`;
  conversation.events.tell(at, 'hip', `${source.address} sends HIP ${name} as ${senderHit}${spis}`);
  conversation.silence.heard(conversation.sideOf(source.address), at, 'hip');
  return true;
}
