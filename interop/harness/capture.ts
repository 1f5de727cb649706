// What was on the wire: tcpdump while a scenario runs, tshark to read it with our keys afterwards.
import { readFile } from 'node:fs/promises';
import { eventually, patienceMs } from './eventually.ts';
import { RunningProcess, runProgram } from './processes.ts';

/** A running capture of one device. */
export class Capture {
  readonly path: string;
  readonly #process: RunningProcess;

  private constructor(path: string, process: RunningProcess) {
    this.path = path;
    this.#process = process;
  }

  static async start(namespace: string, path: string, device = 'eth0'): Promise<Capture> {
    // -Z: tcpdump gives up root otherwise and could not write into our folder.
    const words = ['tcpdump', '-i', device, '-n', '-U', '--immediate-mode', '-Z', 'root', '-w', path];
    const capture = new Capture(path, new RunningProcess(words, { namespace }));
    await capture.#process.waitForOutput(/listening on/);
    return capture;
  }

  /** Ends it once it has read what came: what still waits for it when it ends is lost. */
  async stop(): Promise<void> {
    if (!this.#process.running) return;
    await eventually('tcpdump has read all packets', async () => {
      const from = this.#process.output.length;
      this.#process.signal('SIGUSR1');
      const told = await this.#process.waitForOutput(
        /(\d+) packets? captured, (\d+) packets? received by filter, (\d+) packets? dropped/,
        { from },
      );
      const [captured = 0, received = 0, dropped = 0] = told.slice(1).map(Number);
      return captured >= received - dropped;
    });
    await this.#process.end('SIGINT');
  }
}

/** tshark on a capture, with the keys of a key log if there is one. */
async function tshark(
  capturePath: string,
  keyLogPath: string | undefined,
  words: readonly string[],
): Promise<string> {
  const keys = keyLogPath === undefined ? '' : await readFile(keyLogPath, 'utf8');
  const tables = keys
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      const space = line.indexOf(' ');
      return ['-o', `uat:${line.slice(0, space)}:${line.slice(space + 1)}`];
    });
  const esp = ['esp.enable_encryption_decode:TRUE', 'esp.enable_authentication_check:TRUE'];
  const preferences = esp.flatMap((one) => ['-o', one]);
  const command = ['tshark', '-n', '-2', '-r', capturePath, ...preferences, ...tables, ...words];
  return runProgram(command, { timeoutMs: 2 * patienceMs });
}

/**
 * The packets of a capture that match a display filter, as tshark sees them with the keys of `keyLogPath`, if any:
 * one record a packet, its fields in the order of `fields`.
 */
export async function readWithKeys(
  capturePath: string,
  keyLogPath: string | undefined,
  filter: string,
  fields: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const columns = ['-T', 'fields', '-E', 'separator=|', ...fields.flatMap((name) => ['-e', name])];
  const output = await tshark(capturePath, keyLogPath, ['-Y', filter, ...columns]);
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('|'));
}

/** The same packets with everything that tshark says about them. */
export function describePackets(capturePath: string, keyLogPath: string, filter: string): Promise<string> {
  return tshark(capturePath, keyLogPath, ['-Y', filter, '-V']);
}
