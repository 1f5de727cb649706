// Bringing a connection up: where it leads, the IKE SA, what to do when it fails.
import {
  type ConnectionConfiguration,
  formatIdentityPattern,
  type IkeFailure,
  identityKey,
  initiateIkeSa,
  type RemoteAddress,
  resumeIkeSa,
} from '#ike';
import { type IpAddress, isIpv6 } from '#sa';
import type { EngineState } from '../engine-state.ts';
import { portsFor } from '../ike-sas/ike-sa-ports.ts';
import { newEntry } from '../ike-sas/new-entry.ts';
import type { Resolution } from '../interface.ts';
import { type Initiation, retryDelayMs, type WantedChild } from './initiations.ts';

const standardNatTraversalPort = 4500;

/** How a Child SA is asked for. */
export interface InitiationManner {
  /** A new IKE SA even if the connection has one. */
  readonly anew?: boolean;
  /** Try again after a failure. */
  readonly persistent: boolean;
  /** Authenticate from scratch even if there is a ticket (RFC 5723). */
  readonly inFull?: boolean;
  /** Not before so many milliseconds have passed. */
  readonly afterMs?: number;
}

/** Brings a Child SA up over the connection's IKE SA, or over a new one. Returns why not, if that is known at once. */
export function initiateChild(
  state: EngineState,
  connection: ConnectionConfiguration,
  wanted: WantedChild,
  manner: InitiationManner,
): string | undefined {
  const afterMs = manner.afterMs ?? 0;
  const anew = manner.anew === true;
  for (const { unwanted } of state.registry.ofConnection(connection.name)) {
    unwanted.delete(wanted.configuration.name);
  }
  if (!anew && afterMs === 0 && initiateOverStanding(state, connection, wanted)) return undefined;
  const known = state.initiations.get(connection.name);
  const initiation = known ?? state.initiations.begin(connection);
  initiation.wanted.set(wanted.configuration.name, wanted);
  initiation.anew ||= anew;
  initiation.persistent ||= manner.persistent;
  initiation.inFull ||= manner.inFull === true;
  if (known !== undefined && (known.phase.name !== 'waiting' || afterMs > 0)) return undefined;
  if (afterMs === 0) return resolve(state, initiation);
  state.deadlines.set(`connect ${connection.name}`, state.at + afterMs);
  return undefined;
}

/** A child is taken down: what is on its way brings it up no more. Returns whether anything was. */
export function initiateNoMore(state: EngineState, child: string, connection: string | undefined): boolean {
  let any = false;
  for (const initiation of state.initiations.all()) {
    const { name } = initiation.connection;
    if ((connection !== undefined && name !== connection) || !initiation.wanted.delete(child)) continue;
    any = true;
    state.pending.initiationFailed(name, child, 'terminated by command');
    const { phase, given, wanted } = initiation;
    if (phase.name === 'connecting') {
      // The peer may have made it already, with an answer that is on its way.
      if (given.has(child)) state.registry.byId(phase.ikeId)?.unwanted.add(child);
    } else if (wanted.size === 0) state.initiations.end(name);
  }
  return any;
}

/** Over the connection's IKE SA, if it has one. */
function initiateOverStanding(
  state: EngineState,
  { name }: ConnectionConfiguration,
  { configuration, acquired }: WantedChild,
): boolean {
  const standing = state.registry
    .ofConnection(name)
    .find(({ sa }) => (sa.phase === 'established' || sa.phase === 'rekeying') && !sa.leaving);
  if (standing === undefined) return false;
  const command = { kind: 'initiate-child' as const, child: configuration, ...(acquired && { acquired }) };
  standing.sa.handle({ kind: 'command', at: state.at, command });
  state.touch(standing);
  return true;
}

/** The places a connection may lead to, in the order they are tried (RFC 4555 3.1). */
function destinations(
  connection: ConnectionConfiguration,
): Extract<RemoteAddress, { kind: 'address' | 'host' }>[] {
  return connection.remoteAddresses.filter((one) => one.kind === 'address' || one.kind === 'host');
}

