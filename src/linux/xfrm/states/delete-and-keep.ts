// Takes an SA out of the kernel together with how far it was.
import { XfrmGroup } from '#wire';
import { XfrmSocket } from '../xfrm-socket.ts';
import { type KernelSa, stateKey } from './kernel-sa.ts';
import type { KernelState } from './kernel-state.ts';

/** As the message about its end tells it, with the keys; undefined if there is none. */
export function deleteAndKeep(sa: KernelSa): KernelState | undefined {
  const socket = new XfrmSocket([XfrmGroup.SA]);
  try {
    const told = socket.requestIfThere({ kind: 'delete-sa', id: sa.id, attributes: sa.lookup }) ?? [];
    for (const message of told) {
      const { state } = message.attributes;
      if (message.kind === 'delete-sa' && state !== undefined && stateKey(state) === sa.key)
        return { state, attributes: message.attributes };
    }
    return undefined;
  } finally {
    socket.close();
  }
}
