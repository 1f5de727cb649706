// A machine with a kernel of its own, which has ESP wherever this one has not: Debian's User-Mode Linux on our files.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../harness/eventually.ts';
import { clone, guestInit } from '../harness/paths.ts';
import { ProcessError, RunningProcess, runProgram } from '../harness/processes.ts';

export interface GuestOptions {
  /** Where its network device ends. */
  readonly namespace: string;
  /** A TAP device in the namespace. */
  readonly tap: string;
  /** Read and written by both, under the same path. */
  readonly folder: string;
  readonly memoryMebibytes: number;
  /** On its network device; the first one is where it is asked. With prefix lengths. */
  readonly addresses: readonly string[];
  /** On its loopback device. */
  readonly inner: readonly string[];
  /** What its first process becomes: it must take commands. Absent: it does nothing else. */
  readonly then?: string | undefined;
}

const shellPort = 2222;
const bootMsMax = 240_000;
const commandMsMax = 180_000;

export class Guest {
  readonly #options: GuestOptions;
  readonly #kernel: RunningProcess;

  private constructor(options: GuestOptions) {
    const { namespace, tap, folder, memoryMebibytes, addresses, inner, then } = options;
    this.#options = options;
    const words = [
      ...['umid=guest', `uml_dir=${folder}/uml/`, `mem=${memoryMebibytes}M`],
      ...['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', `init=${guestInit}`],
      ...[`vec0:transport=tap,ifname=${tap},depth=64,gro=1`],
      ...['con=null', 'con0=null,fd:1', 'ssl=null', 'quiet'],
      ...[`SHARED=${folder}`, `ADDRESSES=${addresses.join()}`, `INNER=${inner.join()}`],
      ...(then === undefined ? [] : [`THEN=${then}`, `CLONE=${clone}`, `NODE=${process.execPath}`]),
    ];
    // The processes of a guest are processes here, which its kernel traces. If that dies they must not go on as if they were
    // ours: in a process namespace they die with it.
    const unshare = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child=KILL'];
    this.#kernel = new RunningProcess([...unshare, 'linux.uml', ...words], {
      namespace,
      environment: { HOME: folder, TMPDIR: folder },
    });
  }

  /** Returns once commands can be run. @throws ProcessError */
  static async boot(options: GuestOptions): Promise<Guest> {
    await mkdir(join(options.folder, 'uml'), { recursive: true });
    const guest = new Guest(options);
    try {
      await eventually('the guest takes commands', () => guest.#answers(), bootMsMax);
    } catch (error) {
      await guest.halt();
      throw new ProcessError(`${(error as Error).message}\n${guest.console}`);
    }
    return guest;
  }

  get address(): string {
    return this.#options.addresses[0]!.replace(/\/.*/, '');
  }

  /** What its kernel and its first process have printed. */
  get console(): string {
    return this.#kernel.output;
  }

  async #answers(): Promise<boolean> {
    if (!this.#kernel.running) throw new ProcessError(`the guest ended: ${this.console}`);
    const connect = `TCP:${this.address}:${shellPort},connect-timeout=1`;
    const { namespace } = this.#options;
    return runProgram(['socat', '-u', 'OPEN:/dev/null', connect], { namespace }).then(
      () => true,
      () => false,
    );
  }

  /** Runs a line of shell and returns what it prints. @throws ProcessError unless it ends with status 0 */
  async run(line: string, timeoutMs: number = commandMsMax): Promise<string> {
    const connect = `TCP:${this.address}:${shellPort}`;
    const shell = new RunningProcess(['socat', '-t', String(timeoutMs / 1000), '-', connect], {
      namespace: this.#options.namespace,
      input: `{ ${line}\n} 2>&1; echo "the status is $?"; exit\n`,
    });
    try {
      // What goes on in the guest may keep the connection open.
      await shell.waitForOutput(/the status is \d+\n$/, { timeoutMs });
    } finally {
      await shell.end('SIGKILL');
    }
    const match = /(.*)the status is (\d+)\n$/s.exec(shell.standardOutput);
    if (match?.[2] !== '0') throw new ProcessError(`in the guest, ${line} failed:\n${shell.standardOutput}`);
    return match[1]!;
  }

  /** Starts a program that goes on; what it prints goes to a file of the shared folder. Returns its process id. */
  async start(command: string, outputPath: string): Promise<number> {
    return Number(await this.run(`setsid ${command} > ${outputPath} 2>&1 < /dev/null & echo $!`));
  }

  async halt(): Promise<void> {
    // Nothing in it has to be finished: what it has written is in our files already.
    await this.#kernel.end('SIGKILL');
  }
}
