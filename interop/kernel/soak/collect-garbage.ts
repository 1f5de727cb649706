// Loaded before wayward, so that what is left of its heaps is what is held: SIGUSR2 collects the garbage of the main thread. The
// packet thread hears no signal; it collects its own twice a minute, when it looks how large its heap is. Left to itself it
// would do so after half an hour.
import { syncBuiltinESMExports } from 'node:module';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const packetThreadIntervalMs = 30_000;

v8.setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

if (isMainThread) process.on('SIGUSR2', () => collect());
else {
  const look = v8.getHeapStatistics;
  let dueAt = 0;
  v8.getHeapStatistics = () => {
    if (performance.now() >= dueAt) {
      dueAt = performance.now() + packetThreadIntervalMs;
      collect();
    }
    return look();
  };
  syncBuiltinESMExports();
}
