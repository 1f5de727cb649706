// How much the kernel's SAs were used, and what they refused.
import { addressBytes } from '#sa';
import type { XfrmLifetimeUsed } from '#wire';
import type { XfrmSocket } from '../xfrm-socket.ts';
import type { KernelSa } from './kernel-sa.ts';
import { wipeKeys } from './kernel-state.ts';

/** What is asked of the kernel here. */
export type StateRequests = Pick<XfrmSocket, 'requestIfThere'>;

/** Undefined if the SA is gone. Unlike the SA itself this answer holds no keys. */
export function usageOf(socket: StateRequests, sa: KernelSa): XfrmLifetimeUsed | undefined {
  const source = sa.direction === 'inbound' ? sa.remote.address : sa.local.address;
  const event = { id: sa.id, source: addressBytes(source), flags: 0, requestId: sa.requestId };
  const [answer] = socket.requestIfThere({ kind: 'get-event', event, attributes: sa.lookup }) ?? [];
  return answer?.attributes.used;
}

/** Whether an SA was used since it was asked last. */
export function readUsage(socket: StateRequests, sa: KernelSa, at: number): boolean {
  const used = usageOf(socket, sa);
  if (used === undefined || Number(used.packets) === sa.packets) return false;
  sa.packets = Number(used.packets);
  sa.bytes = Number(used.bytes);
  sa.lastUsedAt = at;
  return true;
}

/** Whether an SA has refused packets since it was asked last. */
export function readFailures(socket: StateRequests, sa: KernelSa): boolean {
  const [answer] = socket.requestIfThere({ kind: 'get-sa', id: sa.id, attributes: sa.lookup }) ?? [];
  if (answer?.kind !== 'new-sa') return false;
  wipeKeys(answer.attributes);
  const { integrityFailures, replays, replayWindowFailures } = answer.state;
  const refused = replays + replayWindowFailures;
  if (sa.integrityFailures === integrityFailures && sa.replays === refused) return false;
  sa.integrityFailures = integrityFailures;
  sa.replays = refused;
  return true;
}
