// What the host asks of an IKE SA.
import { containsSelector, type IpAddress, type TrafficSelector } from '#sa';
import { rekeyEverything } from './checkpoint/rekey-everything.ts';
import { beginDeleteIke } from './exchanges/informational/informational.ts';
import { beginSynchronization } from './exchanges/informational/message-id-sync.ts';
import { leaveAddress } from './exchanges/mobike/announce-addresses.ts';
import { moveTo } from './exchanges/mobike/update-addresses.ts';
import { failure, type IkeSaState } from './ike-sa-state.ts';
import type { IkeSaCommand } from './interface.ts';
import { endIkeSa } from './lifecycle.ts';
import type { AcquiredTraffic, Work } from './task.ts';

export function handleCommand(state: IkeSaState, command: IkeSaCommand): void {
  switch (command.kind) {
    case 'initiate-child': {
      const { child: configuration, acquired } = command;
      // Packets ask as long as they find no SA, also those that were on their way while it came.
      if (acquired !== undefined && isComing(state, configuration.name, acquired)) return;
      state.tasks.add({
        kind: 'initiate-child',
        configuration,
        ...(acquired !== undefined && { acquired }),
      });
      return;
    }
    case 'rekey-child': {
      const child = state.children.find(
        ({ agreement, phase }) => agreement.childId === command.childId && phase === 'installed',
      );
      if (child === undefined) return;
      state.tasks.add({ kind: 'rekey-child', inboundSpi: child.agreement.inboundSpi });
      return;
    }
    case 'delete-child': {
      const reason = failure('deleted-by-us', 'on request');
      const { childId } = command;
      for (const { exchange } of state.requests.all()) {
        if (exchange.kind !== 'create-child' || exchange.offer.childId !== childId) continue;
        state.unwantedChildren.add(childId);
      }
      for (const { agreement, phase } of state.children) {
        if (agreement.childId !== childId || phase === 'deleting') continue;
        const { protocol, inboundSpi } = agreement;
        state.tasks.add({ kind: 'delete-child', protocol, inboundSpi, failure: reason });
      }
      return;
    }
    case 'send-notify':
      state.tasks.add({ kind: 'send-notify', notify: command.notify });
      return;
    case 'synchronize-message-ids':
      beginSynchronization(state, command.skip);
      return;
    case 'rekey-everything':
      rekeyEverything(state);
      return;
    case 'rekey-ike':
      if (!state.rekeying) state.tasks.add({ kind: 'rekey-ike' });
      return;
    case 'delete':
      deleteIke(state, command.reason);
      return;
    case 'abandon':
      // Whoever waits for nothing but the answer to a Delete ends for the reason of that.
      endIkeSa(
        state,
        state.phase.name === 'deleting' ? state.phase.failure : failure('abandoned', command.reason),
      );
      return;
    case 'move':
      move(state, command.local, command.remote);
      return;
    case 'announce-addresses':
      if (state.mobility !== undefined && !state.client) state.tasks.add({ kind: 'announce-addresses' });
      return;
    case 'check-liveness':
      // Any request under way is a liveness check already.
      if (state.requests.all().length === 0) {
        state.tasks.add({ kind: 'check-liveness', reason: command.reason });
      }
      return;
  }
}

function move(state: IkeSaState, own: IpAddress, peer: IpAddress | undefined): void {
  if (state.mobility === undefined) return;
  if (!state.client) {
    leaveAddress(state, own);
    return;
  }
  const { local, remote } = state;
  moveTo(state, {
    local: { address: own, port: local.port },
    remote: { address: peer ?? remote.address, port: remote.port },
  });
}

function deleteIke(state: IkeSaState, detail: string): void {
  const reason = failure('deleted-by-us', detail);
  const { name } = state.phase;
  if (name === 'deleting' || name === 'rekeyed') return;
  // Before the peer is authenticated there is nothing that a Delete could be about.
  if (name !== 'established') {
    endIkeSa(state, reason);
    return;
  }
  // Waiting for the answer of another request could take as long as all its tries; but beside a rekeying of the IKE SA
  // the Delete would miss the successor.
  if (state.requests.hasRoom() && !state.rekeying) {
    beginDeleteIke(state, reason);
    return;
  }
  state.tasks.add({ kind: 'delete-ike', failure: reason });
}

/** Whether the traffic has a Child SA, or the Child SA that it asks for is being made. */
function isComing(state: IkeSaState, name: string, { local, remote }: AcquiredTraffic): boolean {
  const carries = (selectors: readonly TrafficSelector[], one: TrafficSelector): boolean =>
    selectors.some((selector) => containsSelector(selector, one));
  const isIt = (work: Work): boolean => work.kind === 'initiate-child' && work.configuration.name === name;
  return (
    state.tasks.all().some(({ work }) => isIt(work)) ||
    state.requests
      .all()
      .some(({ exchange }) => exchange.kind === 'create-child' && isIt(exchange.task.work)) ||
    state.children.some(
      ({ agreement, phase }) =>
        phase === 'installed' &&
        agreement.configuration.name === name &&
        carries(agreement.local, local) &&
        carries(agreement.remote, remote),
    )
  );
}
