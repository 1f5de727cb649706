// What IKE SAs report, as far as it changes whose an SPI is.
import type { ChildSaSummary, IkeFailure } from '#ike';
import type { SpiEnd, SpiHistoryWrite, SpiRecord } from '#unknown-spi';
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';

function keep(state: EngineState, write: SpiHistoryWrite | undefined): void {
  if (write !== undefined) state.keepRecord(write.key, write.octets);
}

export function pairOf(entry: IkeEntry): string {
  return `${entry.sa.initiatorSpi} ${entry.sa.responderSpi}`;
}

export function childBegan(state: EngineState, entry: IkeEntry, child: ChildSaSummary): void {
  const { sa, identities } = entry;
  const record = {
    spi: child.inboundSpi,
    protocol: child.suite.protocol,
    keying: 'ike',
    ...placeOf(entry),
    localIdentity: identities?.localText ?? '',
    remoteIdentity: identities?.remoteUserText ?? identities?.remoteText ?? '',
    initiatorSpi: sa.initiatorSpi,
    responderSpi: sa.responderSpi,
    connection: sa.connection.name,
    child: child.name,
    quickCrashDetection: state.recovery.given.has(pairOf(entry)),
    createdAtMs: state.wallClockMs,
  } as const;
  keep(state, state.recovery.history.add(record));
}

const ends: Partial<Record<IkeFailure['code'], SpiEnd>> = {
  replaced: 'rekeyed',
  'deleted-by-us': 'deleted-by-us',
  'deleted-by-peer': 'deleted-by-peer',
  expired: 'expired',
  'no-answer': 'no-answer',
};

export function childEnded(state: EngineState, child: ChildSaSummary, failure: IkeFailure): void {
  const why = ends[failure.code] ?? 'failed';
  keep(state, state.recovery.history.end(child.inboundSpi, state.wallClockMs, why));
}

/** Before the IKE SA is abandoned: the reason is better known here than later. */
export function childrenForgotten(state: EngineState, entry: IkeEntry): void {
  for (const { inboundSpi } of entry.sa.children) {
    keep(state, state.recovery.history.end(inboundSpi, state.wallClockMs, 'peer-forgot'));
  }
}

/** Where Child SAs lead: the peer may say to be elsewhere, and have yet to show it (RFC 4555 3.7). */
function placeOf({ sa }: IkeEntry): Pick<SpiRecord, 'peer' | 'peerPort'> {
  const { address, port } = sa.mobility?.tunnel.remote ?? sa.remote;
  return { peer: address, peerPort: port };
}

/** A rekeyed IKE SA, a peer that moved, a token given late: living records follow. */
export function recordsFollow(state: EngineState, entry: IkeEntry): void {
  const { sa } = entry;
  const change = {
    initiatorSpi: sa.initiatorSpi,
    responderSpi: sa.responderSpi,
    ...placeOf(entry),
    quickCrashDetection: state.recovery.given.has(pairOf(entry)),
  };
  for (const { inboundSpi } of sa.children) keep(state, state.recovery.history.update(inboundSpi, change));
}
