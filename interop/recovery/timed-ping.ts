// A ping that knows when each answer came and when its request left, on the clock of `performance`.
import { eventually } from '../harness/eventually.ts';
import { RunningProcess } from '../harness/processes.ts';
import type { Path } from '../harness/traffic.ts';

export interface Answer {
  readonly sequence: number;
  /** Milliseconds on the clock of `performance.now()`. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

export class TimedPing {
  readonly #process: RunningProcess;
  readonly #answers: Answer[] = [];
  #read = 0;

  constructor({ namespace, source, destination }: Path, intervalMs: number) {
    const words = ['ping', '-n', '-D', '-i', String(intervalMs / 1000), '-I', source, destination];
    this.#process = new RunningProcess(words, { namespace });
  }

  answers(): readonly Answer[] {
    const { output } = this.#process;
    const end = output.lastIndexOf('\n') + 1;
    const lines = output.slice(this.#read, end);
    this.#read = end;
    for (const [, at, sequence, rtt] of lines.matchAll(
      /^\[(\d+\.\d+)\].* icmp_seq=(\d+) ttl.* time=([\d.]+) ms/gm,
    )) {
      const receivedAt = Number(at) * 1000 - performance.timeOrigin;
      this.#answers.push({ sequence: Number(sequence), sentAt: receivedAt - Number(rtt), receivedAt });
    }
    return this.#answers;
  }

  /** Waits for `count` answers to requests that left after `at`. */
  async answered(count: number, at: number, timeoutMs: number): Promise<readonly Answer[]> {
    const after = (): readonly Answer[] => this.answers().filter(({ sentAt }) => sentAt > at);
    await eventually(`${count} pings are answered`, () => after().length >= count, timeoutMs);
    return after();
  }

  async end(): Promise<void> {
    await this.#process.end('SIGINT');
  }
}
