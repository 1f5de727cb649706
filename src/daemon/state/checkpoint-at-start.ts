// Whether a daemon that starts keeps a checkpoint, and what it needs to go on from the one that it finds.
import type { HostSettings } from '#config';
import { ReceivedMarksFile, readAllReceivedMarks, receivedMarksPathOf } from '#linux';
import type { DaemonOptions } from '../daemon.ts';
import type { Log } from '../logs/log.ts';
import { bootId } from './boot-id.ts';
import { RecordKeyError, recordKeyCredential } from './record-key.ts';
import { receivedMarksPath } from './record-store.ts';
import { bytesOfFile, roomProblem } from './room.ts';

/** Records of some IKE SAs, each beside the one that it replaces. */
const recordsBytes = 64 * 1024;

/** Why a state folder has no room for what a checkpoint needs; what is there already makes room for what replaces it. */
function checkpointRoomProblem(statePath: string, packetThreads: number): Error | undefined {
  let bytes = recordsBytes;
  for (let thread = 0; thread < packetThreads; thread++) {
    const path = receivedMarksPathOf(receivedMarksPath(statePath), thread);
    bytes += Math.max(0, ReceivedMarksFile.bytes - bytesOfFile(path));
  }
  return roomProblem(statePath, bytes);
}

/**
 * Only once the state folder is locked. Where it has no room a host is better off without: with a checkpoint nothing of an IKE SA
 * leaves before it is written. That is safe: what an earlier process kept is discarded and its keys are never used again, and if
 * it cannot be discarded, whoever goes on from it begins at bounds that only that process has come near.
 * @throws RecordKeyError
 */
export function checkpointOf(
  { checkpoint }: HostSettings,
  recordKey: Uint8Array | undefined,
  statePath: string,
  dataPlane: 'kernel' | 'userspace',
  packetThreads: number,
  log: Log,
): Pick<DaemonOptions, 'checkpoint'> {
  const { enabled, acrossBoot, maxAgeMs } = checkpoint;
  if (!enabled) return {};
  if (recordKey === undefined) {
    throw new RecordKeyError(
      `checkpoints need a key: set wayward.record_key, or give the credential ${recordKeyCredential} to the service`,
    );
  }
  const problem = checkpointRoomProblem(statePath, packetThreads);
  if (problem !== undefined) {
    log.line(
      'error',
      `no checkpoint is kept, nor gone on with, until the next start: ${statePath}: ${problem.message}`,
    );
    return {};
  }
  const boot = bootId();
  const received = readAllReceivedMarks(receivedMarksPath(statePath), boot);
  return { checkpoint: { bootId: boot, acrossBoot, maxAgeMs, received, dataPlane } };
}
