// Calling a peer of whom only the history is left, or who has proven that it forgot us.
import type { ConnectionConfiguration } from '#ike';
import type { SpiRecord } from '#unknown-spi';
import { initiateChild } from '../commands/initiate-connection.ts';
import type { EngineState } from '../engine-state.ts';
import { courseBegins } from './course.ts';

/** Which rung of the ladder made us call. */
export type CallReason = 'token' | 'restart' | 'unknown-spi' | 'silence';

/** Whether we could call at all: an address is written in the configuration, and it is not the peer's to initiate (EAP). */
export function mayCall(connection: ConnectionConfiguration): boolean {
  if (connection.remote.method === 'eap') return false;
  return connection.remoteAddresses.some(({ kind }) => kind === 'address' || kind === 'host');
}

/** Whether the history names a connection that we may and do not yet call. */
export function reestablishable(state: EngineState, connection: string): boolean {
  const configured = state.connections.named(connection);
  return (
    configured !== undefined &&
    mayCall(configured) &&
    !standsOrComes(state, connection) &&
    lostChildren(state, connection).length > 0
  );
}

function standsOrComes(state: EngineState, connection: string): boolean {
  return (
    state.initiations.get(connection) !== undefined || state.registry.ofConnection(connection).length > 0
  );
}

/**
 * Makes the children anew that a connection had when its SAs were lost, to the configured address and nowhere else; at most
 * once per back-off step.
 */
export function callForgotten(state: EngineState, name: string, reason: CallReason): void {
  const connection = state.connections.named(name);
  if (connection === undefined || state.shuttingDown || standsOrComes(state, name)) return;
  const children = lostChildren(state, name);
  if (children.length === 0 || !state.recovery.reestablishments.take(name, state.at)) return;
  callChildren(state, connection, children, reason);
}

/** Losses older than this are nobody's any more. */
const lossAgeMsMax = 3_600_000;

/** Children whose last SA ended because we restarted, whether in this start or in one shortly before. */
function lostChildren(state: EngineState, connection: string): string[] {
  const last = new Map<string, SpiRecord>();
  for (const record of state.recovery.history.ofConnection(connection)) {
    const known = last.get(record.child);
    if (known === undefined || known.createdAtMs <= record.createdAtMs) last.set(record.child, record);
  }
  return [...last.values()]
    .filter(({ ended }) => ended?.why === 'our-restart' && ended.atMs >= state.wallClockMs - lossAgeMsMax)
    .map(({ child }) => child);
}

/** Begins a fresh IKE SA for these children, or says that the peer has to. @param since when the first sign was seen */
export function callChildren(
  state: EngineState,
  connection: ConnectionConfiguration,
  children: readonly string[],
  reason: CallReason,
  since?: number,
): void {
  courseBegins(state, connection.name, reason, since);
  if (!mayCall(connection)) {
    state.rung(connection.name, reason, 'waiting', 'no address to call is configured: the peer has to begin');
    return;
  }
  state.rung(connection.name, reason, 'calling', `a fresh IKE SA for ${children.join(', ')}`);
  for (const configuration of connection.children) {
    if (!children.includes(configuration.name)) continue;
    const persistent = reason === 'token';
    // Silence or a stranger's packet never leads to a ticket (RFC 5723 9.4).
    const inFull = reason === 'silence' || reason === 'unknown-spi';
    const refusal = initiateChild(state, connection, { configuration }, { anew: true, persistent, inFull });
    if (refusal !== undefined) {
      state.event({ kind: 'connect-failed', connection: connection.name, detail: refusal });
    }
  }
}
