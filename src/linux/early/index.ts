// Room `linux`, ahead of the rest of it: the packet thread's code loads while the main thread still loads its own.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const spares: Worker[] = [];

function newWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url));
}

/**
 * For a process that is about to start packet threads: so many will be there sooner. Otherwise nothing comes of it.
 * @param make other threads instead, for tests
 */
export function warmUpPacketThreads(count = 1, make: () => Worker = newWorker): void {
  while (spares.length < count) {
    const spare = make();
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

/**
 * Ends those that nobody took, once they have loaded their code: a process that ends in the middle of that is aborted, since
 * koffi throws where nothing can be thrown any more.
 */
export async function dismissPacketThreads(): Promise<void> {
  await Promise.all(
    spares.splice(0).map((spare) => {
      const exit = once(spare, 'exit');
      spare.ref();
      spare.postMessage(undefined);
      return exit;
    }),
  );
}
