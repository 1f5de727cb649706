// IKE_SA_INIT as its responder: a stateless refusal, or a half-open IKE SA with its answer (RFC 7296 1.2, 2.7, 2.10).
import { CryptoError, deriveIkeKeys, wipe } from '#crypto';
import type { Endpoint } from '#sa';
import {
  ExchangeType,
  encodeIkeMessage,
  type IkeMessage,
  type NotifyPayload,
  NotifyType,
  type Payload,
  zeroIkeSpi,
} from '#wire';
import { makeCertificateRequest } from '../authentication/certificate-request.ts';
import type { ConnectionConfiguration } from '../configuration.ts';
import { checkPayloads } from '../exchange-rules.ts';
import { IkeSaState, type NatTraversalPorts } from '../ike-sa-state.ts';
import type { IkeSaPorts } from '../interface.ts';
import { judgeNat, natDetectionNotifies } from '../nat-detection.ts';
import { invalidKeData } from '../negotiation/key-exchange-group.ts';
import { type SelectedIkeSuite, selectIkeSuite } from '../negotiation/proposals.ts';
import { notify } from '../notify.ts';
import { mandatoryPayload } from '../payload-lookup.ts';
import { protect } from '../protection-keys.ts';
import { offeredText } from '../refusal-text.ts';
import { headerOf, transmit } from '../transmission.ts';
import { announcements, natSpis, nonceBytes, noteAnnouncements } from './ike-sa-init-initiator.ts';

export interface InitRequest {
  readonly message: IkeMessage;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly ports: IkeSaPorts;
  readonly natTraversal: NatTraversalPorts;
  readonly at: number;
  readonly keyLog: boolean;
  readonly halfOpenTimeoutMs: number;
}

export type InitOutcome =
  /** Send it back to where the request came from; there is no state. */
  | { readonly kind: 'reply'; readonly octets: Uint8Array; readonly reason: string }
  | { readonly kind: 'drop'; readonly reason: string }
  | { readonly kind: 'state'; readonly state: IkeSaState };

export function answerInitRequest(request: InitRequest): InitOutcome {
  const { message, ports, local, remote } = request;
  const { header } = message;
  if (header.response || !header.initiator || header.messageId !== 0 || header.responderSpi !== zeroIkeSpi) {
    return { kind: 'drop', reason: 'no beginning of an IKE SA' };
  }
  const rules = checkPayloads('IKE_SA_INIT request', message.payloads, undefined);
  if (!rules.ok) return reply(message, notify(rules.notifyType, rules.data), rules.reason);
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
    return reply(message, notify(NotifyType.NO_PROPOSAL_CHOSEN), reason);
  }
  const { connection, selected } = chosen;
  if (selected.suite.ke !== ke.group) {
    const data = invalidKeData(selected.suite.ke);
    return reply(
      message,
      notify(NotifyType.INVALID_KE_PAYLOAD, data),
      'another key exchange method is wanted',
    );
  }
  const keyPair = ports.randomness.keyPair(selected.suite.ke);
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = keyPair.agree(ke.data);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return reply(message, notify(NotifyType.INVALID_SYNTAX), error.message);
  } finally {
    keyPair.destroy();
  }

  const nonceInitiator = mandatoryPayload(payloads, 'Nonce').data.slice();
  const nonceResponder = ports.randomness.bytes(nonceBytes);
  const spis = { initiator: header.initiatorSpi, responder: ports.allocateIkeSpi() };
  const material = { initRequest: message.octets.slice(), nonceInitiator, nonceResponder };
  const halfOpen = {
    name: 'half-open',
    ...material,
    initResponse: new Uint8Array(0),
    expiresAt: request.at + request.halfOpenTimeoutMs,
  } as const;
  const state = new IkeSaState({
    ports,
    role: 'responder',
    connection,
    spis,
    local,
    remote,
    natTraversal: request.natTraversal,
    keyLog: request.keyLog,
    at: request.at,
    phase: halfOpen,
    firstRequestId: 0,
    firstExpectedId: 1,
  });
  const keys = deriveIkeKeys({
    suite: selected.suite,
    nonceInitiator,
    nonceResponder,
    initiatorSpi: spis.initiator,
    responderSpi: spis.responder,
    sharedSecret,
  });
  wipe(sharedSecret);
  protect(state, selected.suite, keys);
  noteAnnouncements(state, payloads);
  const verdict = judgeNat(
    payloads,
    { initiatorSpi: spis.initiator, responderSpi: zeroIkeSpi },
    local,
    remote,
  );
  state.nat = connection.encap && verdict.supported ? { ...verdict, local: true } : verdict;
  if (state.encapsulated) {
    state.emit({ kind: 'nat-detected', local: state.nat.local, remote: state.nat.remote });
  }
  const initResponse = encodeIkeMessage({
    header: headerOf(state, ExchangeType.IKE_SA_INIT, 0, true),
    payloads: [
      { type: 'SA', proposals: [selected.reply] },
      { type: 'KE', group: keyPair.group, data: keyPair.publicValue },
      { type: 'Nonce', data: nonceResponder },
      ...(verdict.supported ? natDetectionNotifies(natSpis(state), local, remote, connection.encap) : []),
      ...announcements(state),
      notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED),
      ...certificateRequest(state, candidates),
    ],
  });
  state.phase = { ...halfOpen, initResponse };
  transmit(state, [initResponse]);
  return { kind: 'state', state };
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
  const wanted = candidates.some((candidate) => candidate.sendCertreq && candidate.remote.method !== 'psk');
  if (!wanted) return [];
  const request = makeCertificateRequest(state.ports.credentials().authorities);
  return request === undefined ? [] : [request];
}

function reply(message: IkeMessage, payload: NotifyPayload, reason: string): InitOutcome {
  const { header } = message;
  const octets = encodeIkeMessage({
    header: {
      ...header,
      majorVersion: 2,
      minorVersion: 0,
      initiator: false,
      response: true,
      higherVersion: false,
    },
    payloads: [payload],
  });
  return { kind: 'reply', octets, reason };
}
