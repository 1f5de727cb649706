// Entry of the packet thread.
import { parentPort } from 'node:worker_threads';
import { SystemCallError } from '../errno.ts';
import { ControlQueue } from './control-queue.ts';
import type { FromPacketThread, PacketThreadSetup } from './messages.ts';
import { PacketLoop } from './packet-loop.ts';

const port = parentPort;
if (port === null) throw new Error('the packet thread is started by PacketThread only');
const tell = (message: FromPacketThread): void => port.postMessage(message);

// It may have been started before anybody knows what it is to do.
port.once('message', ({ wakeFd, controlQueue, options, adopted }: PacketThreadSetup) => {
  try {
    const loop = new PacketLoop(port, wakeFd, new ControlQueue(controlQueue), options, adopted);
    tell({ kind: 'ready', held: loop.held });
    loop.run();
    tell({ kind: 'closed' });
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    tell({ kind: 'failed', code: error.code, detail: error.message });
  }
});
