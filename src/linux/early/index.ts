// Room `linux`, ahead of the rest of it: the packet thread's code loads while the main thread still loads its own.
import { Worker } from 'node:worker_threads';

const spares: Worker[] = [];

function newWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url));
}

/** For a process that is about to start packet threads: so many will be there sooner. Otherwise nothing comes of it. */
export function warmUpPacketThreads(count = 1): void {
  while (spares.length < count) {
    const spare = newWorker();
    // A process that ends without having used it must not wait for it.
    spare.unref();
    spares.push(spare);
  }
}

/** A thread that has not been told what to do. */
export function takePacketWorker(): Worker {
  const worker = spares.shift() ?? newWorker();
  worker.ref();
  return worker;
}
