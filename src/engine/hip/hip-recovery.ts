// HIP's half of lost state: whose SPIs were whose, whom to call after a restart, and hints (RFC 7401 4.5.4, 6.16).
import { type HipAssociationStatus, type HipContext, type HipEvent, type HipPeer, peersOf } from '#hip';
import { hitAddress, type Spi } from '#sa';
import {
  judgeIcmpQuote,
  type QuotedPacket,
  type QuotedSa,
  type SpiEnd,
  type SpiHistoryWrite,
  type SpiRecord,
  type SuspicionOutcome,
} from '#unknown-spi';
import { type Hit, zeroIkeSpi } from '#wire';
import type { EngineState } from '../engine-state.ts';

/** No connection of IKE has a blank in its name. */
const namePrefix = 'hip ';

/** Under what name the history keeps HIP's SPIs. */
export function hipName({ peer, remote }: Pick<HipContext, 'peer' | 'remote'>): string {
  return `${namePrefix}${peer ?? hitAddress(remote)}`;
}

function keep(state: EngineState, write: SpiHistoryWrite | undefined): void {
  if (write !== undefined) state.keepRecord(write.key, write.octets);
}

function spiBegan(state: EngineState, context: HipContext, spi: Spi): void {
  const { local, remote, path } = context;
  const record: SpiRecord = {
    spi,
    protocol: 'esp',
    keying: 'hip',
    peer: path.remote.address,
    peerPort: path.remote.port,
    localIdentity: hitAddress(local),
    remoteIdentity: hitAddress(remote),
    initiatorSpi: zeroIkeSpi,
    responderSpi: zeroIkeSpi,
    connection: hipName(context),
    child: 'beet',
    quickCrashDetection: false,
    createdAtMs: state.wallClockMs,
  };
  keep(state, state.recovery.history.add(record));
}

function spiEnded(state: EngineState, spi: Spi, why: SpiEnd): void {
  keep(state, state.recovery.history.end(spi, state.wallClockMs, why));
}

const endOf: Readonly<Record<Extract<HipEvent, { kind: 'ended' }>['cause'], SpiEnd>> = {
  'closed-by-us': 'deleted-by-us',
  'closed-by-peer': 'deleted-by-peer',
  unused: 'expired',
  silent: 'no-answer',
  'data-plane': 'deleted-by-us',
  replaced: 'peer-forgot',
};

/** The history follows what happens to associations, and so does whoever asks why. */
export function noteHipEvent(state: EngineState, event: HipEvent): void {
  switch (event.kind) {
    case 'established':
      spiBegan(state, event.context, event.inboundSpi);
      if (event.replaced)
        incident(state, event.context, 'replaced', 'a new association took the place of the old one');
      break;
    case 'rekeyed':
      spiEnded(state, event.replacedInboundSpi, 'rekeyed');
      spiBegan(state, event.context, event.inboundSpi);
      break;
    case 'ended':
      spiEnded(state, event.inboundSpi, endOf[event.cause]);
      state.recovery.hipSuspicion.forget(event.childId);
      break;
    case 'silent':
      incident(
        state,
        event.context,
        'silent',
        'the peer does not answer UPDATE: I1 goes out beside what stands',
      );
      break;
    default:
      break;
  }
}

function incident(state: EngineState, context: HipContext, step: string, detail: string): void {
  incidentOf(state, hipName(context), `hip ${step}`, detail);
}

/** For whoever asks why. */
function incidentOf(state: EngineState, connection: string, reason: string, detail: string): void {
  const { recovery, wallClockMs: atMs } = state;
  recovery.incidents.add({ atMs, spis: [], connection, what: 'rung', reason, detail });
}

/** A peer of the configuration that the history names, and that we may call. */
function peerOf(
  state: EngineState,
  connection: string,
): { readonly peer: HipPeer; readonly hit: Hit } | undefined {
  const { hip } = state;
  if (hip === undefined || !connection.startsWith(namePrefix)) return undefined;
  const peer = peersOf(hip.configuration).named(connection.slice(namePrefix.length));
  if (peer?.hit === undefined || peer.addresses.length === 0) return undefined;
  return { peer, hit: peer.hit };
}

function standsWith(state: EngineState, remote: Hit): boolean {
  return (state.hip?.statusWith(remote) ?? []).length > 0;
}

/** Whether the history names a peer that we may and do not yet call. */
export function hipReestablishable(state: EngineState, connection: string): boolean {
  const found = peerOf(state, connection);
  return found !== undefined && !standsWith(state, found.hit);
}

/** To the address in the configuration and nowhere else, at most once per back-off step. */
export function callForgottenHost(
  state: EngineState,
  connection: string,
  reason: 'restart' | 'unknown-spi',
): void {
  const found = peerOf(state, connection);
  if (found === undefined || state.shuttingDown || standsWith(state, found.hit)) return;
  if (!state.recovery.reestablishments.take(connection, state.at)) return;
  const detail =
    reason === 'restart' ? 'we had an association before our restart' : 'it sends by an SA that we forgot';
  incidentOf(state, connection, `${reason} calling`, detail);
  state.hip?.call(found.peer, found.hit, detail);
}

/** RFC 7401 4.5.4: a host that lost its state calls whom it had associations with. */
export function callForgottenHosts(state: EngineState): void {
  const lost = new Set<string>();
  for (const { keying, connection, ended } of state.recovery.history.all()) {
    if (keying !== 'hip') continue;
    if (ended?.why === 'our-restart') lost.add(connection);
    else lost.delete(connection);
  }
  if (!state.unknownSpi.reestablish) return;
  for (const connection of lost) callForgottenHost(state, connection, 'restart');
}

/** Outbound SAs of HIP, for hints that quote one of their packets. The associations stand in for IKE SAs. */
function quoted(association: HipAssociationStatus, index: number): QuotedSa[] {
  const { childId, outboundSpi, path } = association;
  if (childId === undefined || outboundSpi === undefined) return [];
  const encapsulated = path.remote.port !== 0;
  return [{ childId, ikeId: index, spi: outboundSpi, local: path.local, remote: path.remote, encapsulated }];
}

/**
 * An ICMP error quotes a packet of a HIP association. It is a hint: at most one UPDATE that has to be echoed goes out, and
 * nothing else changes. `undefined`: it is about no packet of HIP's.
 */
export function receiveHipHint(
  state: EngineState,
  quote: QuotedPacket,
): { readonly outcome: SuspicionOutcome; readonly connection: string } | undefined {
  const associations = state.hip?.statusToward(quote.destination) ?? [];
  const all = associations.flatMap(quoted);
  const named = quote.spi === undefined ? [] : all.filter(({ spi }) => spi === quote.spi);
  const judgement = judgeIcmpQuote(quote, named, all);
  const association = judgement.fits ? associations[judgement.subject.ikeId] : undefined;
  if (association === undefined) return undefined;
  const { local, remote, childId, lastInboundAt } = association;
  const outcome = state.recovery.hipSuspicion.raise(
    { ikeId: childId!, lastInboundAt: lastInboundAt ?? 0 },
    state.at,
  );
  if (outcome === 'check') {
    state.hip?.command({ kind: 'check', local, remote, reason: 'a hint: icmp' });
  }
  return { outcome, connection: hipName(association) };
}
