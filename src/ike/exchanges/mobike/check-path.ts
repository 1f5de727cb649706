// The return routability check: Child SAs follow the peer once it has answered from where it is (RFC 4555 3.7, 5.3).
import type { Endpoint } from '#sa';
import { ExchangeType } from '#wire';
import { moveChildren } from '../../child-sas/child-installation.ts';
import { holderOf, type IkeSaState } from '../../ike-sa-state.ts';
import { sendRequest } from '../../messages/transmission.ts';
import { type Mobility, type PathCandidate, sameEndpoint } from '../../mobility.ts';
import { cookie2, cookie2Bytes } from '../../payloads/cookie2.ts';
import type { CheckPathExchange, OutstandingRequest } from '../exchange.ts';
import { changeNat } from '../ike-sa-init/nat.ts';
import { sendAgainSoon } from './send-again.ts';

/** A peer that answers, but not from there, is not there. */
const failuresMax = 3;

export function beginCheckPath(state: IkeSaState): void {
  const candidate = state.mobility?.candidate;
  if (candidate === undefined) return;
  const cookie = state.ports.randomness.bytes(cookie2Bytes);
  sendRequest(state, ExchangeType.INFORMATIONAL, { kind: 'check-path', candidate, cookie }, [
    cookie2(cookie),
  ]);
}

/** The answer has our COOKIE2: the peer got the request, wherever that went. */
export function concludeCheckPath(
  state: IkeSaState,
  request: OutstandingRequest,
  { candidate }: CheckPathExchange,
): void {
  const holder = holderOf(state);
  const { mobility } = holder;
  if (mobility?.candidate === undefined) return;
  if (mobility.candidate !== candidate) {
    holder.tasks.add({ kind: 'check-path' });
    return;
  }
  if (request.strays === undefined) {
    follow(holder, mobility, candidate);
    return;
  }
  candidate.failures++;
  if (candidate.failures < failuresMax) holder.tasks.add({ kind: 'check-path' });
  else giveUp(holder, mobility, candidate);
}

function follow(state: IkeSaState, mobility: Mobility, candidate: PathCandidate): void {
  const from = state.remote;
  mobility.candidate = undefined;
  mobility.heardFrom = undefined;
  mobility.proven = undefined;
  state.local = candidate.local;
  state.remote = candidate.remote;
  moveChildren(state);
  state.emit({ kind: 'path-checked', remote: candidate.remote, proven: true });
  if (!sameEndpoint(from, state.remote)) state.emit({ kind: 'peer-moved', from, to: state.remote });
}

function giveUp(state: IkeSaState, mobility: Mobility, { remote }: PathCandidate): void {
  const from = state.remote;
  mobility.candidate = undefined;
  if (mobility.proven !== undefined) {
    state.local = mobility.proven.local;
    state.remote = mobility.proven.remote;
    changeNat(state, mobility.proven.nat);
    mobility.proven = undefined;
  }
  state.emit({ kind: 'path-checked', remote, proven: false });
  if (!sameEndpoint(from, state.remote)) state.emit({ kind: 'peer-moved', from, to: state.remote });
  // Which copy of our questions was answered could not be told, and packets may have come from there all the same.
  const { heardFrom } = mobility;
  mobility.heardFrom = undefined;
  if (heardFrom !== undefined) noteMapping(state, mobility, heardFrom);
}

/**
 * A packet on a Child SA came from elsewhere. That moves nothing (RFC 4555 3.8: the packet is authentic, but not its source): behind a
 * NAT the peer may not know of its new mapping, and is asked there. What either end has said itself goes before.
 */
export function noteMapping(state: IkeSaState, mobility: Mobility, remote: Endpoint): void {
  if (mobility.proven !== undefined || mobility.candidate?.by === 'update') {
    mobility.heardFrom = remote;
    return;
  }
  if (!state.nat.remote) return;
  const ends = state.tunnelEnds;
  if (sameEndpoint(ends.remote, remote)) return;
  if (mobility.candidate !== undefined && sameEndpoint(mobility.candidate.remote, remote)) return;
  mobility.candidate = { local: ends.local, remote, by: 'traffic', failures: 0 };
  state.tasks.add({ kind: 'check-path' });
  sendAgainSoon(state);
}
