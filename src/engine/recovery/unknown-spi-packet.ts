// An ESP or AH packet that no SA matches: facts are gathered, a verdict is reached and carried out.
import { peersOf } from '#hip';
import type { ConnectionConfiguration } from '#ike';
import { type Endpoint, formatSpi, type IpAddress, type UnknownSpiEvidence } from '#sa';
import {
  invalidSpiNotify,
  ipOverheadBytes,
  judgeUnknownSpi,
  meaninglessSpis,
  type SpiHistoryFact,
  type SpiRecord,
  type SpiVerdict,
  unprotectedInvalidSpi,
} from '#unknown-spi';
import type { EngineState } from '../engine-state.ts';
import { callForgottenHost, hipReestablishable } from '../hip/hip-recovery.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import type { ReplyOutcome } from '../interface.ts';
import { sendParameterProblem } from './parameter-problem.ts';
import { policyFor } from './recovery-state.ts';
import { callForgotten, reestablishable } from './reestablish.ts';
import { sendReplyWithTokens } from './reply.ts';

const standardIkePort = 500;

/** Ends that were orderly: what arrives shortly after them is late, not lost. */
const orderly: ReadonlySet<string> = new Set(['deleted-by-us', 'deleted-by-peer', 'rekeyed', 'expired']);

export function receiveUnknownSpi(state: EngineState, evidence: UnknownSpiEvidence): void {
  const { source, lengthBytes, mergedBytes, count, encapsulated, spi } = evidence;
  // All of them claimed this source.
  const overheadBytes = count * ipOverheadBytes(source.address, encapsulated);
  state.recovery.budget.received(source.address, mergedBytes + overheadBytes);
  const record = state.recovery.history.find(spi);
  const ikeSa = standingWith(state, evidence);
  const connection = ikeSa?.sa.connection ?? connectionOf(state, evidence, record);
  const policy = policyFor(state.unknownSpi, connection);
  const verdict = judgeUnknownSpi(evidence, {
    policy,
    ready: state.ready,
    // Our sockets receive only what is addressed to this host; a data plane that sniffs leaves the rest out.
    destinationIsOurs: true,
    owner: state.spis.isTaken(spi) ? 'us' : state.owners.ownerOf(spi, encapsulated),
    history: record === undefined ? undefined : historyFact(state, record),
    ikeSa: ikeSa === undefined ? undefined : { ikeId: ikeSa.ikeId },
    historyIkeSaLive: record !== undefined && state.registry.isLive(record.initiatorSpi, record.responderSpi),
    configured: { ike: connection !== undefined, hip: mayBeHip(state, source.address) },
  });
  const outcome = carryOut(state, evidence, verdict, { policy, record, ikeSa });
  state.event({
    kind: 'unknown-spi',
    remote: source,
    spi,
    count: evidence.count,
    evidence,
    verdict,
    outcome,
    ...(record === undefined ? {} : { owner: record }),
  });
  state.recovery.incidents.add({
    atMs: state.wallClockMs,
    spis: [spi],
    remote: source,
    what: 'verdict',
    reason: `${verdict.kind} ${verdict.reason} ${outcome}`,
    detail: `${evidence.protocol} of ${lengthBytes} octets with unknown SPI ${formatSpi(spi)}`,
    ...(evidence.count === 1 ? {} : { count: evidence.count }),
    ...(record === undefined ? {} : { connection: record.connection }),
  });
  if ('reestablish' in verdict && verdict.reestablish && record !== undefined) {
    if (record.keying === 'hip') callForgottenHost(state, record.connection, 'unknown-spi');
    else callForgotten(state, record.connection, 'unknown-spi');
  }
}

/** An IKE SA that stands with the packet's source: its address, and its port where NAT is in between. */
function standingWith(
  state: EngineState,
  { source, encapsulated }: UnknownSpiEvidence,
): IkeEntry | undefined {
  for (const entry of state.registry.withPeer(source.address)) {
    const { phase, nat, remote } = entry.sa;
    if (phase !== 'established' && phase !== 'rekeying') continue;
    if (!nat.remote || !encapsulated || remote.port === source.port) return entry;
  }
  return undefined;
}

