// The real daemon, started as an operator would: `wayward run --config FILE --socket PATH --keylog FILE`.
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askDaemon, type ControlRequest, type DaemonStatus } from '#daemon';
import { formatSelector, formatSpi, formatSuite } from '#sa';
import { patienceMs } from './eventually.ts';
import { waywardCommand } from './paths.ts';
import type { Peer, PeerIkeSa } from './peer.ts';
import { RunningProcess, runProgram } from './processes.ts';

/** wayward refused a command; the message is what it said. */
export class WaywardRefusal extends Error {
  readonly code = 'refused' as const;
}

export interface Launch {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** One wayward daemon and its control socket. */
export class Wayward implements Peer {
  readonly kind = 'wayward';
  readonly folder: string;
  /** Keys of the latest start, in tshark's formats; empty if there are none. */
  keyLogPath = '';
  readonly #namespace: string;
  #daemon: RunningProcess | undefined;
  /** Of the daemon from its next start. */
  logLevel: 'info' | 'debug' = 'debug';
  /** Whether its keys are written down, from its next start. */
  logsKeys = true;
  /** Words in front of the command, and what stands in its environment; from its next start. */
  launch: Launch = { words: [], environment: {} };

  /** A namespace has no ESP of its own on every machine: the same is played everywhere. */
  protected readonly dataPlane: 'userspace' | 'kernel' = 'userspace';
  #earlierLogs = '';
  #starts = 0;

  constructor(namespace: string, folder: string) {
    this.#namespace = namespace;
    this.folder = folder;
  }

  get socketPath(): string {
    return join(this.folder, 'control');
  }

  /** Where it serves vici unless told otherwise. */
  get viciPath(): string {
    return `${this.socketPath}.vici`;
  }

  /** The daemon's, while it runs. */
  get pid(): number | undefined {
    return this.#daemon?.pid;
  }

  protected get configurationPath(): string {
    return join(this.folder, 'swanctl.conf');
  }

  log(): Promise<string> {
    return Promise.resolve(this.#earlierLogs + (this.#daemon?.output ?? ''));
  }

  /** Waits for a line of the log. */
  async waitForLog(pattern: RegExp, timeoutMs: number = patienceMs): Promise<RegExpExecArray> {
    if (this.#daemon === undefined) throw new Error('wayward does not run');
    return this.#daemon.waitForOutput(pattern, { timeoutMs });
  }

  async start(): Promise<void> {
    await this.writeSettings();
    this.keyLogPath = this.logsKeys ? join(this.folder, `keys-${++this.#starts}`) : '';
    this.#daemon = new RunningProcess(
      [
        ...[...this.launch.words, process.execPath, waywardCommand, 'run'],
        ...['--config', this.configurationPath, '--socket', this.socketPath],
        ...(this.logsKeys ? ['--keylog', this.keyLogPath] : []),
      ],
      { namespace: this.#namespace, environment: this.launch.environment },
    );
    await this.#daemon.waitForOutput(/wayward is running/);
  }

  /** One more section of the same name adds to what the scenario's configuration has. */
  protected async writeSettings(): Promise<void> {
    const settings = `log_level = ${this.logLevel}\n  data_plane = ${this.dataPlane}`;
    await appendFile(this.configurationPath, `\nwayward {\n  ${settings}\n}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#daemon?.signal(signal);
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#daemon === undefined) return;
    await this.#daemon.end(signal);
    this.#earlierLogs += this.#daemon.output;
    this.#daemon = undefined;
  }

  /** Runs the `wayward` command, as an operator would, and returns what it prints. @throws ProcessError if it fails */
  command(...words: readonly string[]): Promise<string> {
    return runProgram([process.execPath, waywardCommand, ...words, '--socket', this.socketPath]);
  }

  async #ask(request: ControlRequest): Promise<void> {
    const answer = await askDaemon(this.socketPath, request);
    if (answer.kind === 'refused') throw new WaywardRefusal(answer.detail);
    if (answer.kind === 'result' && !answer.result.ok) throw new WaywardRefusal(answer.result.detail);
  }

  async reload(): Promise<void> {
    await this.#ask({ kind: 'reload' });
  }

  async up(child: string): Promise<void> {
    await this.#ask({ kind: 'up', child });
  }

  async downChild(child: string): Promise<void> {
    await this.#ask({ kind: 'down', name: child });
  }

  async downIke(connection: string): Promise<void> {
    await this.#ask({ kind: 'down', name: connection });
  }

  async rekeyChild(child: string): Promise<void> {
    await this.#ask({ kind: 'rekey', name: child, ike: false });
  }

  async rekeyIke(connection: string): Promise<void> {
    await this.#ask({ kind: 'rekey', name: connection, ike: true });
  }

  async status(): Promise<DaemonStatus> {
    const answer = await askDaemon(this.socketPath, { kind: 'status' });
    if (answer.kind !== 'status') throw new WaywardRefusal('no status');
    return answer.status;
  }

  async ikeSas(): Promise<readonly PeerIkeSa[]> {
    const { engine } = await this.status();
    return engine.ikeSas
      .filter(({ phase }) => phase === 'established')
      .map((sa) => ({
        connection: sa.connection,
        initiatorSpi: sa.initiatorSpi,
        responderSpi: sa.responderSpi,
        remoteHost: sa.remote.address,
        remotePort: sa.remote.port,
        suite: sa.suite === undefined ? '' : formatSuite(sa.suite),
        children: sa.children.map((child) => ({
          name: child.name,
          inboundSpi: formatSpi(child.inboundSpi),
          outboundSpi: formatSpi(child.outboundSpi),
          localSelectors: child.local.map(formatSelector),
          remoteSelectors: child.remote.map(formatSelector),
          mode: child.mode,
          suite: formatSuite(child.suite),
        })),
      }));
  }
}
