// How an IKE SA begins: it is initiated, resumed, answered, or taken over from an earlier process.
import type { Endpoint } from '#sa';
import type { IkeMessage } from '#wire';
import { zeroIkeSpi } from '#wire';
import type { ChildConfiguration, ConnectionConfiguration } from './configuration.ts';
import type { InitOutcome, InitRequest } from './exchanges/ike-sa-init/half-open.ts';
import { beginIkeSaInit } from './exchanges/ike-sa-init/ike-sa-init-initiator.ts';
import { answerInitRequest } from './exchanges/ike-sa-init/ike-sa-init-responder.ts';
import { beginResumption } from './exchanges/ike-session-resume/ike-session-resume-initiator.ts';
import { answerResumeRequest } from './exchanges/ike-session-resume/ike-session-resume-responder.ts';
import { type AdoptOptions, IkeSa } from './ike-sa.ts';
import { IkeSaState, type NatTraversalPorts } from './ike-sa-state.ts';
import type { IkeSaPorts } from './interface.ts';
import type { ClientTicket } from './resumption/client-ticket.ts';
import type { AcquiredTraffic } from './task.ts';

/** RFC 7296 2.23 names 4500 for both ends. */
const standardNatTraversal: NatTraversalPorts = { localPort: 4500, remotePort: 4500 };

export interface InitiateOptions {
  readonly connection: ConnectionConfiguration;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly ports: IkeSaPorts;
  /** Monotonic milliseconds. */
  readonly at: number;
  /** Where IKE moves if there is a NAT. */
  readonly natTraversal?: NatTraversalPorts;
  readonly keyLog?: boolean;
  /** Send INITIAL_CONTACT (RFC 7296 2.4). */
  readonly initialContact: boolean;
  /** The first goes into IKE_AUTH, the others follow by CREATE_CHILD_SA. Empty: a childless IKE SA (RFC 6023) if possible. */
  readonly children: readonly ChildConfiguration[];
  /** The packet that made the host ask for the first child. */
  readonly acquired?: AcquiredTraffic;
}

/** Starts an IKE SA: its first output is the IKE_SA_INIT request. */
export function initiateIkeSa(options: InitiateOptions): IkeSa {
  const state = newInitiator(options);
  beginIkeSaInit(state);
  return new IkeSa(state);
}

/**
 * Goes on with an IKE SA of an earlier process (see `IkeSa.snapshot`). Until a snapshot of the result is durable, nothing that it
 * says may leave: not its messages, nor `extend-reservation`.
 * @throws Error if the connection lacks a child that the snapshot names, or if what replaced it is missing
 */
export function adoptIkeSa(options: AdoptOptions): IkeSa {
  return IkeSa.adopt(options);
}

export interface ResumeOptions extends Omit<InitiateOptions, 'initialContact'> {
  /** Stays the host's: it may be presented again if this IKE SA fails without a word, and is used once it stands. */
  readonly ticket: ClientTicket;
}

/**
 * Resumes an IKE SA (RFC 5723): the first output is the IKE_SESSION_RESUME request. The host decides when, by the rules of
 * liveness alone: no unauthenticated message may bring it about (9.4). If the ticket is refused (`ticket-refused`), or
 * nobody answers, it makes an IKE SA in full.
 * @throws Error if the ticket has expired or is another connection's: presenting it would be the host's mistake (4.3.1)
 */
export function resumeIkeSa(options: ResumeOptions): IkeSa {
  const { ticket, ports, connection } = options;
  if (ticket.expiresAtMs <= ports.wallClockMs()) throw new Error('an expired ticket was to be presented');
  if (ticket.connection !== connection.name)
    throw new Error("another connection's ticket was to be presented");
  const state = newInitiator({ ...options, initialContact: false });
  beginResumption(state, ticket);
  return new IkeSa(state);
}

function newInitiator(options: InitiateOptions): IkeSaState {
  const { connection, local, remote, ports, at } = options;
  const state = new IkeSaState({
    ports,
    role: 'initiator',
    connection,
    spis: { initiator: ports.allocateIkeSpi(), responder: zeroIkeSpi },
    local,
    remote,
    natTraversal: options.natTraversal ?? standardNatTraversal,
    keyLog: options.keyLog ?? false,
    at,
    phase: { name: 'new' },
    firstRequestId: 0,
    firstExpectedId: 0,
  });
  state.initialContact = options.initialContact;
  state.wantedChildren = options.children;
  state.acquired = options.acquired;
  return state;
}

export interface RespondOptions {
  /** The first request, decoded; `message.octets` must not change afterwards. */
  readonly message: IkeMessage;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly ports: IkeSaPorts;
  readonly at: number;
  readonly natTraversal?: NatTraversalPorts;
  readonly keyLog?: boolean;
  /** How long IKE_AUTH may take to come. */
  readonly halfOpenTimeoutMs: number;
  /** The longest answer that may go to a source that has returned no cookie. Absent: it has. */
  readonly answerBytesMax?: number;
}

export type RespondOutcome =
  /** A stateless refusal, to be sent back to where the request came from. */
  | { readonly kind: 'reply'; readonly octets: Uint8Array; readonly reason: string }
  | { readonly kind: 'drop'; readonly reason: string }
  /** The answer would be longer than `answerBytesMax`: a cookie has to be demanded. */
  | { readonly kind: 'unproven'; readonly reason: string }
  /** A half-open IKE SA; its first output is the answer. */
  | { readonly kind: 'sa'; readonly sa: IkeSa };

/** Answers an IKE_SA_INIT request. COOKIE demands and limits on half-open IKE SAs come before it: they are the host's. */
export function respondToInit(options: RespondOptions): RespondOutcome {
  return outcomeOf(answerInitRequest(withDefaults(options)));
}

/** Answers an IKE_SESSION_RESUME request (RFC 5723 4.3.2). COOKIE demands and limits are the host's here too. */
export function respondToResume(options: RespondOptions): RespondOutcome {
  return outcomeOf(answerResumeRequest(withDefaults(options)));
}

function withDefaults(options: RespondOptions): InitRequest {
  return {
    ...options,
    natTraversal: options.natTraversal ?? standardNatTraversal,
    keyLog: options.keyLog ?? false,
  };
}

function outcomeOf(outcome: InitOutcome): RespondOutcome {
  return outcome.kind === 'state' ? { kind: 'sa', sa: new IkeSa(outcome.state) } : outcome;
}
