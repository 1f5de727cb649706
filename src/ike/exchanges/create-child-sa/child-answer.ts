// The responder's half of a Child SA's negotiation: suite, mode and narrowed selectors, or the notify that refuses (RFC 7296 2.7, 2.9).
import { type IpAddress, spiBytes, spiFromBytes, type TrafficSelector } from '#sa';
import { type NotifyPayload, NotifyType, type Payload } from '#wire';
import type { ChildAgreement, ChildSa } from '../../child-sas/child-sa.ts';
import type { ChildConfiguration } from '../../configuration.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import { invalidKeData } from '../../negotiation/key-exchange-group.ts';
import { selectChildSuite } from '../../negotiation/proposals.ts';
import {
  chooseCandidate,
  hostSelectors,
  resolveSelectors,
  selectorsFromWire,
  selectorsToWire,
  substituteHost,
} from '../../negotiation/traffic-selectors.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import { mandatoryPayload, payloadOf } from '../../payloads/payload-lookup.ts';
import { offeredText } from '../../refusal-text.ts';
import { isUsed, localHosts, remoteHosts } from './child-offer.ts';

export interface AnswerOptions {
  readonly exchange: 'IKE_AUTH' | 'CREATE_CHILD_SA';
  /** Set when the request rekeys it. */
  readonly replaces?: ChildSa;
}

export type ChildAnswer =
  | {
      readonly kind: 'accepted';
      readonly agreement: ChildAgreement;
      readonly notifies: readonly Payload[];
      readonly sa: Payload;
      readonly selectors: readonly Payload[];
    }
  | { readonly kind: 'refused'; readonly notify: NotifyPayload; readonly failure: IkeFailure };

