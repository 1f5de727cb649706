// IKE_SA_INIT as its responder: a stateless refusal, or a half-open IKE SA with its answer (RFC 7296 1.2, 2.7, 2.10).
import { CryptoError, deriveIkeKeys, wipe } from '#crypto';
import { ExchangeType, keyExchangeData, NotifyType, type Payload } from '#wire';
import { makeCertificateRequest, wantsCertificate } from '../../authentication/certificate-request.ts';
import type { ConnectionConfiguration } from '../../configuration.ts';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { checkPayloads } from '../../messages/exchange-rules.ts';
import { invalidKeData } from '../../negotiation/key-exchange-group.ts';
import { type SelectedIkeSuite, selectIkeSuite } from '../../negotiation/proposals.ts';
import { notify } from '../../payloads/notify.ts';
import { mandatoryPayload } from '../../payloads/payload-lookup.ts';
import { protect } from '../../protection/protection-keys.ts';
import { offeredText } from '../../refusal-text.ts';
import {
  answerHalfOpen,
  answerOctets,
  beginsIkeSa,
  type InitOutcome,
  type InitRequest,
  openHalfOpen,
  replyWithoutState,
  unproven,
} from './half-open.ts';

export function answerInitRequest(request: InitRequest): InitOutcome {
  const { message, ports, local, remote } = request;
  if (!beginsIkeSa(message)) return { kind: 'drop', reason: 'no beginning of an IKE SA' };
  const rules = checkPayloads('IKE_SA_INIT request', message.payloads, undefined);
  if (!rules.ok) return replyWithoutState(message, notify(rules.notifyType, rules.data), rules.reason);
  const { payloads } = rules;
  const ke = mandatoryPayload(payloads, 'KE');
  const offered = mandatoryPayload(payloads, 'SA').proposals;

  const candidates = ports.connectionsFor({ local, remote });
  const chosen = choose(candidates, offered, ke.group);
  if (chosen === undefined) {
    const reason =
      candidates.length === 0
        ? 'no connection is for these addresses'
        : `no proposal suits, offered: ${offeredText(offered)}`;
    return replyWithoutState(message, notify(NotifyType.NO_PROPOSAL_CHOSEN), reason);
  }
  const { connection, selected } = chosen;
  if (selected.suite.ke !== ke.group) {
    const data = invalidKeData(selected.suite.ke);
    return replyWithoutState(
      message,
      notify(NotifyType.INVALID_KE_PAYLOAD, data),
      'another key exchange method is wanted',
    );
  }
  const half = openHalfOpen(request, connection, payloads);
  const { state, halfOpen } = half;
  // Our public value is as long as theirs, so that nothing has to be computed to know how long the answer is.
  const initResponse = answerOctets(
    half,
    {
      exchangeType: ExchangeType.IKE_SA_INIT,
      payloads: [
        { type: 'SA', proposals: [selected.reply] },
        { type: 'KE', group: selected.suite.ke, data: new Uint8Array(ke.data.length) },
      ],
      certificateRequest: certificateRequest(state, candidates),
    },
    request.answerBytesMax,
  );
  if (initResponse === undefined) return unproven;
  const keyPair = ports.randomness.keyPair(selected.suite.ke);
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = keyPair.agree(ke.data);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return replyWithoutState(message, notify(NotifyType.INVALID_SYNTAX), error.message);
  } finally {
    keyPair.destroy();
  }
  keyExchangeData(initResponse).set(keyPair.publicValue);

  const keys = deriveIkeKeys({
    suite: selected.suite,
    nonceInitiator: halfOpen.nonceInitiator,
    nonceResponder: halfOpen.nonceResponder,
    initiatorSpi: state.spis.initiator,
    responderSpi: state.spis.responder,
    sharedSecret,
  });
  wipe(sharedSecret);
  protect(state, selected.suite, keys);
  return answerHalfOpen(half, initResponse);
}

/** The first connection with an acceptable suite; the group that the initiator already used is preferred to a round trip. */
function choose(
  candidates: readonly ConnectionConfiguration[],
  offered: Parameters<typeof selectIkeSuite>[0],
  keyExchangeGroup: number,
): { readonly connection: ConnectionConfiguration; readonly selected: SelectedIkeSuite } | undefined {
  for (const connection of candidates) {
    const selected = selectIkeSuite(offered, connection.proposals, { order: 'configured', keyExchangeGroup });
    if (selected !== undefined) return { connection, selected };
  }
  return undefined;
}

function certificateRequest(state: IkeSaState, candidates: readonly ConnectionConfiguration[]): Payload[] {
  const wanted = candidates.some((candidate) => candidate.sendCertreq && wantsCertificate(candidate.remote));
  if (!wanted) return [];
  const request = makeCertificateRequest(state.ports.credentials().authorities);
  return request === undefined ? [] : [request];
}
