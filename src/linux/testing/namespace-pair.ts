// Two network namespaces joined by a veth pair, for tests and benchmarks with real traffic. Needs root.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';

export type Side = 'left' | 'right';

export const outerAddresses = {
  4: { left: '192.0.2.1', right: '192.0.2.2' },
  6: { left: '2001:db8:ffff::1', right: '2001:db8:ffff::2' },
} as const;

/** Where a router is between them. */
export const routedAddresses = {
  4: { left: '192.0.2.1', right: '198.51.100.2' },
  6: { left: '2001:db8:ffff::1', right: '2001:db8:fffe::2' },
} as const;

/** The same subnets' routers. */
const routerAddresses = {
  4: { left: '192.0.2.254', right: '198.51.100.254' },
  6: { left: '2001:db8:ffff::fe', right: '2001:db8:fffe::fe' },
} as const;

const noFragments = `table inet path { chain in {
  type filter hook prerouting priority -450; iifname "veth0" ip frag-off & 0x3fff != 0 drop; iifname "veth0" exthdr frag exists drop;
}; }`;

let pairs = 0;

/** What a finished command said. */
export interface Finished {
  readonly status: number;
  readonly output: string;
}

/** What is between the two. */
export interface Between {
  /** Of the way from left to right, and back. */
  readonly mtuBytes: number;
  /** Whether fragments of outer packets get lost before they reach the right side. */
  readonly losesFragments?: boolean;
}

export class NamespacePair {
  readonly #names: Readonly<Record<Side, string>>;
  readonly #router: string | undefined;
  readonly #processes: ChildProcess[] = [];

  /** @param between a router; absent: they are joined by a cable */
  constructor(mtuBytes = 1500, between?: Between) {
    const id = `${process.pid}-${pairs++}`;
    this.#names = { left: `wwdp${id}l`, right: `wwdp${id}r` };
    const { left, right } = this.#names;
    ip('netns', 'add', left);
    ip('netns', 'add', right);
    if (between !== undefined) {
      this.#router = `wwdp${id}m`;
      ip('netns', 'add', this.#router);
      this.#route(this.#router, between);
      return;
    }
    ip('link', 'add', 'veth0', 'netns', left, 'type', 'veth', 'peer', 'name', 'veth0', 'netns', right);
    for (const side of ['left', 'right'] as const)
      inNamespace(this.#names[side], [
        'link set lo up',
        `address add ${outerAddresses[4][side]}/24 dev veth0`,
        `address add ${outerAddresses[6][side]}/64 dev veth0 nodad`,
        `link set veth0 mtu ${mtuBytes} up`,
      ]);
  }

  #route(router: string, { mtuBytes, losesFragments = false }: Between): void {
    for (const side of ['left', 'right'] as const) {
      const name = this.#names[side];
      ip('link', 'add', 'veth0', 'netns', name, 'type', 'veth', 'peer', 'name', side, 'netns', router);
      const own = { v4: routedAddresses[4][side], v6: routedAddresses[6][side] };
      const at = { v4: routerAddresses[4][side], v6: routerAddresses[6][side] };
      inNamespace(name, [
        'link set lo up',
        'link set veth0 up',
        `address add ${own.v4}/24 dev veth0`,
        `address add ${own.v6}/64 dev veth0 nodad`,
        `route add default via ${at.v4}`,
        `route add default via ${at.v6}`,
      ]);
      inNamespace(router, [
        `link set ${side} mtu ${side === 'right' ? mtuBytes : 1500} up`,
        `address add ${at.v4}/24 dev ${side}`,
        `address add ${at.v6}/64 dev ${side} nodad`,
      ]);
    }
    const inRouter = ['netns', 'exec', router];
    ip(...inRouter, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    // A router cuts packets after the last of its own hooks.
    if (losesFragments) ip('netns', 'exec', this.#names.right, 'nft', noFragments);
  }

  /** From now on the router carries so much. */
  narrow(mtuBytes: number): void {
    inNamespace(this.#router!, [`link set right mtu ${mtuBytes}`]);
  }

  /** A process that runs until it ends by itself or the pair is closed. */
  start(side: Side, ...command: string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#names[side], ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#processes.push(child);
    return child;
  }

  /** Runs a command to its end. */
  run(side: Side, ...command: string[]): Promise<Finished> {
    return new Promise((resolve) => {
      execFile('ip', ['netns', 'exec', this.#names[side], ...command], (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        resolve({ status: typeof code === 'number' ? code : 1, output: `${stdout}${stderr}` });
      });
    });
  }

  close(): void {
    for (const child of this.#processes) if (child.exitCode === null) child.kill('SIGKILL');
    for (const name of [...Object.values(this.#names), ...(this.#router === undefined ? [] : [this.#router])])
      ip('netns', 'del', name);
  }
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Commands of `ip`, without a process for each. */
function inNamespace(name: string, commands: readonly string[]): void {
  const input = commands.map((command) => `${command}\n`).join('');
  execFileSync('ip', ['-n', name, '-batch', '-'], { input, stdio: ['pipe', 'ignore', 'pipe'] });
}

/** Waits until the process says a line that begins so. */
export function said(child: ChildProcess, beginning: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (octets: Buffer): void => {
      text += octets.toString();
      const line = text.split('\n').find((one) => one.startsWith(beginning));
      if (line === undefined) return;
      child.stdout?.off('data', hear);
      child.off('close', fail);
      resolve(line);
    };
    const fail = (code: number | null): void => reject(new Error(`ended with ${code} after saying: ${text}`));
    child.stdout?.on('data', hear);
    // Not `exit`: what it said last may still be on its way.
    child.once('close', fail);
  });
}
