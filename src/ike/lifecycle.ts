// The turning points of an IKE SA: established, ended, and what its clocks say in between.
import { removeChild } from './child-installation.ts';
import type { IkeSaState } from './ike-sa-state.ts';
import type { IkeFailure } from './interface.ts';
import { ikeLifetimes } from './lifetimes.ts';
import { forgetKeys } from './protection-keys.ts';

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
export function establish(state: IkeSaState): void {
  const { localIdentity, remoteIdentity, protection } = state;
  if (localIdentity === undefined || remoteIdentity === undefined || protection === undefined) {
    throw new Error('an IKE SA was established without identities or keys');
  }
  state.phase = { name: 'established' };
  startClocks(state);
  state.emit({
    kind: 'ike-established',
    suite: protection.suite,
    localIdentity,
    remoteIdentity,
    connection: state.connection.name,
    initialContact: state.initialContact,
  });
}

/** Ends the IKE SA with everything that hangs on it (RFC 7296 1.4.1: its Child SAs go with it). Idempotent. */
export function endIkeSa(state: IkeSaState, reason: IkeFailure): void {
  if (state.ended) return;
  const connected = state.establishedAt !== undefined;
  const candidate = state.collision?.successor;
  for (const child of [...state.children]) removeChild(state, child, reason);
  for (const { exchange } of state.requests.all()) {
    if (exchange.kind === 'create-child') state.ports.releaseSpi(exchange.offer.inboundSpi);
    if (exchange.kind === 'ike-auth' && exchange.offer !== undefined) {
      state.ports.releaseSpi(exchange.offer.inboundSpi);
    }
  }
  if (state.lease !== undefined) state.ports.releaseAddresses(state.lease);
  state.lease = undefined;
  forgetKeys(state);
  state.requests.clear();
  state.tasks.drain();
  state.reassemblies.clear();
  state.collision = undefined;
  state.phase = { name: 'ended', failure: reason };
  state.emit({ kind: connected ? 'ike-ended' : 'ike-failed', failure: reason });
  if (candidate !== undefined) endIkeSa(candidate, reason);
}
