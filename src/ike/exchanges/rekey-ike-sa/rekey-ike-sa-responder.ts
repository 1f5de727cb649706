// CREATE_CHILD_SA that replaces the IKE SA, as its responder (RFC 7296 1.3.2, 2.8.2, 2.25.2).
import { CryptoError } from '#crypto';
import { ikeSpiBytes, type NotifyPayload, NotifyType, type Payload } from '#wire';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import { endIkeSa } from '../../lifecycle.ts';
import { type RequestOrigin, sendResponse } from '../../messages/transmission.ts';
import { invalidKeData } from '../../negotiation/key-exchange-group.ts';
import { selectIkeSuite } from '../../negotiation/proposals.ts';
import { notify } from '../../payloads/notify.ts';
import { mandatoryPayload } from '../../payloads/payload-lookup.ts';
import { answerTicketRequest } from '../ike-session-resume/tickets.ts';
import { foreignNotifies, reportNotifies } from '../informational/foreign-notifies.ts';
import { noteWindowSize, windowAnnouncement } from '../informational/window-size.ts';
import { lowerNonce, nonceBytes } from '../nonces.ts';
import { proposedIkeSpi } from './ike-spi.ts';
import { handOver, makeSuccessor } from './successor.ts';

export function handleRekeyIkeRequest(
  state: IkeSaState,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): void {
  const refuse = (payload: NotifyPayload): void => sendResponse(state, origin, [payload]);
  const { ports, connection } = state;
  // A second rekeying by the peer while the first one is not decided.
  if (state.collision !== undefined) {
    refuse(notify(NotifyType.TEMPORARY_FAILURE));
    return;
  }
  const ke = mandatoryPayload(payloads, 'KE');
  const offered = mandatoryPayload(payloads, 'SA').proposals;
  const spi = ports.allocateIkeSpi();
  const preference = { order: 'configured', keyExchangeGroup: ke.group } as const;
  const selected = selectIkeSuite(offered, connection.proposals, preference, ikeSpiBytes(spi));
  const initiatorSpi = selected === undefined ? undefined : proposedIkeSpi(selected.peerSpi);
  if (selected === undefined || initiatorSpi === undefined) {
    refuse(notify(NotifyType.NO_PROPOSAL_CHOSEN));
    return;
  }
  const { suite } = selected;
  if (suite.ke !== ke.group) {
    refuse(notify(NotifyType.INVALID_KE_PAYLOAD, invalidKeData(suite.ke)));
    return;
  }
  const keyPair = ports.randomness.keyPair(suite.ke);
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = keyPair.agree(ke.data);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    // RFC 6989 2.5, RFC 7296 2.21.3
    refuse(notify(NotifyType.INVALID_SYNTAX));
    endIkeSa(state, failure('invalid-syntax', error.message));
    return;
  } finally {
    keyPair.destroy();
  }
  const nonceInitiator = mandatoryPayload(payloads, 'Nonce').data;
  const nonceResponder = ports.randomness.bytes(nonceBytes);
  const successor = makeSuccessor(state, {
    role: 'responder',
    spis: { initiator: initiatorSpi, responder: spi },
    suite,
    nonceInitiator,
    nonceResponder,
    sharedSecret,
  });
  noteWindowSize(successor, payloads);
  reportNotifies(successor, payloads);
  sendResponse(state, origin, [
    { type: 'SA', proposals: [selected.reply] },
    { type: 'Nonce', data: nonceResponder },
    { type: 'KE', group: suite.ke, data: keyPair.publicValue },
    ...windowAnnouncement(state),
    ...foreignNotifies(successor),
    ...answerTicketRequest(successor, payloads),
  ]);
  // RFC 7296 2.8.2: with our own rekeying under way, the nonces decide who inherits.
  if (state.rekeying) {
    state.collision = { successor, lowestNonce: lowerNonce(nonceInitiator, nonceResponder).slice() };
  } else {
    handOver(state, successor);
  }
}
