// Entry of the packet thread.
import { parentPort } from 'node:worker_threads';
import { SystemCallError } from '../errno.ts';
import { KernelLoop } from '../xfrm/kernel-loop.ts';
import { ControlQueue } from './control-queue.ts';
import type { FromPacketThread, PacketThreadSetup } from './messages.ts';
import { PacketLoop } from './packet-loop.ts';

const port = parentPort;
if (port === null) throw new Error('the packet thread is started by PacketThread only');
const tell = (message: FromPacketThread): void => port.postMessage(message);

// It may have been started before anybody knows what it is to do.
port.once('message', ({ wakeFd, controlQueue, options }: PacketThreadSetup) => {
  try {
    const queue = new ControlQueue(controlQueue);
    const loop =
      options.kernel === undefined
        ? new PacketLoop(port, wakeFd, queue, options)
        : new KernelLoop(port, wakeFd, queue, options);
    tell({ kind: 'ready', ...(loop.tunName === undefined ? {} : { tunName: loop.tunName }) });
    loop.run();
    tell({ kind: 'closed' });
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    tell({ kind: 'failed', code: error.code, detail: error.message });
  }
});
