// Our own registrations: asked for as soon as they are offered, kept up, and asked for again (RFC 8003 3.2, 4.3 to 4.5, 5).
import {
  type HipParameter,
  type Hit,
  type RegInfoParameter,
  RegistrationFailure,
  RegistrationType,
} from '#wire';
import type { HipAssociation, Standing } from '../association.ts';
import { peersOf } from '../configured-peers.ts';
import type { HipHostState } from '../host-state.ts';
import type { RegistrationEnd } from '../interface.ts';
import { sendUpdate } from '../update/send-update.ts';
import { lifetimeWithin, registrationLifetimeMs, registrationLifetimeOf } from './lifetime.ts';

/** A registration for rendezvous with a peer that is a registrar. */
export interface Registration {
  readonly state: 'asked' | 'registered' | 'refused' | 'unavailable';
  /** While it is registered. */
  readonly until?: number;
  readonly lifetimeMs?: number;
  /** `RegistrationFailure` of a refusal. */
  readonly failure?: number;
  /** When to ask, or to ask again; absent: not of our own accord. */
  readonly nextAt?: number;
}

/** RFC 8003 4.5: not at once again. The registrar tells earlier if there is room. */
const retryMs = 5 * 60_000;

/** A certificate of ours that is no good does not get any better; and we send none. */
const finalFailures: readonly number[] = [
  RegistrationFailure.INVALID_CERTIFICATE,
  RegistrationFailure.BAD_CERTIFICATE,
  RegistrationFailure.UNSUPPORTED_CERTIFICATE,
  RegistrationFailure.CERTIFICATE_EXPIRED,
  RegistrationFailure.CERTIFICATE_OTHER,
  RegistrationFailure.UNKNOWN_CA,
];

function wantedLifetimeMs({ configuration }: HipHostState, registrar: Hit): number | undefined {
  return peersOf(configuration).with(registrar)?.registration?.lifetimeMs;
}

/** RFC 8003 4.3: what is not offered is not asked for, and not for longer or shorter than offered. */
function requestTo(
  state: HipHostState,
  registrar: Hit,
  offer: RegInfoParameter | undefined,
): HipParameter | undefined {
  const lifetimeMs = wantedLifetimeMs(state, registrar);
  const { RENDEZVOUS } = RegistrationType;
  if (lifetimeMs === undefined || offer?.registrationTypes.includes(RENDEZVOUS) !== true) return undefined;
  const lifetime = lifetimeWithin(registrationLifetimeOf(lifetimeMs), offer);
  return { type: 'REG_REQUEST', lifetime, registrationTypes: [RENDEZVOUS] };
}

/** For I2. */
export function requestInI2(
  state: HipHostState,
  registrar: Hit,
  offer: RegInfoParameter | undefined,
): HipParameter[] {
  const request = requestTo(state, registrar, offer);
  return request === undefined ? [] : [request];
}

/** R2 came: what it says about that which I2 asked for. */
export function takeR2(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  parameters: readonly HipParameter[],
): void {
  if (wantedLifetimeMs(state, association.remote) === undefined) return;
  const asked = requestTo(state, association.remote, standing.registrarOffer) !== undefined;
  standing.registration = asked ? { state: 'asked', nextAt: state.at + retryMs } : { state: 'unavailable' };
  if (asked) takeAnswers(state, association, standing, parameters);
}

/** An UPDATE came that is no repetition of another: REG_INFO, and answers. */
export function takeUpdate(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  parameters: readonly HipParameter[],
): void {
  takeAnswers(state, association, standing, parameters);
  const offer = parameters.find((parameter) => parameter.type === 'REG_INFO');
  if (offer === undefined) return;
  standing.registrarOffer = offer;
  if (standing.registration?.state !== 'registered') askNow(state, association, standing);
}

