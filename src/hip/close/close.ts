// The end of an association in order: CLOSE and CLOSE_ACK (RFC 7401 5.3.7, 5.3.8, 6.14, 6.15).
import { equalConstantTime, type HostIdentity, verifyHipMac, verifyHipSignature } from '#crypto';
import { HipPacketType, hipParameter, sameOctets } from '#wire';
import type { AssociationKeys, HipAssociation, Leaving } from '../association.ts';
import { echoWanted, unsignedEchoesWanted } from '../echo.ts';
import { endStanding } from '../establish.ts';
import { type HipHostState, type ReceivedPacket, wipeKeys } from '../host-state.ts';
import type { HipEnd } from '../interface.ts';
import { isSameWay } from '../locators/verified-path.ts';
import { unknownAssociation } from '../unknown-association.ts';
import { protectedPacket } from '../update/send-update.ts';

const echoBytes = 8;

/** Of a packet: the checksum is another one where it is said to be from elsewhere. */
const behindChecksum = 6;

/** No data from now on; the keys stay until the peer has answered or had time enough to. */
export function beginClose(
  state: HipHostState,
  association: HipAssociation,
  cause: HipEnd,
  reason: string,
): void {
  const { standing } = association;
  if (standing === undefined) return;
  const { keys, peer } = standing;
  const echo = state.ports.randomness.bytes(echoBytes);
  const packet = protectedPacket(state, association, keys, HipPacketType.CLOSE, [
    { type: 'ECHO_REQUEST_SIGNED', data: echo },
  ]);
  const { unusedMs, segmentLifetimeMs, retransmission } = state.configuration;
  const { path } = association;
  state.change(association, reason, () => {
    endStanding(state, association, { cause, reason, keepKeys: true });
    leave(association, {
      state: 'CLOSING',
      keys,
      peer,
      echo,
      close: { path, packet, repetitions: 0, nextAt: state.at + retransmission.baseMs },
      answered: undefined,
      until: state.at + unusedMs + segmentLifetimeMs,
    });
  });
  state.transmit(path, packet);
}

function leave(association: HipAssociation, leaving: Leaving): void {
  const { leaving: before } = association;
  if (before !== undefined && before.keys !== leaving.keys) wipeKeys(before.keys);
  association.leaving = leaving;
}

interface Party {
  readonly keys: AssociationKeys;
  readonly peer: HostIdentity;
  readonly leaving: Leaving | undefined;
}

/** Whose keys a CLOSE may be under: what stands, what we are leaving, or what the peer believes to stand since its R2. */
function parties({ standing, leaving, attempt }: HipAssociation): Party[] {
  return [
    ...(standing === undefined ? [] : [{ keys: standing.keys, peer: standing.peer, leaving: undefined }]),
    ...(leaving === undefined ? [] : [{ keys: leaving.keys, peer: leaving.peer, leaving }]),
    ...(attempt?.name === 'I2-SENT'
      ? [{ keys: attempt.keys, peer: attempt.r1.identity, leaving: undefined }]
      : []),
  ];
}

export function receiveClose(state: HipHostState, received: ReceivedPacket): void {
  const { packet, path } = received;
  const association = state.of(received);
  const known = association === undefined ? [] : parties(association);
  if (association === undefined || known.length === 0) {
    unknownAssociation(state, received);
    return;
  }
  const { answered } = association.leaving ?? {};
  if (answered !== undefined && sameOctets(answered.close, packet.octets.subarray(behindChecksum))) {
    // RFC 7401 table 8: our CLOSE_ACK was lost. To whoever says that it is from elsewhere there is none.
    if (isSameWay(path, answered.path)) state.transmit(path, answered.octets);
    else state.reject(received, 'repeated');
    return;
  }
  const echo = echoWanted(packet.parameters);
  if (echo === undefined || echo === 'too-long') {
    state.reject(received, echo === undefined ? 'missing-parameter' : 'echo');
    return;
  }
  const party = known.find(({ keys }) => verifyHipMac(packet, keys.responder, keys.peer.integrity));
  if (party === undefined || !verifyHipSignature(packet, party.peer)) {
    state.reject(received, party === undefined ? 'mac' : 'signature');
    return;
  }
  const { keys, peer } = party;
  const echoes = unsignedEchoesWanted(packet.parameters);
  const response = { type: 'ECHO_RESPONSE_SIGNED', data: echo } as const;
  const { CLOSE_ACK } = HipPacketType;
  const answer = protectedPacket(state, association, keys, CLOSE_ACK, [response], echoes);
  const { unusedMs, segmentLifetimeMs } = state.configuration;
  state.change(association, 'the peer closed it', () => {
    if (association.standing?.keys === keys) {
      endStanding(state, association, {
        cause: 'closed-by-peer',
        reason: 'closed by the peer',
        keepKeys: true,
      });
    }
    if (association.attempt?.name === 'I2-SENT' && association.attempt.keys === keys) {
      state.ports.releaseSpi(association.attempt.inboundSpi);
      association.attempt = undefined;
    }
    // What we asked ourselves may still be acknowledged (RFC 7401 table 8).
    leave(association, {
      state: 'CLOSED',
      keys,
      peer,
      echo: party.leaving?.echo,
      close: undefined,
      answered: { close: packet.octets.slice(behindChecksum), path, octets: answer },
      until: state.at + unusedMs + 2 * segmentLifetimeMs,
    });
  });
  state.transmit(path, answer);
}

export function receiveCloseAck(state: HipHostState, received: ReceivedPacket): void {
  const { packet } = received;
  const association = state.of(received);
  const leaving = association?.leaving;
  if (association === undefined || leaving?.echo === undefined) {
    if (association === undefined) unknownAssociation(state, received);
    else state.reject(received, 'unexpected');
    return;
  }
  const { keys, peer, echo } = leaving;
  const echoed = hipParameter(packet.parameters, 'ECHO_RESPONSE_SIGNED')?.data;
  if (echoed === undefined || !equalConstantTime(echo, echoed)) {
    state.reject(received, echoed === undefined ? 'missing-parameter' : 'echo');
    return;
  }
  if (!verifyHipMac(packet, keys.responder, keys.peer.integrity) || !verifyHipSignature(packet, peer)) {
    state.reject(received, 'mac');
    return;
  }
  endLeaving(state, association, 'the peer acknowledged the end');
}

export function endLeaving(state: HipHostState, association: HipAssociation, reason: string): void {
  state.change(association, reason, () => {
    if (association.leaving !== undefined) wipeKeys(association.leaving.keys);
    association.leaving = undefined;
  });
}

/** Repeats CLOSE, or forgets what has been left long enough ago. */
export function tendLeaving(state: HipHostState, association: HipAssociation): void {
  const { leaving } = association;
  if (leaving === undefined) return;
  if (state.at >= leaving.until) {
    endLeaving(state, association, 'nobody needs it any longer');
    return;
  }
  const { close } = leaving;
  if (close === undefined || state.at < close.nextAt) return;
  close.repetitions++;
  close.nextAt = state.at + state.configuration.retransmission.baseMs * 2 ** close.repetitions;
  state.transmit(close.path, close.packet);
}
