// Entry of the packet thread.
import { parentPort } from 'node:worker_threads';
import { SystemCallError } from '../libc/errno.ts';
import { nameThread } from '../libc/thread-name.ts';
import { KernelLoop } from '../xfrm/kernel-loop.ts';
import { ControlQueue } from './control/control-queue.ts';
import type { FromPacketThread, PacketThreadSetup, ToPacketThread } from './control/messages.ts';
import { Holdings } from './holdings.ts';
import { PacketLoop } from './packet-loop.ts';

const port = parentPort;
if (port === null) throw new Error('the packet thread is started by PacketThread only');
const tell = (message: FromPacketThread): void => port.postMessage([message]);

/** What the kernel refuses is told, and nothing is done after it. Node's calls, for files, have errors of their own. */
function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || !(error instanceof SystemCallError || 'syscall' in (error as Error)))
      throw error;
    tell({ kind: 'failed', code, detail: message });
  }
}

// It may have been started before anybody knows what it is to do.
port.once('message', (setup: PacketThreadSetup | undefined) => {
  // Not needed after all: with nobody listening the thread ends.
  if (setup === undefined) return;
  const { wakeFd, controlQueue, options, left, others } = setup;
  nameThread(`packet-${others?.thread ?? 0}`);
  attempt(() => {
    const queue = new ControlQueue(controlQueue);
    const holdings = new Holdings((held) => tell({ kind: 'holds', held }), left);
    const loop =
      options.kernel === undefined
        ? new PacketLoop(port, wakeFd, queue, options, { holdings, others })
        : new KernelLoop(port, wakeFd, queue, options, holdings);
    // The loop takes the messages itself while it runs.
    port.on('message', (messages: readonly ToPacketThread[]) => {
      for (const { kind } of messages) {
        if (kind === 'listen') attempt(() => listen(loop));
        if (kind === 'close') end(loop);
      }
    });
    tell({ kind: 'opened' });
  });
});

function listen(loop: PacketLoop | KernelLoop): void {
  loop.listen();
  tell({ kind: 'listening' });
  loop.run();
  end(loop);
}

function end(loop: PacketLoop | KernelLoop): void {
  loop.close();
  tell({ kind: 'closed' });
}
