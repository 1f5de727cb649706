// What time does to an association: repetitions, ends of waiting, rekeying, and disuse (RFC 7401 4.4.3).
import type { HipAssociation, Standing } from './association.ts';
import { beginClose, tendLeaving } from './close/close.ts';
import type { HipHostState } from './host-state.ts';
import { sendI1 } from './initiator/associate.ts';
import { failAttempt } from './initiator/failure.ts';
import { keepaliveAt, tendKeepalive } from './keepalive.ts';
import { locatorTimes, suspicionAt, tendLocators, tryOtherWays } from './locators/choose-path.ts';
import { endGranted } from './registration/registrar.ts';
import { keepsAssociation, tendRegistration } from './registration/requester.ts';
import { checkLiveness } from './update/liveness.ts';
import { nextWanted } from './update/receive-update.ts';
import { beginRekey, removeFormer } from './update/rekey.ts';
import { repeatUpdate } from './update/send-update.ts';
import type { UpdatePurpose } from './update/updates.ts';

/** When to look at an association next, at the latest; `undefined`: nothing is waited for. */
export function deadlineOf(state: HipHostState, association: HipAssociation): number | undefined {
  const { attempt, standing, leaving, failedUntil } = association;
  const times = [
    attempt?.nextAt,
    failedUntil,
    leaving?.until,
    leaving?.close?.nextAt,
    ...(standing === undefined ? [] : standingTimes(state, association, standing)),
  ].filter((time): time is number => time !== undefined && Number.isFinite(time));
  return times.length === 0 ? undefined : Math.min(...times);
}

function standingTimes(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
): (number | undefined)[] {
  const { updates, r2, former, rekeyAt } = standing;
  return [
    r2?.until,
    former?.until,
    rekeyAt,
    updates.outstanding?.nextAt,
    updates.rekeying?.until,
    unusedAt(standing, state.configuration.unusedMs),
    keepaliveAt(state, association, standing),
    ...locatorTimes(state, association, standing),
    standing.granted?.until,
    standing.registration?.nextAt,
    standing.registration?.until,
  ];
}

/** RFC 7402 3.3.7. A registration is a use. */
function unusedAt(standing: Standing, unusedMs: number): number | undefined {
  const { lastInboundAt, lastOutboundAt, granted } = standing;
  if (granted !== undefined || keepsAssociation(standing)) return undefined;
  return Math.max(lastInboundAt, lastOutboundAt) + unusedMs;
}

export function tend(state: HipHostState, association: HipAssociation): void {
  tendAttempt(state, association);
  tendStanding(state, association);
  tendLeaving(state, association);
  const { failedUntil } = association;
  if (failedUntil === undefined || state.at < failedUntil) return;
  state.change(association, 'may be tried again', () => {
    association.failedUntil = undefined;
  });
}

function tendAttempt(state: HipHostState, association: HipAssociation): void {
  const { attempt } = association;
  if (attempt === undefined || state.at < attempt.nextAt) return;
  const { baseMs, tries } = state.configuration.retransmission;
  if (attempt.name === 'I1-SENT' && attempt.solving !== undefined) {
    // The peer is there; it is we who work. The puzzle's own lifetime ends that.
    attempt.nextAt = state.at + baseMs;
    if (state.at < attempt.solving.expiresAt) return;
    delete attempt.solving;
  }
  if (attempt.repetitions >= tries) {
    failAttempt(state, association, `no answer to ${attempt.name === 'I1-SENT' ? 'I1' : 'I2'}`);
    if (association.standing?.silent === true)
      beginClose(state, association, 'silent', 'the peer does not answer');
    return;
  }
  attempt.repetitions++;
  attempt.nextAt = state.at + baseMs * 2 ** attempt.repetitions;
  if (attempt.name === 'I2-SENT') state.transmit(attempt.path, attempt.packet);
  // RFC 7401 6.9 7: a Responder drops I2 in silence if it does not know the puzzle any more, as after a restart. Its next R1 has
  // a greater counter than the one before, and one that has not is no answer to anything (6.8 8).
  const call = attempt.name === 'I1-SENT' ? attempt : attempt.call;
  state.transmit(call.path, call.packet);
  if (call.beside !== undefined) state.transmit(call.beside, call.packet);
}

function tendStanding(state: HipHostState, association: HipAssociation): void {
  const { standing } = association;
  if (standing === undefined) return;
  const { at, configuration } = state;
  if (standing.r2 !== undefined && at >= standing.r2.until) {
    state.change(association, 'the exchange is complete', () => {
      standing.state = 'ESTABLISHED';
      standing.r2 = undefined;
    });
  }
  if (standing.former !== undefined && at >= standing.former.until) removeFormer(state, standing);
  if (standing.updates.rekeying !== undefined && at >= standing.updates.rekeying.until) {
    standing.updates.dropRekeying(state, standing);
  }
  if (isFirstRepetitionDue(state, standing)) tryOtherWays(state, association, standing);
  callBesideCheck(state, association, standing);
  if (!repeatUpdate(state, standing)) {
    becomeSilent(state, association, standing);
    nextWanted(state, association, standing);
  }
  const lost = tendLocators(state, association, standing);
  if (lost && !standing.silent) becomeSilent(state, association, standing);
  const suspicion = suspicionAt(state, association, standing);
  if (suspicion !== undefined && state.at >= suspicion) {
    standing.unansweredSince = at;
    checkLiveness(state, association, standing);
  }
  if (standing.rekeyAt !== undefined && at >= standing.rekeyAt) {
    standing.rekeyAt = at + configuration.rekeyMs;
    if (standing.state === 'ESTABLISHED') beginRekey(state, association, standing);
  }
  if (standing.granted !== undefined && at >= standing.granted.until)
    endGranted(state, association, standing, 'expired');
  tendRegistration(state, association, standing);
  tendKeepalive(state, association, standing);
  const unused = unusedAt(standing, configuration.unusedMs);
  if (unused !== undefined && at >= unused) beginClose(state, association, 'unused', 'unused');
}

function isFirstRepetitionDue({ at }: HipHostState, { updates: { outstanding } }: Standing): boolean {
  return outstanding !== undefined && outstanding.repetitions === 0 && at >= outstanding.nextAt;
}

/** A registrar that has restarted does not answer a refresh, and relays nothing until it is called. */
const asksPeer: ReadonlySet<UpdatePurpose> = new Set(['check', 'register']);

/**
 * A check that was repeated once stays without an answer: the peer may have lost its state, and I1 finds out while the
 * repetitions go on. One lost packet is not enough for that.
 */
function callBesideCheck(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { outstanding } = standing.updates;
  if (outstanding === undefined || !asksPeer.has(outstanding.purpose)) return;
  if (outstanding.repetitions < 1 || state.at < outstanding.nextAt) return;
  if (association.attempt !== undefined || association.failedUntil !== undefined) return;
  sendI1(state, association, association.path, true);
}

/**
 * RFC 7401 6.11 4 would close now. The peer may have lost its state instead: it is called, and what stands goes when R2
 * proves the peer (4.5.4), or when it answers nothing at all.
 */
function becomeSilent(state: HipHostState, association: HipAssociation, standing: Standing): void {
  standing.silent = true;
  state.emit({ kind: 'silent', context: association.context });
  if (association.attempt === undefined) sendI1(state, association, association.path, true);
}
