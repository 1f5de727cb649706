// An SA of the kernel gets other ends, and goes on counting from where it was.
import type { Endpoint } from '#sa';
import { type Refusal, refuse } from '../refusal.ts';
import type { XfrmSocket } from '../xfrm-socket.ts';
import { deleteAndKeep } from './delete-and-keep.ts';
import type { KernelSa } from './kernel-sa.ts';
import { movedState, wipeKeys } from './kernel-state.ts';
import type { AddedState, StateAdder } from './state-adder.ts';

export interface Ends {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly encapsulated: boolean;
}

/** `refused`: it is where it was, or was not there; `lost`: nobody has it any more. */
export type Moved =
  | Extract<AddedState, { device: unknown }>
  | { readonly refused: Refusal }
  | { readonly lost: Refusal };

/** @throws SystemCallError */
export function moveState(socket: XfrmSocket, states: StateAdder, sa: KernelSa, ends: Ends): Moved {
  const onlyPorts = sa.encapsulated && ends.encapsulated && sa.isBetween(ends);
  return onlyPorts ? changePorts(socket, sa, ends) : replace(states, sa, ends);
}

const missing = { refused: refuse('missing', 'the kernel does not have the SA any more') } as const;

/** The kernel changes them in place: not one packet comes while there is no SA. */
function changePorts(socket: XfrmSocket, sa: KernelSa, { local, remote }: Ends): Moved {
  const [there] = socket.requestIfThere({ kind: 'get-sa', id: sa.id, attributes: sa.lookup }) ?? [];
  if (there?.kind !== 'new-sa') return missing;
  const changed = movedState(there, sa.direction, local, remote, true);
  try {
    socket.request({ kind: 'update-sa', ...changed });
  } finally {
    wipeKeys(there.attributes);
  }
  return { device: sa.device };
}

/**
 * The kernel cannot give an SA other addresses, and its migration lets packets take numbers from the old SA and the new one at
 * once. So the old one ends first, and the message about its end says how far it was.
 */
function replace(states: StateAdder, sa: KernelSa, { local, remote, encapsulated }: Ends): Moved {
  const last = deleteAndKeep(sa);
  if (last === undefined) return missing;
  try {
    const added = states.add(movedState(last, sa.direction, local, remote, encapsulated), sa, false);
    return 'refusal' in added ? { lost: added.refusal } : added;
  } finally {
    wipeKeys(last.attributes);
  }
}