/** Whether a HIP host may be there: one that we know the address of, or anybody if we take anybody. */
function mayBeHip({ hip }: EngineState, address: IpAddress): boolean {
  if (hip === undefined) return false;
  const { configuration } = hip;
  return configuration.accept === 'any' || peersOf(configuration).hasAddress(address);
}

function connectionOf(
  state: EngineState,
  { source, destination }: UnknownSpiEvidence,
  record: SpiRecord | undefined,
): ConnectionConfiguration | undefined {
  const { connections } = state;
  const named = record && connections.named(record.connection);
  return named ?? connections.first({ local: destination, remote: source });
}

function historyFact(state: EngineState, record: SpiRecord): SpiHistoryFact {
  const { keying, initiatorSpi, responderSpi, quickCrashDetection, ended, connection } = record;
  return {
    keying,
    initiatorSpi,
    responderSpi,
    quickCrashDetection,
    late:
      ended !== undefined &&
      orderly.has(ended.why) &&
      // A clock that was set back since tells nothing.
      Math.abs(state.wallClockMs - ended.atMs) < state.unknownSpi.graceMs,
    reestablishable:
      keying === 'hip' ? hipReestablishable(state, connection) : reestablishable(state, connection),
  };
}

function carryOut(
  state: EngineState,
  evidence: UnknownSpiEvidence,
  verdict: SpiVerdict,
  known: {
    readonly policy: ReturnType<typeof policyFor>;
    readonly record: SpiRecord | undefined;
    readonly ikeSa: IkeEntry | undefined;
  },
): ReplyOutcome {
  switch (verdict.kind) {
    case 'ignore':
    case 'leave-to-owner':
      return 'nothing-to-send';
    case 'notify-protected':
      return known.ikeSa === undefined
        ? 'nothing-to-send'
        : notifyProtected(state, known.ikeSa, evidence.spi, known.record !== undefined);
    case 'notify-unprotected': {
      const { local, remote } = ends(state, evidence, known.record);
      const tokensFor = 'tokensFor' in verdict ? verdict.tokensFor : undefined;
      return sendReplyWithTokens(
        state,
        { local, remote, policy: known.policy, known: known.record !== undefined },
        tokensFor,
        (tokens) => {
          const spis =
            tokensFor === undefined || tokens.length === 0 ? meaninglessSpis(undefined) : tokensFor;
          return unprotectedInvalidSpi(evidence.spi, spis, tokens);
        },
      );
    }
    case 'parameter-problem':
      return sendParameterProblem(state, evidence, known);
  }
}

/** RFC 7296 1.5: to the source address, and to its UDP port if the packet came in UDP. */
function ends(
  state: EngineState,
  { source, destination, encapsulated }: UnknownSpiEvidence,
  record: SpiRecord | undefined,
): { readonly local: Endpoint; readonly remote: Endpoint } {
  const { ike, natTraversal } = state.configuration.ports;
  if (encapsulated) return { local: { ...destination, port: natTraversal }, remote: source };
  const port = record?.peer === source.address && record.peerPort !== 0 ? record.peerPort : standardIkePort;
  return { local: { ...destination, port: ike }, remote: { ...source, port } };
}

/**
 * One per IKE SA and window, never ahead of another request of ours, further SPIs only counted. Anybody can make up SPIs in the name
 * of the peer: those that were ours have a window of their own.
 */
function notifyProtected(state: EngineState, entry: IkeEntry, spi: number, wasOurs: boolean): ReplyOutcome {
  const { recovery } = state;
  const { sa } = entry;
  const busy = sa.outstanding.length > 0 || sa.queued.length > 0;
  const notifies = wasOurs ? recovery.protectedNotifiesOfOurs : recovery.protectedNotifies;
  if (busy || !notifies.take(String(entry.ikeId), state.at)) {
    recovery.foldedSpis++;
    return 'folded';
  }
  const command = { kind: 'send-notify' as const, notify: invalidSpiNotify(spi) };
  sa.handle({ kind: 'command', at: state.at, command });
  state.touch(entry);
  return 'sent-protected';
}
