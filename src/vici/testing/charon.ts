// Debian's charon as a process of its own: private configuration, private vici socket, private network namespace.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectVici } from '../unix-socket.ts';

const charonPath = '/usr/sbin/charon-systemd';
/** The machine may be busy with other tests. */
const startMsMax = 60_000;

/** Why a test with real peers cannot run here, or `false`. */
export const noCharon: string | false = !existsSync(charonPath)
  ? 'charon-systemd is not installed'
  : spawnSync('swanctl', ['--help']).error !== undefined
    ? 'swanctl is not installed'
    : process.getuid?.() !== 0
      ? 'network namespaces need root'
      : spawnSync('ip', ['netns', 'list']).status !== 0
        ? 'there are no network namespaces'
        : false;

function ip(...words: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`);
}

/** Two namespaces with a cable between them: 10.99.0.1 with 10.1.0.1 behind it, and 10.99.0.2 with 10.2.0.1. */
export class NamespacePair {
  readonly left: string;
  readonly right: string;

  constructor(name: string) {
    this.left = `wwv-${name}-l-${process.pid}`;
    this.right = `wwv-${name}-r-${process.pid}`;
    ip('netns', 'add', this.left);
    ip('netns', 'add', this.right);
    ip(
      'link',
      'add',
      'veth0',
      'netns',
      this.left,
      'type',
      'veth',
      'peer',
      'name',
      'veth0',
      'netns',
      this.right,
    );
    for (const [namespace, n] of [
      [this.left, 1],
      [this.right, 2],
    ] as const) {
      ip('-n', namespace, 'addr', 'add', `10.99.0.${n}/24`, 'dev', 'veth0');
      ip('-n', namespace, 'addr', 'add', `10.${n}.0.1/24`, 'dev', 'lo');
      ip('-n', namespace, 'link', 'set', 'lo', 'up');
      ip('-n', namespace, 'link', 'set', 'veth0', 'up');
    }
  }

  remove(): void {
    for (const namespace of [this.left, this.right]) spawnSync('ip', ['netns', 'del', namespace]);
  }
}

/** One charon. Its tunnels carry ESP in user space, as not every kernel can. */
export class Charon {
  readonly socket: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, process: ChildProcess) {
    this.#folder = folder;
    this.socket = join(folder, 'charon.vici');
    this.#process = process;
  }

  static async start(folder: string, namespace: string): Promise<Charon> {
    mkdirSync(folder, { recursive: true });
    const settings = join(folder, 'strongswan.conf');
    writeFileSync(
      settings,
      `charon-systemd {
  load = random nonce aesni aes sha1 sha2 hmac kdf openssl gcm ctr ccm curve25519 gmp pem pkcs1 pkcs8 pubkey x509 constraints revocation kernel-libipsec kernel-netlink socket-default counters vici updown
  install_virtual_ip = no
  journal { default = -1 }
  filelog { f { path = ${folder}/charon.log
    flush_line = yes
    default = 1
  } }
  plugins { vici { socket = unix://${folder}/charon.vici } }
}
`,
    );
    const process = spawn('ip', ['netns', 'exec', namespace, charonPath], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', STRONGSWAN_CONF: settings },
      stdio: 'ignore',
    });
    const charon = new Charon(folder, process);
    // The file of a socket is there before anybody listens.
    for (const until = performance.now() + startMsMax; ; await sleep(25)) {
      const client = await connectVici(charon.socket).catch(() => undefined);
      client?.close();
      if (client !== undefined) return charon;
      if (performance.now() > until) throw new Error(`charon did not start:\n${charon.log()}`);
    }
  }

  log(): string {
    const path = join(this.#folder, 'charon.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 60_000);
    await ended;
    clearTimeout(timer);
  }
}