export function answerChild(
  state: IkeSaState,
  payloads: readonly Payload[],
  options: AnswerOptions,
): ChildAnswer {
  const { replaces, exchange } = options;
  const wantsTransport = findNotify(payloads, NotifyType.USE_TRANSPORT_MODE) !== undefined;
  const tsi = selectorsFromWire(mandatoryPayload(payloads, 'TSi').selectors);
  const tsr = selectorsFromWire(mandatoryPayload(payloads, 'TSr').selectors);
  // RFC 7296 2.23.1: behind a NAT the proposal speaks of addresses that we do not see.
  const natted = wantsTransport && state.encapsulated;
  const seenTsi = natted ? substituteHost(tsi, state.remote.address) : undefined;
  const seenTsr = natted ? substituteHost(tsr, state.local.address) : undefined;
  const proposed = { initiator: seenTsi?.selectors ?? tsi, responder: seenTsr?.selectors ?? tsr };

  const configurations =
    replaces === undefined ? state.connection.children : [replaces.agreement.configuration];
  const chosen = chooseCandidate(
    proposed,
    configurations.map((configuration) => ({
      configuration,
      policy: policyOf(state, configuration, replaces),
    })),
  );
  if (chosen === undefined) {
    // RFC 7296 2.9.1
    return refuse(NotifyType.TS_UNACCEPTABLE, 'ts-unacceptable', 'no child allows the proposed selectors');
  }
  const { configuration } = chosen.candidate;
  const mode = modeFor(configuration, wantsTransport);
  const selectors =
    mode === 'transport'
      ? hostsOnly(state, chosen.selectors.initiator, chosen.selectors.responder)
      : chosen.selectors;
  if (selectors.initiator.length === 0 || selectors.responder.length === 0) {
    return refuse(NotifyType.TS_UNACCEPTABLE, 'ts-unacceptable', 'transport mode is for the two hosts only');
  }

  const group = payloadOf(payloads, 'KE')?.group;
  const inboundSpi = state.ports.allocateSpi(replaces?.agreement.inboundSpi);
  const offered = mandatoryPayload(payloads, 'SA').proposals;
  const preference = { order: 'configured', keyExchangeGroup: group } as const;
  const suite = selectChildSuite(
    offered,
    configuration.proposals,
    preference,
    exchange,
    spiBytes(inboundSpi),
  );
  const outboundSpi = suite === undefined ? undefined : spiFromBytes(suite.peerSpi);
  if (suite === undefined || outboundSpi === undefined) {
    state.ports.releaseSpi(inboundSpi);
    return refuse(
      NotifyType.NO_PROPOSAL_CHOSEN,
      'no-proposal-chosen',
      `no proposal suits ${configuration.name}, offered: ${offeredText(offered)}`,
    );
  }
  if (isUsed(state, suite.suite.protocol, outboundSpi)) {
    state.ports.releaseSpi(inboundSpi);
    return refuse(
      NotifyType.NO_PROPOSAL_CHOSEN,
      'no-proposal-chosen',
      'the peer proposes an SPI that it uses already',
    );
  }
  const wantedGroup = suite.suite.ke;
  if (wantedGroup !== undefined && wantedGroup !== group) {
    state.ports.releaseSpi(inboundSpi);
    return refuse(
      NotifyType.INVALID_KE_PAYLOAD,
      'invalid-ke-payload',
      `the proposal needs a key exchange by method ${wantedGroup}`,
      invalidKeData(wantedGroup),
    );
  }
  const restored = (
    own: readonly TrafficSelector[],
    seen: { readonly original: IpAddress } | undefined,
  ): readonly TrafficSelector[] =>
    seen === undefined ? own : (substituteHost(own, seen.original)?.selectors ?? own);
  return {
    kind: 'accepted',
    agreement: {
      childId: replaces?.agreement.childId ?? state.ports.allocateChildId(),
      generation: replaces === undefined ? 0 : replaces.agreement.generation + 1,
      configuration,
      protocol: suite.suite.protocol,
      mode,
      suite: suite.suite,
      inboundSpi,
      outboundSpi,
      local: selectors.responder,
      remote: selectors.initiator,
    },
    notifies: [
      ...(mode === 'transport' ? [notify(NotifyType.USE_TRANSPORT_MODE)] : []),
      ...(chosen.additionalPossible ? [notify(NotifyType.ADDITIONAL_TS_POSSIBLE)] : []),
      notify(NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED),
    ],
    sa: { type: 'SA', proposals: [suite.reply] },
    selectors: [
      { type: 'TSi', selectors: selectorsToWire(restored(selectors.initiator, seenTsi)) },
      { type: 'TSr', selectors: selectorsToWire(restored(selectors.responder, seenTsr)) },
    ],
  };
}

function policyOf(
  state: IkeSaState,
  configuration: ChildConfiguration,
  replaces: ChildSa | undefined,
): { readonly initiator: readonly TrafficSelector[]; readonly responder: readonly TrafficSelector[] } {
  if (replaces !== undefined) {
    return { initiator: replaces.agreement.remote, responder: replaces.agreement.local };
  }
  return {
    initiator: resolveSelectors(configuration.remoteSelectors, remoteHosts(state)),
    responder: resolveSelectors(configuration.localSelectors, localHosts(state)),
  };
}

/** RFC 7296 1.3.1: transport mode only if both want it; a child for transport mode alone still accepts a tunnel. */
function modeFor(configuration: ChildConfiguration, wantsTransport: boolean): ChildAgreement['mode'] {
  if (configuration.mode === 'transport') return wantsTransport ? 'transport' : 'tunnel';
  return configuration.mode;
}

function hostsOnly(
  state: IkeSaState,
  initiator: readonly TrafficSelector[],
  responder: readonly TrafficSelector[],
): { readonly initiator: readonly TrafficSelector[]; readonly responder: readonly TrafficSelector[] } {
  return {
    initiator: hostSelectors(initiator, state.remote.address),
    responder: hostSelectors(responder, state.local.address),
  };
}

function refuse(
  notifyType: number,
  code: IkeFailure['code'],
  detail: string,
  data?: Uint8Array,
): ChildAnswer {
  return { kind: 'refused', notify: notify(notifyType, data), failure: failure(code, detail) };
}
