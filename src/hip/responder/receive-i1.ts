// I1: answered by an R1 out of the pool, and forgotten (RFC 7401 6.7).
import { hitSuiteProfile } from '#crypto';
import {
  addressHipR1,
  appendHipParameters,
  hipPacketLengthMax,
  hipParameter,
  hitSuiteOf,
  zeroHit,
} from '#wire';
import type { LocalIdentity } from '../configuration.ts';
import type { HipHostState, ReceivedPacket } from '../host-state.ts';
import { registrarOffer } from '../registration/registrar.ts';
import { relayI1 } from '../rendezvous/relay-i1.ts';
import { relayedI1 } from '../rendezvous/relayed-i1.ts';

/** With one address. */
const viaRvsBytes = 24;

export function receiveI1(state: HipHostState, received: ReceivedPacket): void {
  const { packet } = received;
  const { sender } = packet.header;
  const local = addressee(state, received);
  if (local === undefined) {
    relayI1(state, received);
    return;
  }
  state.responder.load.note(state.at);
  if (hitSuiteProfile(hitSuiteOf(sender) ?? 0) === undefined) {
    state.reject(received, 'hit-suite');
    return;
  }
  const offered = hipParameter(packet.parameters, 'DH_GROUP_LIST')?.groups;
  if (offered === undefined) {
    state.reject(received, 'missing-parameter');
    return;
  }
  const association = state.find(local.identity.hit, sender);
  // RFC 7401 4.4.3, table 3: both called at once, and the greater HIT becomes the Responder.
  if (association?.attempt?.name === 'I1-SENT' && association.localIsSmaller) {
    state.reject(received, 'smaller-hit');
    return;
  }
  const relayed = relayedI1(state, received);
  if (typeof relayed === 'string') {
    state.reject(received, relayed);
    return;
  }
  const path = relayed?.path ?? received.path;
  const { configuration, responder, at } = state;
  if (!responder.mayAnswer(path, configuration, at)) {
    state.reject(received, 'rate');
    return;
  }
  // RFC 7401 6.7 4: without a common group, any; the Initiator sees from our list that it is no mistake.
  const group = configuration.groups.find((own) => offered.includes(own)) ?? configuration.groups[0]!;
  const difficulty = responder.load.difficulty(configuration.puzzle, at);
  const services = registrarOffer(state, sender);
  // Whoever waits for our R2 asks for R1 besides, and would answer a newer one by another I2: one more association each time.
  const answered = association?.standing?.r2?.r1Number;
  const entry = responder.pool.offer({ local, group, difficulty, services }, configuration, at, answered);
  const random = responder.random(sender, local.identity.hit, path, entry);
  const r1 = addressHipR1(entry.octets, { receiver: sender, opaque: entry.number, random });
  // No signature covers VIA_RVS: it comes last, and is for people, so that an R1 without room for it does without.
  const hasRoom = r1.length + viaRvsBytes <= hipPacketLengthMax;
  state.transmit(path, relayed === undefined || !hasRoom ? r1 : appendHipParameters(r1, [relayed.via]));
}

/** Whom of us an I1 is for. Without a HIT, one of the suite that the Initiator has itself (RFC 7401 6.7 5). */
function addressee(state: HipHostState, { packet }: ReceivedPacket): LocalIdentity | undefined {
  const { sender, receiver } = packet.header;
  if (receiver !== zeroHit) return state.identity(receiver);
  const { identities } = state.configuration;
  const suite = hitSuiteOf(sender);
  return identities.find(({ identity }) => hitSuiteOf(identity.hit) === suite) ?? identities[0];
}
