// What the data plane reports about Child SAs: first traffic, expiry, a moved peer (RFC 7296 2.8, 2.23, RFC 4301 4.4.2.1).
import type { DataPlaneEvent, OffloadKind, SaDirection, SaResult } from '#sa';
import { extendReservation } from './checkpoint/extend-reservation.ts';
import { moveChildren, useOutbound } from './child-sas/child-installation.ts';
import type { ChildSa } from './child-sas/child-sa.ts';
import { summaryOf } from './child-sas/child-sa.ts';
import { noteMapping } from './exchanges/mobike/check-path.ts';
import { sendAgainThere } from './exchanges/mobike/send-again.ts';
import { failure, type IkeSaState } from './ike-sa-state.ts';
import type { IkeFailure } from './interface.ts';

export function handleDataPlaneEvent(state: IkeSaState, event: DataPlaneEvent): void {
  switch (event.kind) {
    case 'first-inbound': {
      const child = bySpi(state, event.spi);
      state.lastTrafficAt = state.at;
      // RFC 7296 2.8: whoever sends on the new pair is ready to receive on it.
      if (child?.phase === 'installed') useOutbound(state, child);
      return;
    }
    case 'soft-expired':
      rekey(state, bySpi(state, event.spi));
      return;
    case 'sequence-exhausted':
    case 'hard-expired':
      remove(state, bySpi(state, event.spi), failure('expired', 'its traffic limit is reached'));
      return;
    case 'mapping-changed': {
      if (bySpi(state, event.spi) === undefined) return;
      if (state.mobility !== undefined) {
        noteMapping(state, state.mobility, event.remote);
        return;
      }
      // RFC 7296 2.23: only a host that is not behind a NAT itself follows.
      if (state.nat.local) return;
      const from = state.remote;
      if (from.address === event.remote.address && from.port === event.remote.port) return;
      state.remote = event.remote;
      moveChildren(state);
      sendAgainThere(state);
      state.emit({ kind: 'peer-moved', from, to: event.remote });
      return;
    }
    case 'reservation-low': {
      const child = ofDirection(state, event.direction, event.spi);
      if (child !== undefined) extendReservation(state, child, event.direction, event.last);
      return;
    }
    case 'acquire':
    case 'unknown-spi':
      // The host answers these: they belong to no Child SA.
      return;
  }
}

export function handleSaResult(state: IkeSaState, id: number, result: SaResult): void {
  const demand = state.installations.get(id);
  state.installations.delete(id);
  if (demand === undefined) return;
  const { child, direction } = demand;
  if (result.ok) {
    if (direction !== undefined) noteOffload(child, direction, result.offloaded);
    return;
  }
  // What else is refused of the pair follows from this.
  for (const [other, { child: owner }] of state.installations)
    if (owner === child) state.installations.delete(other);
  // The peer knows our SPI already: choosing another one is not possible, so that the pair has to go.
  const reason = failure('data-plane', `${result.code}: ${result.detail}`);
  const holder = holderOf(state, child);
  if (holder === undefined) return;
  holder.emit({ kind: 'child-failed', name: summaryOf(child).name, failure: reason });
  remove(holder, child, reason);
  restorePredecessor(holder, child);
}

function noteOffload(child: ChildSa, direction: SaDirection, kind: OffloadKind | undefined): void {
  const { [direction]: before, ...other } = child.offloaded ?? {};
  if (kind !== before) child.offloaded = kind === undefined ? other : { ...other, [direction]: kind };
}

/** What the peer wanted to replace goes on, and may be replaced by another attempt: nobody deletes it now. */
function restorePredecessor(state: IkeSaState, { initiator, replaces }: ChildSa): void {
  if (initiator || replaces?.phase !== 'replaced' || !state.children.includes(replaces)) return;
  replaces.phase = 'installed';
  replaces.collision = undefined;
}

function holderOf(state: IkeSaState, child: ChildSa): IkeSaState | undefined {
  if (state.children.includes(child)) return state;
  return state.successor === undefined ? undefined : holderOf(state.successor, child);
}

function ofDirection(state: IkeSaState, direction: SaDirection, spi: number): ChildSa | undefined {
  return state.children.find(
    ({ agreement }) => spi === (direction === 'inbound' ? agreement.inboundSpi : agreement.outboundSpi),
  );
}

/** Either half names the pair. */
function bySpi(state: IkeSaState, spi: number): ChildSa | undefined {
  return (
    state.children.find(({ agreement }) => agreement.inboundSpi === spi) ??
    state.children.find(({ agreement }) => agreement.outboundSpi === spi)
  );
}

function rekey(state: IkeSaState, child: ChildSa | undefined): void {
  if (child?.phase !== 'installed') return;
  const { inboundSpi } = child.agreement;
  const underway = state.requests
    .all()
    .some(({ exchange }) => exchange.kind === 'create-child' && exchange.replaces === child);
  if (!underway) state.tasks.add({ kind: 'rekey-child', inboundSpi });
}

function remove(state: IkeSaState, child: ChildSa | undefined, reason: IkeFailure): void {
  if (child === undefined || child.phase === 'deleting') return;
  const { protocol, inboundSpi } = child.agreement;
  state.tasks.add({ kind: 'delete-child', protocol, inboundSpi, failure: reason });
}
