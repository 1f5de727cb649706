// One flow by iperf3 over a path, and what it costs those who carry it.
import { RunningProcess, runProgram } from '../interop/harness/processes.ts';
import { cpuSeconds } from './measure.ts';
import type { Path } from './paths.ts';

export interface FlowSample {
  /** At the receiver. */
  readonly mbits: number;
  /** Of the processes that carry the packets. */
  readonly cpuSecondsPerGigabyte: number;
}

/** What iperf3 says at the end of a run. */
interface IperfEnd {
  readonly sum: { readonly bytes: number; readonly bits_per_second: number; readonly lost_percent?: number };
  readonly sum_received?: { readonly bytes: number; readonly bits_per_second: number };
}

/** @param options of iperf3, which sends from one end of the path to the other */
export async function measureFlow(path: Path, options: readonly string[]): Promise<FlowSample> {
  const { network, source, target, pids } = path;
  const server = new RunningProcess(['iperf3', '-s', '-1', '--forceflush', '-B', target], {
    namespace: network.strongswan.namespace,
  });
  await server.waitForOutput(/listening/);
  const before = cpuSeconds(pids);
  const words = ['iperf3', '-J', '-c', target, '-B', source, ...options];
  const output = await runProgram(words, { namespace: network.wayward.namespace, timeoutMs: 60_000 });
  const spent = cpuSeconds(pids) - before;
  await server.ended;
  const end = JSON.parse(output).end as IperfEnd;
  // Of UDP the sum is what was sent, and what of it was lost.
  const arrived = 1 - (end.sum?.lost_percent ?? 0) / 100;
  const { bytes, bits_per_second } = options.includes('-u') ? end.sum : end.sum_received!;
  return {
    mbits: (bits_per_second * arrived) / 1e6,
    cpuSecondsPerGigabyte: spent / ((bytes * arrived) / 1e9),
  };
}
