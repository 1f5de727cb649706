// Word that a peer may have lost its state: unprotected messages, ICMP errors, and INVALID_SPI under protection.
import type { ChildSaStatus } from '#ike';
import type { Endpoint } from '#sa';
import {
  fitsQuote,
  type HintJudgement,
  invalidSpiOf,
  judgeIcmpQuote,
  judgeInvalidSpi,
  judgeRefusal,
  type OutboundSa,
  offeredTokens,
  type QuotedPacket,
  type QuotedSa,
} from '#unknown-spi';
import {
  decodeIkeMessage,
  ExchangeType,
  type IkeMessage,
  type NotifyPayload,
  NotifyType,
  PayloadType,
  type ReceivedIkeHeader,
  WireError,
} from '#wire';
import type { EngineState } from '../engine-state.ts';
import { receiveHipHint } from '../hip/hip-recovery.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import type { HintKind, HintOutcome } from '../interface.ts';
import { attemptInParallel } from './parallel-attempt.ts';
import { peerForgot } from './peer-forgot.ts';

/**
 * Whether a message is meant for nobody's keys: it is then a hint, or nothing. IKE_SA_INIT and IKE_SESSION_RESUME are
 * unprotected by nature and have their own ways.
 */
export function isOutsideExchanges({ nextPayload, exchangeType, majorVersion }: ReceivedIkeHeader): boolean {
  return (
    majorVersion === 2 &&
    nextPayload !== PayloadType.SK &&
    nextPayload !== PayloadType.SKF &&
    exchangeType !== ExchangeType.IKE_SA_INIT &&
    exchangeType !== ExchangeType.IKE_SESSION_RESUME
  );
}

