// strongSwan and wayward inside a guest, on the ESP of its kernel; they are asked from outside.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../harness/eventually.ts';
import { waywardCommand } from '../harness/paths.ts';
import { ProcessError, RunningProcess, runProgram } from '../harness/processes.ts';
import { type EspIn, Strongswan } from '../harness/strongswan.ts';
import { Wayward } from '../harness/wayward.ts';
import type { Guest } from './guest.ts';

const viciPort = 4502;
const controlPort = 4503;
const startMsMax = 180_000;

export class GuestStrongswan extends Strongswan {
  readonly #guest: Guest;
  readonly #namespace: string;
  #process: number | undefined;

  /** @param namespace the one that the guest is connected to */
  constructor(guest: Guest, namespace: string, folder: string) {
    super(namespace, folder);
    this.#guest = guest;
    this.#namespace = namespace;
  }

  protected override get viciUri(): string {
    return `tcp://${this.#guest.address}:${viciPort}`;
  }

  protected override get espIn(): EspIn {
    return 'kernel';
  }

  override async start(): Promise<void> {
    await this.writeSettings();
    const settings = `env STRONGSWAN_CONF=${this.folder}/strongswan.conf`;
    this.#process = await this.#guest.start(`${settings} charon-systemd`, join(this.folder, 'charon.out'));
    await eventually('charon answers', () => this.swanctl('--stats').then(Boolean, () => false), startMsMax);
    await this.reload();
  }

  override async stop(): Promise<void> {
    if (this.#process !== undefined) await this.#guest.run(`kill ${this.#process}`).catch(() => undefined);
    this.#process = undefined;
  }

  override swanctl(...words: readonly string[]): Promise<string> {
    return runProgram(['swanctl', ...words, '--uri', this.viciUri], {
      namespace: this.#namespace,
      environment: this.environment,
    });
  }
}

export class GuestWayward extends Wayward {
  protected override readonly dataPlane = 'kernel';
  readonly #guest: Guest;
  readonly #namespace: string;
  #bridge: RunningProcess | undefined;
  #process: number | undefined;
  #starts = 0;

  constructor(guest: Guest, namespace: string, folder: string) {
    super(namespace, folder);
    this.#guest = guest;
    this.#namespace = namespace;
  }

  /** Among the processes of the guest. */
  override get pid(): number | undefined {
    return this.#process;
  }

  get #logPath(): string {
    return join(this.folder, `log-${this.#starts}`);
  }

  /** Of the latest start. */
  override log(): Promise<string> {
    return readFile(this.#logPath, 'utf8').catch(() => '');
  }

  override async waitForLog(pattern: RegExp, timeoutMs: number = startMsMax): Promise<RegExpExecArray> {
    try {
      return await eventually(
        `a line of wayward's that matches ${pattern}`,
        async () => pattern.exec(await this.log()) ?? undefined,
        timeoutMs,
      );
    } catch (error) {
      throw new ProcessError(`${(error as Error).message}:\n${await this.log()}`);
    }
  }

  override async start(): Promise<void> {
    if (this.#starts++ === 0) await this.writeSettings();
    // Sockets are the guest's own; its state stays when its processes die.
    const paths = `--config ${this.configurationPath} --socket /run/wayward.sock --state /run/wayward.state`;
    const { words, environment } = this.launch;
    const variables = Object.entries(environment).map(([name, value]) => `'${name}=${value}'`);
    const launch = ['env', ...variables, ...words, process.execPath, waywardCommand].join(' ');
    const keyLog = `--keylog ${this.folder}/keys-${this.#starts}`;
    this.#process = await this.#guest.start(`${launch} run ${paths} ${keyLog}`, this.#logPath);
    await this.waitForLog(/wayward is running/, startMsMax);
    if (this.#bridge !== undefined) return;
    const listen = `TCP-LISTEN:${controlPort},fork,reuseaddr`;
    await this.#guest.start(`socat ${listen} UNIX-CONNECT:/run/wayward.sock`, '/dev/null');
    const connect = `TCP:${this.#guest.address}:${controlPort}`;
    this.#bridge = new RunningProcess(['socat', '-d', '-d', `UNIX-LISTEN:${this.socketPath},fork`, connect], {
      namespace: this.#namespace,
    });
    await eventually('wayward answers', () => this.status().then(Boolean, () => false), startMsMax);
  }

  override async stop(): Promise<void> {
    await this.#end('TERM');
    await this.#bridge?.end('SIGKILL');
    this.#bridge = undefined;
  }

  override async kill(): Promise<void> {
    await this.#end('KILL');
  }

  async #end(signal: string): Promise<void> {
    const pid = this.#process;
    if (pid === undefined) return;
    this.#process = undefined;
    const gone = `while [ -e /proc/${pid} ]; do sleep 0.02; done`;
    await this.#guest.run(`kill -${signal} ${pid}; ${gone}`).catch(() => undefined);
  }
}