/** RFC 8003 4.4: any lifetime is taken, whatever we asked for, but for one that we did not ask for at all. */
export function takeAnswers(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  parameters: readonly HipParameter[],
): void {
  for (const parameter of parameters) {
    if (parameter.type !== 'REG_RESPONSE' && parameter.type !== 'REG_FAILED') continue;
    const { registration } = standing;
    if (registration === undefined || !parameter.registrationTypes.includes(RegistrationType.RENDEZVOUS))
      continue;
    if (parameter.type === 'REG_FAILED') refused(state, association, standing, parameter.failureType);
    else if (parameter.lifetime === 0) {
      standing.registration = { state: 'unavailable', nextAt: state.at + retryMs };
      tellEnd(state, association, registration, 'withdrawn');
    } else registered(state, association, standing, registrationLifetimeMs(parameter.lifetime));
  }
}

function registered(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  lifetimeMs: number,
): void {
  const refreshed = standing.registration?.state === 'registered';
  standing.registration = {
    state: 'registered',
    lifetimeMs,
    until: state.at + lifetimeMs,
    // Time enough for an UPDATE to be repeated.
    nextAt: state.at + lifetimeMs / 2,
  };
  state.emit({ kind: 'registered', context: association.context, as: 'requester', lifetimeMs, refreshed });
}

function refused(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  failure: number,
): void {
  standing.registration = {
    state: 'refused',
    failure,
    ...(!finalFailures.includes(failure) && { nextAt: state.at + retryMs }),
  };
  state.emit({ kind: 'registration-refused', context: association.context, as: 'requester', failure });
}

function tellEnd(
  state: HipHostState,
  association: HipAssociation,
  before: Registration | undefined,
  cause: RegistrationEnd,
): void {
  if (before?.state !== 'registered') return;
  state.emit({ kind: 'registration-ended', context: association.context, as: 'requester', cause });
}

/** The first time, after a refusal, or to go on. */
export function askNow(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const request = requestTo(state, association.remote, standing.registrarOffer);
  if (request === undefined) {
    if (wantedLifetimeMs(state, association.remote) === undefined) return;
    const { registration } = standing;
    // What we have stays as long as it was granted for.
    if (registration?.state !== 'registered') standing.registration = { state: 'unavailable' };
    else {
      const { nextAt, ...rest } = registration;
      standing.registration = rest;
    }
    return;
  }
  const { updates, registration } = standing;
  standing.registration =
    registration?.state === 'registered'
      ? { ...registration, nextAt: Math.min(state.at + retryMs, registration.until ?? state.at + retryMs) }
      : { state: 'asked', nextAt: state.at + retryMs };
  if (updates.outstanding !== undefined) updates.wanted.add('register');
  else sendUpdate(state, association, standing, { purpose: 'register', parameters: [request] });
}

/** The association goes, and its keys with it. */
export function loseRegistration(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { registration } = standing;
  standing.registration = undefined;
  tellEnd(state, association, registration, 'association');
}

/** We do not want it any longer: a lifetime of zero cancels (RFC 8003 5). */
export function cancelNow(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { registration, updates } = standing;
  standing.registration = undefined;
  if (registration?.state !== 'registered' && registration?.state !== 'asked') return;
  tellEnd(state, association, registration, 'cancelled');
  if (updates.outstanding !== undefined) updates.wanted.add('cancel');
  else sendCancellation(state, association, standing);
}

export function sendCancellation(state: HipHostState, association: HipAssociation, standing: Standing): void {
  sendUpdate(state, association, standing, {
    purpose: 'cancel',
    parameters: [{ type: 'REG_REQUEST', lifetime: 0, registrationTypes: [RegistrationType.RENDEZVOUS] }],
  });
}

/** Time passed: it has run out, or it is time to ask. */
export function tendRegistration(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { registration } = standing;
  if (registration === undefined) return;
  if (registration.until !== undefined && state.at >= registration.until) {
    standing.registration = { state: 'unavailable', nextAt: state.at };
    tellEnd(state, association, registration, 'expired');
  }
  const { nextAt } = standing.registration ?? {};
  if (nextAt !== undefined && state.at >= nextAt) askNow(state, association, standing);
}

/** Whether an association is needed for it, also while no data comes. */
export function keepsAssociation({ registration }: Standing): boolean {
  return registration?.state === 'registered' || registration?.state === 'asked';
}
