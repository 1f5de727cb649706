// Messages by an IKE SA that a rekeying of ours is about to make: the peer uses it at once, and the network has no order.
import type { Endpoint } from '#sa';
import { type IkeHeader, sameOctets } from '#wire';
import type { EngineState } from '../engine-state.ts';
import { heardOnIkeSa } from '../recovery/parallel-attempt.ts';
import type { IkeEntry } from './ike-sa-registry.ts';

/** As many as a peer says before it waits for an answer, fragmented; whoever knows the SPI could fill them with anything. */
const messagesMax = 8;
const bytesMax = 16_384;

export interface EarlyMessage {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Without non-ESP marker. */
  readonly octets: Uint8Array;
}

/** Keeps a message until its IKE SA is there. False: none with its SPI is being made, or too much is kept already. */
export function keepEarly(state: EngineState, header: IkeHeader, message: EarlyMessage): boolean {
  // Who began the rekeying is the original initiator of what it makes (RFC 7296 2.8): the peer does not set the I flag.
  const maker = header.initiator ? undefined : state.registry.expecting(header.initiatorSpi);
  if (maker === undefined) return false;
  // It is said again while it is not answered.
  if (maker.early.some(({ octets }) => sameOctets(octets, message.octets))) return true;
  const bytes = maker.early.reduce((sum, { octets }) => sum + octets.length, message.octets.length);
  if (maker.early.length >= messagesMax || bytes > bytesMax) return false;
  maker.early.push({ ...message, octets: message.octets.slice() });
  return true;
}

/** The IKE SA is there: it hears what came for it. */
export function replayEarly(state: EngineState, maker: IkeEntry, made: IkeEntry): void {
  if (made.sa.initiatorSpi !== maker.expectedSpi) return;
  for (const message of maker.early.splice(0)) {
    made.sa.handle({ kind: 'message', at: state.at, ...message });
    heardOnIkeSa(state, made);
  }
}
