// An association goes on by another way: its SAs, and what waits for an answer, follow (RFC 8046 3.2.1, 5.5, 5.6.1).
import type { HipAssociation, Standing } from '../association.ts';
import type { HipHostState } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import { firstWaitMs } from '../update/send-update.ts';
import { announce } from './own-locators.ts';

export function usePath(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  path: HipPath,
): void {
  const before = association.path;
  state.associations.move(association, path);
  standing.locators.leave(path.remote.address);
  standing.suspect = false;
  standing.unansweredSince = undefined;
  updateAddresses(state, association, standing);
  const { outstanding } = standing.updates;
  // Whatever waits for an answer may wait for one that comes by the way that was left.
  if (outstanding !== undefined) {
    const repetitions = Math.max(1, outstanding.repetitions);
    const nextAt = state.at + firstWaitMs(state, standing);
    standing.updates.outstanding = { ...outstanding, path, repetitions, nextAt };
    state.transmit(path, outstanding.packet);
  }
  for (const end of ['remote', 'local'] as const) {
    if (before[end].address === path[end].address && before[end].port === path[end].port) continue;
    state.emit({ kind: 'moved', context: association.context, from: before[end], to: path[end] });
  }
  if (before.local.address !== path.local.address) announce(state, association, standing);
}

/** The peer has proven the address in use, or has to once more. */
export function followState(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { limited } = standing;
  if (isUnverified(association, standing) !== limited) updateAddresses(state, association, standing);
}

function isUnverified({ path }: HipAssociation, { locators }: Standing): boolean {
  return locators.find(path.remote.address)?.state === 'UNVERIFIED';
}

export function updateAddresses(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { path } = association;
  const { local, remote } = path;
  standing.limited = isUnverified(association, standing);
  if (!standing.limited) standing.provenPath = path;
  const { limited } = standing;
  for (const pair of [standing.former?.pair, standing.pair, standing.updates.rekeying?.prepared?.pair]) {
    if (pair === undefined) continue;
    for (const direction of ['inbound', 'outbound'] as const) {
      state.command({
        kind: 'update-addresses',
        protocol: 'esp',
        direction,
        spi: direction === 'inbound' ? pair.inboundSpi : pair.outboundSpi,
        childId: standing.childId,
        local,
        remote,
        encapsulated: remote.port !== 0,
        ...(limited && direction === 'outbound' && { unverified: true as const }),
      });
    }
  }
}
