// What was on the wire: tcpdump while a scenario runs, tshark to read it with our keys afterwards.
import { readFile } from 'node:fs/promises';
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
    await capture.#process.waitForOutput(/listening on/, 5_000);
    return capture;
  }

  async stop(): Promise<void> {
    await this.#process.end('SIGINT');
  }
}

/**
 * The packets of a capture that match a display filter, as tshark sees them with the keys of `keyLogPath`:
 * one record a packet, its fields in the order of `fields`.
 */
export async function readWithKeys(
  capturePath: string,
  keyLogPath: string | undefined,
  filter: string,
  fields: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const keys = keyLogPath === undefined ? '' : await readFile(keyLogPath, 'utf8');
  const tables = keys
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      const space = line.indexOf(' ');
      return ['-o', `uat:${line.slice(0, space)}:${line.slice(space + 1)}`];
    });
  const esp = ['esp.enable_encryption_decode:TRUE', 'esp.enable_authentication_check:TRUE'];
  const preferences = [...esp.flatMap((one) => ['-o', one]), ...tables];
  const output = await runProgram(
    [
      ...[
        'tshark',
        '-n',
        '-2',
        '-r',
        capturePath,
        ...preferences,
        '-Y',
        filter,
        '-T',
        'fields',
        '-E',
        'separator=|',
      ],
      ...fields.flatMap((name) => ['-e', name]),
    ],
    { timeoutMs: 30_000 },
  );
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('|'));
}
