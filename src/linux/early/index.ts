// Room `linux`, ahead of the rest of it: the packet thread's code loads while the main thread still loads its own.
import { Worker } from 'node:worker_threads';

let spare: Worker | undefined;

function newWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url));
}

/** For a process that is about to start a packet thread: it will be there sooner. Otherwise nothing comes of it. */
export function warmUpPacketThread(): void {
  spare ??= newWorker();
  // A process that ends without having used it must not wait for it.
  spare.unref();
}

/** A thread that has not been told what to do. */
export function takePacketWorker(): Worker {
  const worker = spare ?? newWorker();
  spare = undefined;
  worker.ref();
  return worker;
}
