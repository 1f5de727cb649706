// The real swanctl as an oracle: it parses a configuration and sends it to a vici socket that is ours.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TreeObject } from '../tree.ts';

export interface SwanctlCall {
  readonly command: string;
  readonly message: TreeObject;
}

/** Why there is nothing to compare with, or `false`. */
export const noSwanctl: string | false =
  spawnSync('swanctl', ['--help']).error === undefined ? false : 'swanctl is not installed';

/** What `swanctl <arguments>` sends for these files; `main.conf` is the configuration. Keys and lists as vici has them. */
export async function callsOfSwanctl(
  options: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<{ readonly calls: readonly SwanctlCall[]; readonly output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-swanctl-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return await run(options, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(
  options: readonly string[],
  folder: string,
): Promise<{ readonly calls: readonly SwanctlCall[]; readonly output: string }> {
  const socketPath = join(folder, 'vici');
  const calls: SwanctlCall[] = [];
  const server = createServer((socket) => serve(socket, calls));
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const configuration = join(folder, 'main.conf');
  const child = spawn('swanctl', [...options, '--uri', `unix://${socketPath}`, '--file', configuration], {
    cwd: dirname(configuration),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  await new Promise<void>((resolve) => child.on('close', () => resolve()));
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return { calls, output };
}

/** Answers every command with success and every streaming one with nothing. */
function serve(socket: Socket, calls: SwanctlCall[]): void {
  let pending = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const end = 4 + pending.readUInt32BE(0);
      const packet = pending.subarray(4, end);
      pending = pending.subarray(end);
      const type = packet[0];
      if (type === 0) {
        const nameEnd = 2 + packet[1]!;
        calls.push({
          command: packet.toString('latin1', 2, nameEnd),
          message: decode(packet.subarray(nameEnd)),
        });
        socket.write(framed(Buffer.from([1, ...keyValue('success', 'yes')])));
      } else if (type === 3 || type === 4) socket.write(framed(Buffer.from([5])));
    }
  });
}

function framed(packet: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(packet.length);
  return Buffer.concat([length, packet]);
}

function keyValue(key: string, value: string): number[] {
  return [3, key.length, ...Buffer.from(key), 0, value.length, ...Buffer.from(value)];
}

type MutableTree = { [name: string]: TreeObject[string] };

/** The elements of a vici message: 1 section, 2 its end, 3 key and value, 4 list, 5 item, 6 its end. */
function decode(message: Buffer): TreeObject {
  const root: MutableTree = {};
  const open: MutableTree[] = [root];
  let list: string[] = [];
  let at = 0;
  const take = (lengthOctets: 1 | 2): string => {
    const length = message.readUIntBE(at, lengthOctets);
    at += lengthOctets + length;
    return message.toString('utf8', at - length, at);
  };
  while (at < message.length) {
    const element = message[at++];
    const section = open.at(-1)!;
    if (element === 1) {
      const inner: MutableTree = {};
      section[take(1)] = inner;
      open.push(inner);
    } else if (element === 2) open.pop();
    else if (element === 3) section[take(1)] = take(2);
    else if (element === 4) {
      list = [];
      section[take(1)] = list;
    } else if (element === 5) list.push(take(2));
  }
  return root;
}
