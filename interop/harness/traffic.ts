// Traffic through a tunnel: pings that count what was lost, and TCP whose other end returns a checksum.
import { createHash, randomBytes } from 'node:crypto';
import { eventually, patienceMs } from './eventually.ts';
import { ProcessError, RunningProcess, runProgram } from './processes.ts';

/** From where to where: addresses, and the namespace of the first. */
export interface Path {
  readonly namespace: string;
  readonly source: string;
  readonly destination: string;
}

export interface PingResult {
  readonly answered: number;
  readonly lost: number;
  /** Answers that came once more. */
  readonly repeated: number;
  /** Answers that came after one to a later ping. */
  readonly overtaken: number;
  /** The most pings after each other that were lost, and when the next one was answered, in ms of Unix time. */
  readonly lostInARow: number;
  readonly answeredAgainAt: number;
  /** From the last answer before those to that one. */
  readonly outageMs: number;
}

/** A ping that runs until it is stopped. */
export class ContinuousPing {
  readonly #process: RunningProcess;

  constructor({ namespace, source, destination }: Path, intervalMs = 20) {
    const words = ['ping', '-n', '-D', '-i', String(intervalMs / 1000), '-I', source, destination];
    this.#process = new RunningProcess(words, { namespace });
  }

  #answered(): number[] {
    return [...this.#process.output.matchAll(/icmp_seq=(\d+) ttl/g)].map(([, sequence]) => Number(sequence));
  }

  /** Waits until `count` more pings are answered. */
  async answers(count: number, timeoutMs: number = patienceMs): Promise<void> {
    const before = this.#answered().length;
    await eventually(
      `${count} more pings are answered`,
      () => this.#answered().length >= before + count,
      timeoutMs,
    );
  }

  /**
   * Ends it once it is sure that the last pings are answered.
   * @returns how many were answered, and how many of those sent before the last answer were not
   */
  async stop(timeoutMs: number = patienceMs): Promise<PingResult> {
    await this.answers(3, timeoutMs);
    await this.#process.end('SIGINT');
    const sequences = this.#answered();
    if (sequences.length === 0) throw new ProcessError(`no ping was answered:\n${this.#process.output}`);
    const answered = new Set(sequences).size;
    let last = 0;
    let overtaken = 0;
    for (const sequence of sequences) {
      if (sequence < last) overtaken++;
      last = Math.max(last, sequence);
    }
    const inOrder = [...new Set(sequences)].sort((one, other) => one - other);
    let [lostInARow, before, next] = [0, 0, 0];
    for (const [i, sequence] of inOrder.entries()) {
      const previous = inOrder[i - 1] ?? 0;
      const lost = sequence - previous - 1;
      if (lost > lostInARow) [lostInARow, before, next] = [lost, previous, sequence];
    }
    return {
      answered,
      lost: last - answered,
      repeated: sequences.length - answered,
      overtaken,
      lostInARow,
      answeredAgainAt: this.#answeredAt(next),
      outageMs: this.#answeredAt(next) - this.#answeredAt(before),
    };
  }

  #answeredAt(sequence: number): number {
    const found = new RegExp(`\\[([0-9.]+)\\] .*icmp_seq=${sequence} ttl`).exec(this.#process.output);
    return Math.round(1000 * Number(found?.[1] ?? 0));
  }

  /** Ends it whatever it saw. */
  async abandon(): Promise<void> {
    await this.#process.end('SIGKILL');
  }
}

/**
 * Sends `count` pings, one of them `octets` long, and expects each to be answered.
 * @param waitSeconds for an answer that comes late, which is as good: a lost one fails either way
 * @throws ProcessError
 */
export async function ping(
  { namespace, source, destination }: Path,
  count = 3,
  octets = 56,
  waitSeconds: number = patienceMs / 1_000,
): Promise<void> {
  // All at once: ping waits for its last answer no longer than the interval, once it has had another answer.
  const pace = ['-l', String(count), '-i', String(waitSeconds), '-W', String(waitSeconds)];
  const options = ['-n', '-q', '-c', String(count), ...pace, '-s', String(octets)];
  const output = await runProgram(['ping', ...options, '-I', source, destination], {
    namespace,
    timeoutMs: 1_000 * waitSeconds + 8_000,
  });
  if (!output.includes(` ${count} received`)) throw new ProcessError(`pings were lost:\n${output}`);
}

/** Expects a ping to remain without an answer. @throws ProcessError if one comes */
export async function noPing({ namespace, source, destination }: Path): Promise<void> {
  const words = ['ping', '-n', '-c', '1', '-W', '0.3', '-I', source, destination];
  const program = new RunningProcess(words, { namespace });
  await program.ended;
  if (program.output.includes(' ttl=')) throw new ProcessError(`a ping was answered:\n${program.output}`);
}

const tcpPort = 7_070;
const patienceSeconds = String(patienceMs / 1_000);
const socatFamily = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/**
 * Sends random octets over TCP to a server in another namespace that returns their SHA-256.
 * @throws ProcessError if the connection fails or the checksum differs
 */
export async function tcpWithChecksum(path: Path, serverNamespace: string, octets = 100_000): Promise<void> {
  const destination = socatFamily(path.destination);
  const family = path.destination.includes(':') ? 6 : 4;
  const listen = `TCP${family}-LISTEN:${tcpPort},bind=${destination},reuseaddr`;
  const server = new RunningProcess(['socat', '-d', '-d', '-t', patienceSeconds, listen, 'EXEC:sha256sum'], {
    namespace: serverNamespace,
  });
  try {
    await server.waitForOutput(/listening on/);
    const data = randomBytes(octets);
    const connect = `TCP${family}:${destination}:${tcpPort},bind=${socatFamily(path.source)},connect-timeout=${patienceSeconds}`;
    const client = await runProgram(['socat', '-t', patienceSeconds, '-', connect], {
      namespace: path.namespace,
      input: data,
    });
    const expected = createHash('sha256').update(data).digest('hex');
    if (!client.startsWith(expected)) throw new ProcessError(`TCP brought ${client.trim()}, not ${expected}`);
  } finally {
    await server.end('SIGKILL');
  }
}