function resolve(state: EngineState, initiation: Initiation): string | undefined {
  const { connection } = initiation;
  if (connection.remote.method === 'eap') {
    state.initiations.end(connection.name);
    return `connection ${connection.name} is for peers that authenticate by EAP, and only they can initiate`;
  }
  const places = destinations(connection);
  const place = places[initiation.failures % Math.max(1, places.length)];
  if (place === undefined) {
    state.initiations.end(connection.name);
    return `connection ${connection.name} names no address or host to initiate to (remote_addrs)`;
  }
  const sources = connection.localAddresses.flatMap((one) => (one.kind === 'address' ? [one.address] : []));
  const fits = (address: IpAddress): boolean =>
    place.kind === 'host' || isIpv6(address) === isIpv6(place.address);
  const local = sources.find(fits);
  if (sources.length > 0 && local === undefined) {
    state.initiations.end(connection.name);
    return `connection ${connection.name} has no local address of the remote address's family`;
  }
  const resolveId = state.nextResolveId();
  state.initiations.enter(initiation, { name: 'resolving', resolveId });
  state.outputs.push({
    kind: 'resolve',
    id: resolveId,
    host: place.kind === 'host' ? place.name : place.address,
    port: connection.remotePort,
    ...(local === undefined ? {} : { local }),
  });
  return undefined;
}

/** The driver found out where a connection leads. */
export function continueInitiation(state: EngineState, resolveId: number, resolution: Resolution): void {
  const initiation = state.initiations.byResolve(resolveId);
  if (initiation === undefined) return;
  const { connection } = initiation;
  if (!resolution.ok) {
    tryFailed(state, initiation, resolution.detail);
    return;
  }
  const { ports } = state.configuration;
  const ikeId = state.registry.nextIkeId();
  const line = { ikeId };
  const remote = { address: resolution.remote, port: connection.remotePort };
  const children = [...initiation.wanted.values()];
  const ticket =
    initiation.inFull || connection.resumption === undefined
      ? undefined
      : state.clientTickets.find(connection.name, state.wallClockMs);
  state.initiations.enter(initiation, { name: 'connecting', ikeId, byTicket: ticket !== undefined });
  initiation.given = new Set(children.map(({ configuration }) => configuration.name));
  state.event({ kind: 'connecting', connection: connection.name, attempt: initiation.failures + 1, remote });
  const options = {
    connection,
    local: {
      address: resolution.local,
      port: connection.localPort === ports.natTraversal ? ports.natTraversal : ports.ike,
    },
    remote,
    natTraversal: {
      localPort: ports.natTraversal,
      // Peers that share our unusual IKE port are taken to share the other one too.
      remotePort: connection.remotePort === ports.ike ? ports.natTraversal : standardNatTraversalPort,
    },
    at: state.at,
    ports: portsFor(state, line),
    keyLog: state.keyLog,
    children: children.map(({ configuration }) => configuration),
    ...(children[0]?.acquired === undefined ? {} : { acquired: children[0].acquired }),
  };
  const initialContact = ticket === undefined ? takeInitialContact(state, connection) : undefined;
  const sa =
    ticket === undefined
      ? initiateIkeSa({ ...options, initialContact: initialContact !== undefined })
      : resumeIkeSa({ ...options, ticket });
  const entry = newEntry(state, { ikeId, line, sa, initiator: true });
  entry.initialContact = initialContact;
  state.touch(entry);
}

/**
 * RFC 7296 2.4: only in the first IKE_AUTH since the start that comes to anything, and only if we know no other IKE SA with that
 * peer. @returns the identities that it is said for
 */
function takeInitialContact(state: EngineState, connection: ConnectionConfiguration): string | undefined {
  const { identity } = connection.remote;
  // Who answers behind a wildcard is not known yet, so nothing can be said about it.
  if (connection.unique === 'never' || identity.kind !== 'exact') return undefined;
  const local = connection.local.identity;
  const pair = `${local === undefined ? connection.name : identityKey(local)} ${formatIdentityPattern(identity)}`;
  if (state.contacted.has(pair)) return undefined;
  state.contacted.add(pair);
  const alone =
    !state.registry.knows(identity.identity) && state.registry.ofConnection(connection.name).length === 0;
  return alone ? pair : undefined;
}

