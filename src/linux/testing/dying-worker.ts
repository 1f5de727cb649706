// A packet thread that dies when it says something of a kind for the so many-th time. Its data is a `Death`.
import { parentPort, workerData } from 'node:worker_threads';
import type { FromPacketThread } from '../packet-thread/control/messages.ts';

export interface Death {
  readonly kind: FromPacketThread['kind'];
  /** 1 for the first time. */
  readonly time: number;
  /** It is heard before. */
  readonly said: boolean;
  /** By an error; otherwise nothing after that runs any more, as if memory had run out. */
  readonly byError: boolean;
}

const { kind, time, said, byError } = workerData as Death;
const port = parentPort!;
const post = port.postMessage.bind(port);
let times = 0;
port.postMessage = (messages: readonly FromPacketThread[]): void => {
  times += messages.filter((message) => message.kind === kind).length;
  const dies = times >= time;
  if (said || !dies) post(messages);
  if (!dies) return;
  if (byError) throw new Error(`at ${kind}`);
  process.exit(9);
};
await import('../packet-thread/worker.ts');
