// The turning points of an IKE SA: established, ended, and what its clocks say in between.
import { removeChild } from './child-sas/child-installation.ts';
import { ikeLifetimes } from './clocks/lifetimes.ts';
import type { Exchange } from './exchanges/exchange.ts';
import { lowerNonce } from './exchanges/nonces.ts';
import type { IkeSaState, Resumption } from './ike-sa-state.ts';
import type { IkeFailure } from './interface.ts';
import type { AuthenticationMaterial } from './phase.ts';
import { forgetKeys } from './protection/protection-keys.ts';
import { ticketOutlives } from './resumption/client-ticket.ts';
import { revokeTickets } from './resumption/revocation.ts';

/** Both ends are authenticated, or a rekeying made this IKE SA: its clocks start. */
export function startClocks(state: IkeSaState): void {
  const lifetimes = ikeLifetimes(state.connection, state.ports.randomness);
  const after = (delayMs: number | undefined): number | undefined =>
    delayMs === undefined ? undefined : state.at + delayMs;
  state.establishedAt = state.at;
  state.rekeyAt = after(lifetimes.rekeyAfterMs);
  state.reauthAt = after(lifetimes.reauthAfterMs);
  state.expiresAt = after(lifetimes.endAfterMs);
}

/** After IKE_AUTH. Further children that the host wants become tasks. */
export function establish(
  state: IkeSaState,
  { nonceInitiator, nonceResponder }: Pick<AuthenticationMaterial, 'nonceInitiator' | 'nonceResponder'>,
): void {
  const { localIdentity, remoteIdentity, protection } = state;
  if (localIdentity === undefined || remoteIdentity === undefined || protection === undefined) {
    throw new Error('an IKE SA was established without identities or keys');
  }
  state.phase = { name: 'established' };
  state.lowestNonce = lowerNonce(nonceInitiator, nonceResponder).slice();
  startClocks(state);
  if (state.resumption !== undefined) concludeResumption(state, state.resumption);
  state.emit({
    kind: 'ike-established',
    suite: protection.suite,
    localIdentity,
    remoteIdentity,
    ...(state.remoteEapIdentity !== undefined && { remoteEapIdentity: state.remoteEapIdentity }),
    connection: state.connection.name,
    initialContact: state.initialContact,
    resumed: state.resumption !== undefined,
  });
}

/** A gateway that wants fresh keys leaves this much time to a client that wants them too. */
const freshKeysWaitMs = 2_000;

function concludeResumption(state: IkeSaState, { former, reauthAtMs }: Resumption): void {
  if (reauthAtMs !== undefined) {
    // RFC 5723 5 lets this start anew; but resuming proves no identity, and must not put its proof off for ever.
    const carried = state.at + Math.max(0, reauthAtMs - state.ports.wallClockMs());
    state.reauthAt = Math.min(state.reauthAt ?? carried, carried);
  }
  if (state.connection.resumption?.freshKeyExchange) {
    if (state.role === 'initiator') state.tasks.add({ kind: 'rekey-ike' });
    else state.rekeyAt = Math.min(state.rekeyAt ?? Number.POSITIVE_INFINITY, state.at + freshKeysWaitMs);
  }
  state.emit({ kind: 'ike-resumed', former });
}

/** What an exchange that will not be finished has taken goes back. */
export function releaseReservation(state: IkeSaState, exchange: Exchange): void {
  switch (exchange.kind) {
    case 'create-child':
      exchange.keyPair?.destroy();
      state.ports.releaseSpi(exchange.offer.inboundSpi);
      return;
    case 'rekey-ike':
      exchange.keyPair.destroy();
      return;
    case 'ike-auth':
      if (exchange.offer !== undefined) state.ports.releaseSpi(exchange.offer.inboundSpi);
      return;
    case 'delete-child':
      if (exchange.child === undefined) state.ports.releaseSpi(exchange.inboundSpi);
      return;
    default:
      return;
  }
}

/** The name of the Child SA that an exchange makes, other than by rekeying. */
export function childBeingMade(exchange: Exchange): string[] {
  const makes = exchange.kind === 'create-child' && exchange.replaces === undefined;
  return makes ? [exchange.offer.configuration.name] : [];
}

/** Names of the Child SAs that are being made or were still to be made, other than by rekeying. */
export function unfinishedChildren(state: IkeSaState, answered?: Exchange): string[] {
  const exchanges = state.requests.all().map(({ exchange }) => exchange);
  const requested = [...exchanges, ...(answered === undefined ? [] : [answered])].flatMap(childBeingMade);
  const queued = state.tasks
    .all()
    .flatMap(({ work }) => (work.kind === 'initiate-child' ? [work.configuration.name] : []));
  return [...requested, ...queued];
}

/**
 * Ends the IKE SA with everything that hangs on it (RFC 7296 1.4.1: its Child SAs go with it). Idempotent.
 * @param answered an exchange that is no longer outstanding, but was not brought to its end either
 */
export function endIkeSa(state: IkeSaState, reason: IkeFailure, answered?: Exchange): void {
  if (state.ended) return;
  const connected = state.establishedAt !== undefined;
  if (connected && !ticketOutlives(reason)) revokeTickets(state);
  const candidate = state.collision?.successor;
  for (const child of [...state.children]) removeChild(state, child, reason);
  const wanted = unfinishedChildren(state, answered);
  for (const { exchange } of state.requests.all()) releaseReservation(state, exchange);
  if (answered !== undefined) releaseReservation(state, answered);
  for (const { work } of state.tasks.drain()) {
    if (work.kind === 'delete-child' && work.notInstalled) state.ports.releaseSpi(work.inboundSpi);
  }
  const { phase } = state;
  if (phase.name === 'validating' && phase.asker.role === 'initiator') {
    releaseReservation(state, phase.asker.exchange);
  }
  if (state.lease !== undefined) state.ports.releaseAddresses(state.lease);
  state.lease = undefined;
  forgetKeys(state);
  state.requests.clear();
  state.reassemblies.clear();
  state.collision = undefined;
  state.synchronization = undefined;
  state.parent = undefined;
  state.phase = { name: 'ended', failure: reason };
  for (const name of wanted) state.emit({ kind: 'child-failed', name, failure: reason });
  state.emit({ kind: connected ? 'ike-ended' : 'ike-failed', failure: reason });
  if (candidate !== undefined) endIkeSa(candidate, reason);
}