/** The IKE SA of an initiation did not come to be. */
export function connectionFailed(
  state: EngineState,
  ikeId: number,
  connection: string,
  { code, detail }: IkeFailure,
): void {
  const initiation = state.initiations.byIke(ikeId);
  if (initiation === undefined) return;
  if (initiation.connection.name !== connection) throw new Error('an initiation changed its connection');
  if (initiation.wanted.size === 0) {
    state.initiations.end(connection);
    return;
  }
  if (initiation.phase.name === 'connecting' && initiation.phase.byTicket && code !== 'abandoned') {
    // RFC 5723 4.3.2: whatever is wrong with the ticket, a full exchange may do. Only silence leaves it good.
    if (code !== 'no-answer') state.clientTickets.drop(connection);
    initiation.inFull = true;
    state.event({ kind: 'resumption-failed', connection, detail });
    const refusal = resolve(state, initiation);
    if (refusal !== undefined) state.pending.initiationFailed(connection, undefined, refusal);
    return;
  }
  tryFailed(state, initiation, detail);
}

function tryFailed(state: EngineState, initiation: Initiation, detail: string): void {
  const { connection } = initiation;
  initiation.failures++;
  if (initiation.phase.name === 'connecting') initiation.exchangesFailed++;
  state.pending.initiationFailed(connection.name, undefined, detail);
  const { keyingTries } = connection;
  const triesLeft = keyingTries === 0 || initiation.exchangesFailed < keyingTries;
  if (!initiation.persistent || state.shuttingDown || !triesLeft) {
    state.initiations.end(connection.name);
    state.event({ kind: 'connect-failed', connection: connection.name, detail });
    return;
  }
  state.initiations.enter(initiation, { name: 'waiting' });
  const retryInMs = retryDelayMs(initiation.failures);
  state.deadlines.set(`connect ${connection.name}`, state.at + retryInMs);
  state.event({ kind: 'connect-failed', connection: connection.name, detail, retryInMs });
}

/**
 * The configuration was loaded anew: a connection on its way up goes on as it is configured now, from the start if it
 * was changed.
 */
export function followConfiguration(state: EngineState, initiation: Initiation): void {
  const { connection, phase, wanted, persistent } = initiation;
  const current = state.connections.named(connection.name);
  if (current !== undefined && sameConnection(current, connection)) return;
  state.initiations.end(connection.name);
  const entry = phase.name === 'connecting' ? state.registry.byId(phase.ikeId) : undefined;
  if (entry !== undefined) {
    const reason = 'the configuration of its connection changed';
    entry.sa.handle({ kind: 'command', at: state.at, command: { kind: 'abandon', reason } });
    state.touch(entry);
  }
  for (const [name, { acquired }] of wanted) {
    const configuration = current?.children.find((child) => child.name === name);
    if (current === undefined || configuration === undefined) {
      const detail = `${current === undefined ? 'the connection' : `child ${name}`} was removed from the configuration`;
      state.pending.initiationFailed(connection.name, name, detail);
      continue;
    }
    const refusal = initiateChild(
      state,
      current,
      { configuration, ...(acquired && { acquired }) },
      { persistent },
    );
    if (refusal !== undefined) state.pending.initiationFailed(connection.name, name, refusal);
  }
}

/** The address from which it is being made is gone: it begins anew, from where this host is now. That is no failure of a try. */
export function beginAgain(state: EngineState, initiation: Initiation, reason: string): void {
  const { connection, phase } = initiation;
  if (phase.name !== 'connecting') return;
  const entry = state.registry.byId(phase.ikeId);
  const refusal = resolve(state, initiation);
  if (refusal !== undefined) state.pending.initiationFailed(connection.name, undefined, refusal);
  if (entry === undefined) return;
  entry.sa.handle({ kind: 'command', at: state.at, command: { kind: 'abandon', reason } });
  state.touch(entry);
}

function sameConnection(a: ConnectionConfiguration, b: ConnectionConfiguration): boolean {
  const plain = (value: ConnectionConfiguration): string =>
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
  return plain(a) === plain(b);
}

/** The wait after a failure is over. */
export function retryConnection(state: EngineState, connection: string): void {
  const initiation = state.initiations.get(connection);
  if (initiation === undefined || initiation.phase.name !== 'waiting') return;
  const wanted = [...initiation.wanted.values()];
  if (!initiation.anew && wanted.every((one) => initiateOverStanding(state, initiation.connection, one))) {
    state.initiations.end(connection);
    return;
  }
  const refusal = resolve(state, initiation);
  if (refusal !== undefined) state.event({ kind: 'connect-failed', connection, detail: refusal });
}
