// Telling a new message from a repetition, and keeping of it what is needed.
import type { IkeMessage, ReceivedIkeHeader, WireProposal } from '#wire';
import type { Sighting } from '../story.ts';
import type { IkeRole, TrackedExchange, TrackedMessage } from './tracked-ike-sa.ts';

/** Views would keep the whole message in memory. */
export function withoutOctets({ transforms, ...proposal }: WireProposal): WireProposal {
  return {
    ...proposal,
    spi: new Uint8Array(),
    transforms: transforms.map(({ type, id, attributes }) => ({
      type,
      id,
      attributes: attributes.filter(({ value }) => typeof value === 'number'),
    })),
  };
}

export function exchangeKey(requester: IkeRole, messageId: number): string {
  return `${requester} ${messageId}`;
}

export function begin(messageId: number, exchangeType: number, requester: IkeRole): TrackedExchange {
  return {
    messageId,
    exchangeType,
    requester,
    request: undefined,
    response: undefined,
    triesAfterResponse: 0,
    concluded: false,
  };
}

export function withTexts(
  message: TrackedMessage,
  texts: TrackedMessage['texts'] | undefined,
): TrackedMessage {
  return texts === undefined ? message : { ...message, texts };
}

/** @returns whether the message as a whole is sent again, and not another fragment of it */
export function repeat(known: TrackedMessage, message: IkeMessage, at: Sighting): boolean {
  known.last = { frame: at.frame, atUs: at.atUs };
  const sealed = message.payloads.at(-1);
  if (sealed?.type !== 'SKF') {
    known.tries++;
    return true;
  }
  const isNew = !known.fragmentsSeen.has(sealed.fragmentNumber);
  if (isNew && known.fragmentsSeen.size < 256) known.fragmentsSeen.add(sealed.fragmentNumber);
  if (isNew || sealed.fragmentNumber !== 1) return false;
  known.tries++;
  return true;
}

/** Of a message that the capture cut. */
export function headerAlone(octets: Uint8Array, header: ReceivedIkeHeader): IkeMessage {
  return { header, payloads: [], octets };
}

export function hashOf(octets: Uint8Array): number {
  let hash = 0x811c_9dc5;
  for (const octet of octets) hash = Math.imul(hash ^ octet, 0x0100_0193);
  return (hash ^ octets.length) >>> 0;
}