/** Handles an unprotected message. `false`: it is no hint either. It is never answered (RFC 7296 1.5, 2.21.4). */
export function receiveHint(state: EngineState, remote: Endpoint, octets: Uint8Array): boolean {
  let message: IkeMessage;
  try {
    message = decodeIkeMessage(octets);
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
  const notifies = message.payloads.filter((payload): payload is NotifyPayload => payload.type === 'N');
  const types = new Set(notifies.map(({ notifyType }) => notifyType));
  if (types.has(NotifyType.INVALID_SPI) && !message.header.response) {
    receiveInvalidSpi(state, remote, notifies);
    return true;
  }
  const kind = types.has(NotifyType.INVALID_IKE_SPI)
    ? 'invalid-ike-spi'
    : types.has(NotifyType.INVALID_MAJOR_VERSION)
      ? 'invalid-major-version'
      : undefined;
  if (kind === undefined) return false;
  receiveRefusal(state, remote, message, notifies, kind);
  return true;
}

/** RFC 6290 8.2: with tokens, those of the IKE SA that owns the SPI. */
function receiveInvalidSpi(state: EngineState, remote: Endpoint, notifies: readonly NotifyPayload[]): void {
  const spi = invalidSpiOf(notifies);
  if (spi === undefined) {
    report(state, remote, 'invalid-spi', 'malformed');
    return;
  }
  const candidates = outboundSasWith(state, spi);
  // A token is proof from any address; a bare hint counts only from the peer's own.
  for (const { ikeId } of candidates) if (checkTokens(state, remote, ikeId, notifies, spi)) return;
  followUp(state, remote, 'invalid-spi', judgeInvalidSpi(remote.address, candidates), spi);
}

function receiveRefusal(
  state: EngineState,
  remote: Endpoint,
  { header }: IkeMessage,
  notifies: readonly NotifyPayload[],
  kind: HintKind,
): void {
  const ours = header.initiator ? header.responderSpi : header.initiatorSpi;
  const entry = state.registry.bySpi(ours);
  const { initiatorSpi, responderSpi } = header;
  if (
    entry === undefined ||
    entry.sa.initiatorSpi !== initiatorSpi ||
    entry.sa.responderSpi !== responderSpi
  ) {
    report(state, remote, kind, 'no-such-request');
    return;
  }
  if (header.response && checkTokens(state, remote, entry.ikeId, notifies)) return;
  const judgement = judgeRefusal(header, entry.initiator, entry.sa.outstanding);
  if (!judgement.fits) {
    report(state, remote, kind, judgement.reason, { entry });
    return;
  }
  report(state, remote, kind, 'probe-outstanding', { entry });
  attemptInParallel(state, entry, 'the peer says that it does not know the IKE SA');
}

/** Whether the tokens end the matter. Comparing is cheap, and limited all the same (RFC 6290 8.1, 8.2). */
function checkTokens(
  state: EngineState,
  remote: Endpoint,
  ikeId: number,
  notifies: readonly NotifyPayload[],
  spi?: number,
): boolean {
  const offered = offeredTokens(notifies);
  const entry = state.registry.byId(ikeId);
  const held = state.recovery.held.get(ikeId);
  if (offered.length === 0 || entry === undefined || held === undefined) return false;
  const about = { entry, ...(spi === undefined ? {} : { spi }) };
  if (!state.recovery.tokenChecks.take(remote.address, state.at)) {
    report(state, remote, 'token', 'too-many-tokens', about);
    return false;
  }
  if (!held.verify(offered)) {
    // RFC 6290 8.2: it may be of an IKE SA that was rekeyed, and says nothing about the peer.
    report(state, remote, 'token', 'token-unknown', about);
    return false;
  }
  report(state, remote, 'token', 'proven', about);
  peerForgot(state, entry);
  return true;
}

/** An ICMP error quoted one of our packets. */
export function receiveIcmpError(state: EngineState, from: Endpoint, quote: QuotedPacket): void {
  const ofHip = receiveHipHint(state, quote);
  if (ofHip !== undefined) {
    reportHipHint(state, from, ofHip, quote.spi);
    return;
  }
  const named = quote.spi === undefined ? [] : outboundSasWith(state, quote.spi);
  const judgement = judgeIcmpQuote(quote, named, outboundSasToward(state, quote));
  followUp(state, from, 'icmp', judgement, quote.spi);
}

/** The same, about a HIP association. */
function reportHipHint(
  state: EngineState,
  remote: Endpoint,
  { outcome, connection }: { readonly outcome: HintOutcome; readonly connection: string },
  spi: number | undefined,
): void {
  const ofSpi = spi === undefined ? {} : { spi };
  state.event({ kind: 'hint', hint: 'icmp', remote, protected: false, outcome, connection, ...ofSpi });
  state.recovery.incidents.add({
    atMs: state.wallClockMs,
    spis: spi === undefined ? [] : [spi],
    remote,
    what: 'hint',
    reason: `icmp ${outcome}`,
    detail: `unprotected icmp: ${outcome}`,
    connection,
  });
}

/** RFC 7296 2.21.4: no SA changes its state. A Child SA that the peer does not know is replaced in good order. */
export function receiveProtectedInvalidSpi(state: EngineState, from: IkeEntry, notify: NotifyPayload): void {
  const { remote } = from.sa;
  const spi = invalidSpiOf([notify]);
  const found = spi === undefined ? undefined : carrierOf(state, from, spi);
  if (spi === undefined || found === undefined || found.entry.sa.queued.includes('rekey-child')) {
    const outcome = spi === undefined ? 'malformed' : 'no-such-outbound-spi';
    const about = { entry: from, protected: true, ...(spi === undefined ? {} : { spi }) };
    report(state, remote, 'invalid-spi', outcome, about);
    return;
  }
  const { entry, child } = found;
  const about = { entry, protected: true, spi };
  if (!state.recovery.replacements.take(String(child.childId), state.at)) {
    report(state, remote, 'invalid-spi', 'back-off', about);
    return;
  }
  report(state, remote, 'invalid-spi', 'replacing-child', about);
  const command = { kind: 'rekey-child' as const, childId: child.childId };
  entry.sa.handle({ kind: 'command', at: state.at, command });
  state.touch(entry);
}

/**
 * The Child SA that sends on this SPI: of the IKE SA over which the peer speaks, or of another one with the same peer, whom
 * it has forgotten. Replacing it asks over its own IKE SA, so that the answer tells what became of that.
 */
function carrierOf(
  state: EngineState,
  from: IkeEntry,
  spi: number,
): { readonly entry: IkeEntry; readonly child: ChildSaStatus } | undefined {
  const { identities } = from;
  const ofPeer = identities === undefined ? [] : state.registry.ofIdentities(identities);
  // The traffic of one that fell silent has moved already, and a duplicate is about to go.
  const others = ofPeer.filter(
    (one) => one !== from && one.successorOfSilence === undefined && !one.redundant,
  );
  for (const entry of [from, ...others]) {
    const child = entry.sa.children.find(
      ({ outboundSpi, phase, outboundInUse }) =>
        outboundSpi === spi && phase === 'installed' && outboundInUse,
    );
    if (child !== undefined) return { entry, child };
  }
  return undefined;
}

/** Outbound SAs with this SPI that carry our traffic now, to whomever. */
function outboundSasWith({ registry }: EngineState, spi: number): readonly QuotedSa[] {
  return [...registry.sendingBy(spi)].flatMap(outboundSasOf).filter((one) => one.spi === spi);
}

/** Outbound SAs that may have sent what an ICMP error quotes, if anything did. */
function* outboundSasToward({ registry }: EngineState, quote: QuotedPacket): Iterable<QuotedSa> {
  for (const entry of registry.withPeer(quote.destination)) {
    if (fitsQuote(quote, pathOf(entry))) yield* outboundSasOf(entry);
  }
}

function pathOf({ sa }: IkeEntry): Pick<QuotedSa, 'local' | 'remote' | 'encapsulated'> {
  const { local, remote, nat } = sa;
  return { local, remote, encapsulated: nat.local || nat.remote };
}

function outboundSasOf(entry: IkeEntry): readonly QuotedSa[] {
  return entry.sa.children
    .filter(({ phase, outboundInUse }) => phase === 'installed' && outboundInUse)
    .map(({ childId, outboundSpi }) => ({
      ...pathOf(entry),
      childId,
      ikeId: entry.ikeId,
      spi: outboundSpi,
    }));
}

/** From a hint that fits to a liveness check, unless the peer has shown itself alive, or was asked lately. */
function followUp(
  state: EngineState,
  remote: Endpoint,
  kind: HintKind,
  judgement: HintJudgement<OutboundSa>,
  spi: number | undefined,
): void {
  const ofSpi = spi === undefined ? {} : { spi };
  const entry = judgement.fits ? state.registry.byId(judgement.subject.ikeId) : undefined;
  if (!judgement.fits || entry === undefined) {
    report(state, remote, kind, judgement.fits ? 'no-such-outbound-spi' : judgement.reason, ofSpi);
    return;
  }
  const about = { entry, ...ofSpi };
  if (entry.sa.outstanding.length > 0) {
    report(state, remote, kind, 'probe-outstanding', about);
    return;
  }
  const outcome = state.recovery.suspicion.raise(
    { ikeId: entry.ikeId, lastInboundAt: entry.sa.lastInboundAt },
    state.at,
  );
  report(state, remote, kind, outcome, about);
  if (outcome !== 'check') return;
  const command = { kind: 'check-liveness' as const, reason: `a hint: ${kind}` };
  entry.sa.handle({ kind: 'command', at: state.at, command });
  state.touch(entry);
}

function report(
  state: EngineState,
  remote: Endpoint,
  hint: HintKind,
  outcome: HintOutcome,
  about: { readonly entry?: IkeEntry; readonly spi?: number; readonly protected?: boolean } = {},
): void {
  const { entry, spi } = about;
  const connection = entry?.sa.connection.name;
  state.event({
    kind: 'hint',
    hint,
    remote,
    protected: about.protected ?? false,
    outcome,
    ...(spi === undefined ? {} : { spi }),
    ...(entry === undefined ? {} : { ikeId: entry.ikeId, connection: entry.sa.connection.name }),
  });
  state.recovery.incidents.add({
    atMs: state.wallClockMs,
    spis: spi === undefined ? [] : [spi],
    remote,
    what: hint === 'token' ? 'token' : 'hint',
    reason: `${hint} ${outcome}`,
    detail: `${about.protected === true ? 'protected' : 'unprotected'} ${hint}: ${outcome}`,
    ...(connection === undefined ? {} : { connection }),
  });
}
