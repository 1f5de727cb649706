// The ports of IKE: free, or whose.
import { basename } from 'node:path';
import { type Check, check, unseen } from './check.ts';
import type { Machine } from './machine.ts';

interface Holder {
  readonly uid: number;
  readonly inode: string;
}

/** Lines of /proc/net/udp: slot, local address:port, remote, state, queues, timer, retransmits, uid, timeout, inode. */
function holdersOf(table: string, port: number): Holder[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => Number.parseInt(words[1]?.split(':')[1] ?? '', 16) === port)
    .map((words) => ({ uid: Number(words[7]), inode: words[9] ?? '' }));
}

/** `undefined` if its owner hides its files from us. */
function processOf(machine: Machine, inode: string): { pid: number; name: string } | undefined {
  const processes = machine.names('/proc');
  if ('code' in processes) return undefined;
  for (const pid of processes.value) {
    if (!/^\d+$/.test(pid)) continue;
    const files = machine.names(`/proc/${pid}/fd`);
    if ('code' in files) continue;
    for (const file of files.value) {
      const target = machine.link(`/proc/${pid}/fd/${file}`);
      if ('value' in target && target.value === `socket:[${inode}]`) {
        return { pid: Number(pid), name: nameOf(machine, pid) };
      }
    }
  }
  return undefined;
}

/** Of a program that Node runs, the program. */
function nameOf(machine: Machine, pid: string): string {
  const line = machine.text(`/proc/${pid}/cmdline`);
  const words = 'value' in line ? line.value.split('\0') : [];
  const script = words.find((word) => /\/(wayward|bundle\/main\.js)$/.test(word));
  if (script !== undefined) return 'wayward';
  const name = machine.text(`/proc/${pid}/comm`);
  return 'value' in name ? name.value.trim() : basename(words[0] ?? 'unknown');
}

export function checkPort(machine: Machine, port: number): Check {
  const name = `port-${port}`;
  const tables = ['/proc/net/udp', '/proc/net/udp6'].map((path) => machine.text(path));
  const [first] = tables;
  if (first !== undefined && 'code' in first) return unseen(name, '/proc/net/udp', first.code);
  const holders = tables.flatMap((table) => ('value' in table ? holdersOf(table.value, port) : []));
  const [holder] = holders;
  if (holder === undefined) return check(name, 'ok', `UDP ${port} is free`);
  for (const { inode } of holders) {
    const process = processOf(machine, inode);
    if (process === undefined) continue;
    const found = `UDP ${port} is held by ${process.name}, process ${process.pid}`;
    return process.name === 'wayward'
      ? check(name, 'ok', found)
      : check(name, 'problem', found, 'stop it, or set wayward.port and wayward.port_nat_t');
  }
  return check(
    name,
    'unseen',
    `UDP ${port} is held by a process of user ${holder.uid} that this user cannot see`,
    'look again as root',
  );
}
