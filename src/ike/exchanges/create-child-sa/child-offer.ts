// The initiator's half of a Child SA's negotiation: what we propose, and whether the answer keeps to it (RFC 7296 2.7, 2.9).
import {
  address,
  type IpAddress,
  isIpv6,
  type SaProtocol,
  type Spi,
  spiBytes,
  spiFromBytes,
  type TrafficSelector,
} from '#sa';
import { NotifyType, type Payload } from '#wire';
import type { ChildAgreement, ChildSa } from '../../child-sas/child-sa.ts';
import type { ChildConfiguration, ChildSelector } from '../../configuration.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { childSuiteFromReply, proposalsToWire } from '../../negotiation/proposals.ts';
import {
  answerIsWithin,
  proposeSelectors,
  resolveSelectors,
  selectorsFromWire,
  selectorsToWire,
  substituteHost,
} from '../../negotiation/traffic-selectors.ts';
import { findErrorNotify, findNotify, notify } from '../../payloads/notify.ts';
import { mandatoryPayload, payloadOf } from '../../payloads/payload-lookup.ts';
import { childRefusalText } from '../../refusal-text.ts';
import type { AcquiredTraffic } from '../../task.ts';
import type { ChildOffer } from '../exchange.ts';

export interface OfferOptions {
  readonly exchange: 'IKE_AUTH' | 'CREATE_CHILD_SA';
  readonly acquired?: AcquiredTraffic | undefined;
  /** Keeps its number and its selectors (RFC 7296 2.8, 2.9.2: a rekeyed SA should not differ). */
  readonly replaces?: ChildSa | undefined;
}

export function offerChild(
  state: IkeSaState,
  configuration: ChildConfiguration,
  options: OfferOptions,
): ChildOffer {
  const { replaces, acquired } = options;
  const inboundSpi = state.ports.allocateSpi(replaces?.agreement.inboundSpi);
  const local =
    replaces?.agreement.local ??
    proposeSelectors(localPolicy(state, configuration.localSelectors), acquired?.local);
  const remote =
    replaces?.agreement.remote ??
    proposeSelectors(resolveSelectors(configuration.remoteSelectors, remoteHosts(state)), acquired?.remote);
  return {
    configuration,
    childId: replaces?.agreement.childId ?? state.ports.allocateChildId(),
    generation: replaces === undefined ? 0 : replaces.agreement.generation + 1,
    protocol: configuration.proposals[0]?.protocol === 'ah' ? 'ah' : 'esp',
    mode: replaces?.agreement.mode ?? configuration.mode,
    inboundSpi,
    proposals: proposalsToWire(configuration.proposals, spiBytes(inboundSpi), options.exchange),
    local,
    remote,
  };
}

export interface OfferPayloads {
  readonly notifies: readonly Payload[];
  readonly sa: Payload;
  readonly selectors: readonly Payload[];
}

export function offerPayloads(offer: ChildOffer): OfferPayloads {
  return {
    notifies: [
      // RFC 7296 1.3.1
      ...(offer.mode === 'transport' ? [notify(NotifyType.USE_TRANSPORT_MODE)] : []),
      // RFC 7296 1.3.1: we accept no padding beyond what ESP itself needs to be told about.
      notify(NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED),
    ],
    sa: { type: 'SA', proposals: offer.proposals },
    selectors: [
      { type: 'TSi', selectors: selectorsToWire(offer.local) },
      { type: 'TSr', selectors: selectorsToWire(offer.remote) },
    ],
  };
}

export type OfferVerdict =
  | { readonly kind: 'agreed'; readonly agreement: ChildAgreement }
  /** The responder refused: it has no state. */
  | { readonly kind: 'refused'; readonly failure: IkeFailure; readonly notifyData: Uint8Array }
  /** The responder has an SA that we cannot accept: it must be told (RFC 7296 2.21). */
  | { readonly kind: 'unacceptable'; readonly failure: IkeFailure };

