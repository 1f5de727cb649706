// Who is registered with this host, what it offers, and what it says to requests (RFC 8003 3.1, 3.3, 4.2 to 4.5, 5).
import type { Randomness } from '#crypto';
import {
  type HipParameter,
  type HipParameterOf,
  type Hit,
  type RegInfoParameter,
  RegistrationFailure,
  RegistrationType,
} from '#wire';
import type { HipAssociation, Standing } from '../association.ts';
import type { HipConfiguration } from '../configuration.ts';
import type { HipHostState } from '../host-state.ts';
import type { RegistrationEnd } from '../interface.ts';
import { PrefixRate } from '../prefix-rate.ts';
import { lifetimeWithin, registrationLifetimeMs, registrationLifetimeOf } from './lifetime.ts';

/** A registration of a peer for rendezvous. It belongs to the association, whose keys protect what is relayed. */
export interface Granted {
  readonly lifetimeMs: number;
  readonly until: number;
}

/** Types of one failure that are named in an answer: more are not known to anybody. */
const failedTypesMax = 16;

export class Registrar {
  /** By HIT; a host that has an association with each of our identities has one registration. */
  readonly clients: Map<Hit, HipAssociation> = new Map();
  readonly relayRate: PrefixRate;
  /** Somebody's registration has ended since `tellRoom` was called. */
  roomMade = false;
  /** Those that came or asked when there was no room, the first of them first. */
  readonly waiting: Set<HipAssociation> = new Set();

  constructor(randomness: Randomness, { registrar }: HipConfiguration, at: number) {
    const salt = randomness.bytes(4);
    this.relayRate = new PrefixRate(
      new DataView(salt.buffer, salt.byteOffset).getUint32(0),
      registrar?.relayPerSecond ?? { perPrefix: 0, total: 0 },
      at,
    );
  }
}

/**
 * RFC 8003 3.1: without room there is nothing to offer for the time being, but to whom has a place already. `undefined`:
 * this host is no registrar.
 */
export function registrarOffer(
  { configuration, registrar }: HipHostState,
  to: Hit,
): RegInfoParameter | undefined {
  const { registrar: policy } = configuration;
  if (policy === undefined) return undefined;
  const { clients } = registrar;
  const full = clients.size >= policy.registrationsMax && !clients.has(to);
  return {
    type: 'REG_INFO',
    minimumLifetime: registrationLifetimeOf(policy.lifetimeMsMin),
    maximumLifetime: registrationLifetimeOf(policy.lifetimeMsMax),
    registrationTypes: full ? [] : [RegistrationType.RENDEZVOUS],
  };
}

/** What a request leads to. */
export interface Judgement {
  /** For R2 or the UPDATE that acknowledges. */
  readonly answers: readonly HipParameter[];
  /** Of rendezvous; 0 ends it, `undefined` leaves it as it is. */
  readonly lifetime: number | undefined;
  readonly failure: number | undefined;
}

/** `undefined`: nothing is asked for. Nothing changes yet: see `grant`. */
export function judgeRequest(
  state: HipHostState,
  client: Hit,
  parameters: readonly HipParameter[],
): Judgement | undefined {
  let lifetime: number | undefined;
  let failure: number | undefined;
  const unavailable = new Set<number>();
  // RFC 8003 4.3: several are processed as one; of two that name the same type the later one counts.
  const requests = parameters.filter(
    (parameter): parameter is HipParameterOf<'REG_REQUEST'> => parameter.type === 'REG_REQUEST',
  );
  for (const request of requests) {
    for (const type of request.registrationTypes) {
      if (type !== RegistrationType.RENDEZVOUS) unavailable.add(type);
      else {
        failure = request.lifetime === 0 ? undefined : refusalOf(state, client);
        lifetime = failure === undefined ? grantedLifetime(state, client, request.lifetime) : undefined;
      }
    }
  }
  if (requests.length === 0) return undefined;
  const answers: HipParameter[] = [];
  const { RENDEZVOUS } = RegistrationType;
  if (lifetime !== undefined)
    answers.push({ type: 'REG_RESPONSE', lifetime, registrationTypes: [RENDEZVOUS] });
  if (failure === RegistrationFailure.TYPE_UNAVAILABLE) unavailable.add(RENDEZVOUS);
  else if (failure !== undefined)
    answers.push({ type: 'REG_FAILED', failureType: failure, registrationTypes: [RENDEZVOUS] });
  if (unavailable.size > 0) {
    const registrationTypes = [...unavailable].slice(0, failedTypesMax);
    const failureType = RegistrationFailure.TYPE_UNAVAILABLE;
    answers.push({ type: 'REG_FAILED', failureType, registrationTypes });
  }
  return { answers, lifetime, failure };
}

function refusalOf({ configuration, registrar }: HipHostState, client: Hit): number | undefined {
  const { registrar: policy } = configuration;
  if (policy === undefined) return RegistrationFailure.TYPE_UNAVAILABLE;
  // RFC 8003 3.3: certificates are not looked at, so that there are no other credentials.
  if (policy.clients !== undefined && !policy.clients.includes(client))
    return RegistrationFailure.CREDENTIALS_REQUIRED;
  const { clients } = registrar;
  if (!clients.has(client) && clients.size >= policy.registrationsMax)
    return RegistrationFailure.INSUFFICIENT_RESOURCES;
  return undefined;
}

/** RFC 8003 4.3: a lifetime beyond the bounds becomes the bound. */
function grantedLifetime(state: HipHostState, client: Hit, asked: number): number {
  const offer = registrarOffer(state, client);
  return asked === 0 || offer === undefined ? 0 : lifetimeWithin(asked, offer);
}

/** The judgement takes effect: its answers are on their way. */
export function grant(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  { lifetime, failure }: Judgement,
): void {
  if (failure !== undefined) {
    if (failure === RegistrationFailure.INSUFFICIENT_RESOURCES) awaitRoom(state, association, standing);
    state.emit({ kind: 'registration-refused', context: association.context, as: 'registrar', failure });
  }
  if (lifetime === undefined) return;
  if (lifetime === 0) {
    endGranted(state, association, standing, 'cancelled');
    return;
  }
  const { clients } = state.registrar;
  const before = clients.get(association.remote);
  if (before?.standing !== undefined && before !== association) {
    endGranted(state, before, before.standing, 'replaced');
    state.alsoChanged.add(before);
  }
  const lifetimeMs = registrationLifetimeMs(lifetime);
  const refreshed = standing.granted !== undefined;
  standing.granted = { lifetimeMs, until: state.at + lifetimeMs };
  clients.set(association.remote, association);
  state.emit({ kind: 'registered', context: association.context, as: 'registrar', lifetimeMs, refreshed });
}

/** It will hear of it when there is room. */
export function awaitRoom(
  { registrar }: HipHostState,
  association: HipAssociation,
  standing: Standing,
): void {
  standing.untold = 'room';
  registrar.waiting.add(association);
}

/** Nothing is relayed any longer. */
export function endGranted(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  cause: RegistrationEnd,
): void {
  if (standing.granted === undefined) return;
  standing.granted = undefined;
  state.registrar.clients.delete(association.remote);
  state.registrar.roomMade = true;
  state.emit({ kind: 'registration-ended', context: association.context, as: 'registrar', cause });
}
