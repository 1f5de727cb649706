// What time does to an IKE SA: retransmissions, lifetimes, liveness checks, half-open ends (RFC 7296 2.4, 2.8).
import { handleNoAnswer } from '../exchanges/dispatch.ts';
import { continueHeldEap } from '../exchanges/ike-auth/eap-responder.ts';
import { continueHeldAuth } from '../exchanges/ike-auth/ike-auth-responder.ts';
import { retrySynchronization } from '../exchanges/informational/message-id-sync.ts';
import { failure, type IkeSaState } from '../ike-sa-state.ts';
import { endIkeSa } from '../lifecycle.ts';
import { retransmit } from '../messages/transmission.ts';
import { isHalfOpen } from '../phase.ts';

/** When `runClocks` has something to do next; `undefined` if only a message or a command can change anything. */
export function nextDeadline(state: IkeSaState): number | undefined {
  if (state.ended) return undefined;
  // Asked for after every input: no list is made of these.
  let next = earlier(phaseEnd(state), state.tasks.nextAt(state.at));
  if (isHalfOpen(state.phase)) next = earlier(next, state.phase.held?.until);
  next = earlier(next, livenessAt(state));
  next = earlier(next, state.synchronization?.nextAt);
  for (const request of state.requests.all()) next = earlier(next, request.nextAt);
  if (state.phase.name !== 'established') return next;
  next = earlier(earlier(next, state.rekeyAt), earlier(state.reauthAt, state.expiresAt));
  for (const child of state.children) next = earlier(next, earlier(child.rekeyAt, child.expiresAt));
  return next;
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined) return other;
  return other === undefined || one < other ? one : other;
}

export function runClocks(state: IkeSaState): void {
  for (const request of state.requests.all()) {
    if (state.ended) return;
    if (!retransmit(state, request)) handleNoAnswer(state, request);
  }
  retrySynchronization(state);
  continueHeldAuth(state);
  continueHeldEap(state);
  const end = phaseEnd(state);
  if (end !== undefined && end <= state.at) endPhase(state);
  if (state.phase.name !== 'established') return;
  runChildClocks(state);
  runIkeClocks(state);
  const liveness = livenessAt(state);
  if (liveness !== undefined && liveness <= state.at) {
    state.tasks.add({ kind: 'check-liveness', reason: 'nothing was heard of the peer' });
  }
}

function phaseEnd(state: IkeSaState): number | undefined {
  const { phase } = state;
  return 'expiresAt' in phase ? phase.expiresAt : undefined;
}

function endPhase(state: IkeSaState): void {
  const replaced = state.phase.name === 'rekeyed';
  endIkeSa(
    state,
    replaced
      ? failure('replaced', 'a new IKE SA took over')
      : failure('no-answer', `nothing further came in phase ${state.phase.name}`),
  );
}

/** RFC 7296 2.4: only if nothing fresh and protected came lately, on the IKE SA or a Child SA. */
function livenessAt(state: IkeSaState): number | undefined {
  const { dpdDelayMs } = state.connection;
  if (dpdDelayMs <= 0 || state.phase.name !== 'established') return undefined;
  // Any request under way is a liveness check too.
  if (state.requests.all().length > 0 || state.tasks.has('check-liveness')) return undefined;
  if (state.synchronization !== undefined) return undefined;
  return Math.max(state.lastInboundAt, state.lastTrafficAt) + dpdDelayMs;
}

function runChildClocks(state: IkeSaState): void {
  for (const child of [...state.children]) {
    const { protocol, inboundSpi } = child.agreement;
    if (child.expiresAt !== undefined && child.expiresAt <= state.at) {
      child.expiresAt = undefined;
      child.rekeyAt = undefined;
      const reason = failure('expired', 'its lifetime is over');
      if (child.phase !== 'deleting') {
        state.tasks.add({ kind: 'delete-child', protocol, inboundSpi, failure: reason });
      }
    } else if (child.rekeyAt !== undefined && child.rekeyAt <= state.at) {
      child.rekeyAt = undefined;
      if (child.phase === 'installed') state.tasks.add({ kind: 'rekey-child', inboundSpi });
    }
  }
}

function runIkeClocks(state: IkeSaState): void {
  const due = (time: number | undefined): boolean => time !== undefined && time <= state.at;
  if (due(state.expiresAt)) {
    state.expiresAt = undefined;
    state.tasks.add({ kind: 'delete-ike', failure: failure('expired', 'its lifetime is over') });
  }
  if (due(state.reauthAt)) {
    state.reauthAt = undefined;
    state.emit({ kind: 'reauthentication-due' });
    state.tasks.add({
      kind: 'delete-ike',
      failure: failure('expired', 'it is time to authenticate again'),
    });
  }
  if (due(state.rekeyAt)) {
    state.rekeyAt = undefined;
    state.tasks.add({ kind: 'rekey-ike' });
  }
}