export function judgeAnswer(
  state: IkeSaState,
  offer: ChildOffer,
  payloads: readonly Payload[],
): OfferVerdict {
  const sa = payloadOf(payloads, 'SA');
  const error = findErrorNotify(payloads);
  if (sa === undefined || error !== undefined) {
    const type = error?.notifyType;
    const detail = type === undefined ? 'the answer has no SA payload' : childRefusalText(type);
    return {
      kind: 'refused',
      failure: failure(codeOfNotify(type), detail, type),
      notifyData: error?.data ?? new Uint8Array(0),
    };
  }
  const unacceptable = (code: IkeFailure['code'], detail: string): OfferVerdict => ({
    kind: 'unacceptable',
    failure: failure(code, detail),
  });
  const chosen = childSuiteFromReply(sa.proposals, offer.proposals);
  const outboundSpi = chosen === undefined ? undefined : spiFromBytes(chosen.peerSpi);
  if (chosen === undefined || outboundSpi === undefined) {
    return unacceptable('no-proposal-chosen', 'the peer chose a proposal that we did not make');
  }
  if (isUsed(state, chosen.suite.protocol, outboundSpi)) {
    return unacceptable('no-proposal-chosen', 'the peer chose an SPI that it uses already');
  }
  const transport = findNotify(payloads, NotifyType.USE_TRANSPORT_MODE) !== undefined;
  // RFC 7296 1.3.1: a responder that declines transport mode makes a tunnel.
  const mode = offer.mode === 'transport' && !transport ? 'tunnel' : offer.mode;
  const answered = {
    initiator: selectorsFromWire(mandatoryPayload(payloads, 'TSi').selectors),
    responder: selectorsFromWire(mandatoryPayload(payloads, 'TSr').selectors),
  };
  if (!answerIsWithin(answered, { initiator: offer.local, responder: offer.remote })) {
    return unacceptable('ts-unacceptable', 'the peer answered traffic selectors that we did not propose');
  }
  const natted = mode === 'transport' && state.encapsulated;
  return {
    kind: 'agreed',
    agreement: {
      childId: offer.childId,
      generation: offer.generation,
      configuration: offer.configuration,
      protocol: chosen.suite.protocol,
      mode,
      suite: chosen.suite,
      inboundSpi: offer.inboundSpi,
      outboundSpi,
      // RFC 7296 2.23.1: behind a NAT, each end sees the addresses of its own side.
      local: natted ? seenAs(answered.initiator, state.local.address) : answered.initiator,
      remote: natted ? seenAs(answered.responder, state.remote.address) : answered.responder,
    },
  };
}

/** RFC 7296 2.8: a second SA under one SPI of the peer's could not be told from the first, nor removed without it. */
export function isUsed({ children }: IkeSaState, protocol: SaProtocol, outboundSpi: Spi): boolean {
  return children.some(
    ({ agreement }) => agreement.protocol === protocol && agreement.outboundSpi === outboundSpi,
  );
}

function seenAs(selectors: readonly TrafficSelector[], host: IpAddress): readonly TrafficSelector[] {
  return substituteHost(selectors, host)?.selectors ?? selectors;
}

export function codeOfNotify(notifyType: number | undefined): IkeFailure['code'] {
  switch (notifyType) {
    case NotifyType.NO_PROPOSAL_CHOSEN:
      return 'no-proposal-chosen';
    case NotifyType.INVALID_KE_PAYLOAD:
      return 'invalid-ke-payload';
    case NotifyType.AUTHENTICATION_FAILED:
      return 'peer-authentication-failed';
    case NotifyType.TS_UNACCEPTABLE:
    case NotifyType.SINGLE_PAIR_REQUIRED:
      return 'ts-unacceptable';
    case NotifyType.INVALID_SYNTAX:
      return 'invalid-syntax';
    case NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD:
      return 'unsupported-critical-payload';
    case NotifyType.INTERNAL_ADDRESS_FAILURE:
    case NotifyType.FAILED_CP_REQUIRED:
      return 'internal-address-failure';
    case NotifyType.NO_ADDITIONAL_SAS:
      return 'no-additional-sas';
    case NotifyType.TEMPORARY_FAILURE:
      return 'temporary-failure';
    case NotifyType.CHILD_SA_NOT_FOUND:
      return 'child-sa-not-found';
    default:
      return 'peer-notify';
  }
}

/** The hosts that `dynamic` stands for on our side. */
export function localHosts(state: IkeSaState): readonly IpAddress[] {
  return state.virtualAddresses.length > 0 ? state.virtualAddresses : [state.local.address];
}

/** The hosts that `dynamic` stands for on the peer's side. */
export function remoteHosts(state: IkeSaState): readonly IpAddress[] {
  return state.peerVirtualAddresses.length > 0 ? state.peerVirtualAddresses : [state.remote.address];
}

/** While a virtual address is still to be assigned, `dynamic` proposes everything and the responder narrows it (2.19). */
function localPolicy(state: IkeSaState, selectors: readonly ChildSelector[]): TrafficSelector[] {
  const asked = state.connection.virtualAddresses;
  if (asked.length === 0 || state.virtualAddresses.length > 0) {
    return resolveSelectors(selectors, localHosts(state));
  }
  return selectors.flatMap((selector) =>
    'dynamic' in selector
      ? asked.map((wanted) => ({
          protocol: selector.protocol,
          startPort: selector.startPort,
          endPort: selector.endPort,
          ...(isIpv6(wanted)
            ? { start: address('::'), end: address('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff') }
            : { start: address('0.0.0.0'), end: address('255.255.255.255') }),
        }))
      : [selector],
  );
}
