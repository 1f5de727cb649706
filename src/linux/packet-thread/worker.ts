// Entry of the packet thread.
import { parentPort, workerData } from 'node:worker_threads';
import { SystemCallError } from '../errno.ts';
import { ControlQueue } from './control-queue.ts';
import type { FromPacketThread, PacketThreadOptions } from './messages.ts';
import { PacketLoop } from './packet-loop.ts';

const port = parentPort;
if (port === null) throw new Error('the packet thread is started by PacketThread only');
const { wakeFd, controlQueue, options } = workerData as {
  wakeFd: number;
  controlQueue: SharedArrayBuffer;
  options: PacketThreadOptions;
};
const tell = (message: FromPacketThread): void => port.postMessage(message);

try {
  const loop = new PacketLoop(port, wakeFd, new ControlQueue(controlQueue), options);
  tell({ kind: 'ready', ...(loop.tunName === undefined ? {} : { tunName: loop.tunName }) });
  loop.run();
  tell({ kind: 'closed' });
} catch (error) {
  if (!(error instanceof SystemCallError)) throw error;
  tell({ kind: 'failed', code: error.code, detail: error.message });
}
