// The IKE SA that a rekeying makes, and the moment it takes over (RFC 7296 2.8, 2.8.2, 2.18).
import { deriveIkeKeys, wipe } from '#crypto';
import type { IkeSuite } from '#sa';
import { type IkeRole, IkeSaState } from '../../ike-sa-state.ts';
import { startClocks } from '../../lifecycle.ts';
import type { IkeSpis } from '../../phase.ts';
import { protect } from '../../protection/protection-keys.ts';
import { revokeTickets } from '../../resumption/revocation.ts';
import { requestTicketAfterRekey } from '../ike-session-resume/tickets.ts';

/** How long a replaced IKE SA waits for the peer's Delete. */
const deleteWaitMs = 30_000;

export interface SuccessorKeys {
  readonly role: IkeRole;
  readonly spis: IkeSpis;
  readonly suite: IkeSuite;
  readonly nonceInitiator: Uint8Array;
  readonly nonceResponder: Uint8Array;
  /** Wiped here. */
  readonly sharedSecret: Uint8Array;
}

export function makeSuccessor(state: IkeSaState, input: SuccessorKeys): IkeSaState {
  const { skD, suite: former } = state.secure();
  const successor = new IkeSaState({
    ports: state.ports,
    role: input.role,
    connection: state.connection,
    spis: input.spis,
    local: state.local,
    remote: state.remote,
    natTraversal: state.natTraversal,
    keyLog: state.keyLog,
    at: state.at,
    phase: { name: 'established' },
    // RFC 7296 2.2: both directions count from zero again.
    firstRequestId: 0,
    firstExpectedId: 0,
  });
  const keys = deriveIkeKeys({
    suite: input.suite,
    nonceInitiator: input.nonceInitiator,
    nonceResponder: input.nonceResponder,
    initiatorSpi: input.spis.initiator,
    responderSpi: input.spis.responder,
    sharedSecret: input.sharedSecret,
    rekeyed: { skD, prf: former.prf },
  });
  wipe(input.sharedSecret);
  protect(successor, input.suite, keys);
  successor.localIdentity = state.localIdentity;
  successor.remoteIdentity = state.remoteIdentity;
  successor.remoteEapIdentity = state.remoteEapIdentity;
  successor.nat = state.nat;
  successor.peer.fragmentation = state.peer.fragmentation;
  successor.peer.childless = state.peer.childless;
  successor.peer.signatureHashes = state.peer.signatureHashes;
  successor.peer.tickets = state.peer.tickets;
  successor.peer.messageIdSync = state.peer.messageIdSync;
  successor.mobility = state.mobility;
  successor.roundTrip = state.roundTrip;
  successor.client = state.client;
  successor.clientMethod = state.clientMethod;
  successor.clientCredential = state.clientCredential;
  startClocks(successor);
  // RFC 7296 2.8.3: fresh keys are no fresh authentication.
  successor.reauthAt = state.reauthAt;
  successor.parent = state;
  state.offspring.push(successor);
  state.emit({
    kind: 'ike-sa-created',
    initiatorSpi: input.spis.initiator,
    responderSpi: input.spis.responder,
  });
  return successor;
}

/**
 * A peer that uses what its own rekeying made, and not only to delete it, knows that it won, even if the answer that
 * would tell us so is still on its way (RFC 7296 2.8.2).
 */
export function noteUse(state: IkeSaState): void {
  const { parent } = state;
  if (parent?.collision?.successor !== state || parent.phase.name !== 'established') return;
  parent.at = state.at;
  handOver(parent, state);
}

/**
 * It was replaced, or lost (RFC 7296 2.8.2): the peer deletes it. But one that got our Delete of the old IKE SA before the
 * answer to its own rekeying does not even know what that made, and the Delete never comes.
 */
export function awaitDelete(state: IkeSaState): void {
  if (!state.ended) state.phase = { name: 'rekeyed', expiresAt: state.at + deleteWaitMs };
}

/** Either end may have moved since the successor was made, and what told so, or checked it, goes with its predecessor (RFC 4555 3.5). */
function takeOverPlace(state: IkeSaState, successor: IkeSaState): void {
  const { mobility } = state;
  if (mobility === undefined) return;
  successor.local = state.local;
  successor.remote = state.remote;
  successor.nat = state.nat;
  for (const { exchange } of state.requests.all()) {
    const { kind } = exchange;
    if (kind === 'update-addresses' || kind === 'check-path' || kind === 'announce-addresses')
      successor.tasks.add({ kind });
  }
}

/** Everything that hangs on the IKE SA moves; what is left is to be deleted by whoever won. */
export function handOver(state: IkeSaState, successor: IkeSaState): void {
  successor.children.push(...state.children);
  state.children = [];
  successor.tasks.restore(
    state.tasks.drain().filter(({ work }) => work.kind !== 'rekey-ike' && work.kind !== 'request-ticket'),
  );
  takeOverPlace(state, successor);
  successor.virtualAddresses = state.virtualAddresses;
  successor.peerVirtualAddresses = state.peerVirtualAddresses;
  successor.lease = state.lease;
  state.lease = undefined;
  state.collision = undefined;
  state.synchronization = undefined;
  state.rekeyAt = undefined;
  state.reauthAt = undefined;
  state.expiresAt = undefined;
  state.successor = successor;
  // Decided: no link back that would keep every predecessor alive.
  for (const offspring of state.offspring) offspring.parent = undefined;
  awaitDelete(state);
  revokeTickets(state);
  requestTicketAfterRekey(successor);
  state.emit({ kind: 'ike-rekeyed', suite: successor.secure().suite });
}
