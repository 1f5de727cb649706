// Two machines side by side: a network namespace each, one cable between them, a wayward daemon in each.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Ending, folder, WaywardProcess, wayward } from './wayward-process.ts';

export type Side = 'left' | 'right';

/** Addresses of one machine: on the cable, and inside, behind its gateway. */
export const machines = {
  left: { outer: '192.0.2.1', inner: '10.81.0.1', network: '10.81.0.0/24', identity: 'left.example' },
  right: { outer: '192.0.2.2', inner: '10.82.0.1', network: '10.82.0.0/24', identity: 'right.example' },
} as const;

export const sharedSecret = 'correct horse battery staple';

export interface ConfigurationLines {
  readonly connection?: string;
  readonly child?: string;
  readonly host?: string;
  /** Further sections at the top. */
  readonly top?: string;
}

/** swanctl.conf text of one side: connection `peer` with the child `net`. */
export function configurationOf(side: Side, lines: ConfigurationLines = {}): string {
  const us = machines[side];
  const them = machines[side === 'left' ? 'right' : 'left'];
  const connection = lines.connection ?? '';
  const child = lines.child ?? '';
  return `wayward {
  log_level = trace
  ${lines.host ?? ''}
}
connections {
  peer {
    version = 2
    local_addrs = ${us.outer}
    ${connection.includes('remote_addrs') ? '' : `remote_addrs = ${them.outer}`}
    proposals = aes128gcm16-prfsha256-x25519
    ${connection}
    local {
      auth = psk
      id = ${us.identity}
    }
    remote {
      auth = psk
      id = ${them.identity}
    }
    children {
      net {
        ${child.includes('local_ts') ? '' : `local_ts = ${us.network}`}
        ${child.includes('remote_ts') ? '' : `remote_ts = ${them.network}`}
        esp_proposals = aes128gcm16
        ${child}
      }
    }
  }
}
secrets {
  ike-peer {
    secret = "${sharedSecret}"
  }
}
${lines.top ?? ''}
`;
}

let made = 0;

export class TwoHosts {
  readonly #t: TestContext;
  readonly folder: string;
  readonly #names: Readonly<Record<Side, string>>;

  /** Both machines go with the test. */
  constructor(t: TestContext) {
    this.#t = t;
    this.folder = folder(t);
    const base = `wwop-${process.pid}-${++made}`;
    this.#names = { left: `${base}-left`, right: `${base}-right` };
    const { left, right } = this.#names;
    t.after(() => {
      for (const name of [left, right]) {
        rmSync(join('/etc/netns', name), { recursive: true, force: true });
        try {
          ip('netns', 'del', name);
        } catch {
          // It was never made.
        }
      }
    });
    ip('netns', 'add', left);
    ip('netns', 'add', right);
    ip('-n', left, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', right);
    for (const side of ['left', 'right'] as const) {
      const { outer, inner } = machines[side];
      const name = this.#names[side];
      ip('-n', name, 'link', 'set', 'lo', 'up');
      ip('-n', name, 'link', 'set', 'cable', 'up');
      ip('-n', name, 'address', 'add', `${outer}/24`, 'dev', 'cable');
      ip('-n', name, 'address', 'add', `${inner}/32`, 'dev', 'lo');
    }
  }

  within(side: Side): string[] {
    return ['ip', 'netns', 'exec', this.#names[side]];
  }

  configurationPath(side: Side): string {
    return join(this.folder, `${side}.conf`);
  }

  socketPath(side: Side): string {
    return join(this.folder, `${side}.socket`);
  }

  configure(side: Side, text: string): void {
    writeFileSync(this.configurationPath(side), text);
  }

  /** What host names mean on one machine; to be called before its first program starts, and again for changes. */
  names(side: Side, hosts: Readonly<Record<string, string>>): void {
    // iproute2 mounts these files over those in /etc.
    const etc = join('/etc/netns', this.#names[side]);
    mkdirSync(etc, { recursive: true });
    writeFileSync(join(etc, 'nsswitch.conf'), 'hosts: files\n');
    const lines = Object.entries(hosts).map(([name, address]) => `${address} ${name}\n`);
    writeFileSync(join(etc, 'hosts'), lines.join(''));
  }

  /** Starts a daemon and waits until it runs. */
  async start(side: Side, ...words: string[]): Promise<WaywardProcess> {
    const daemon = new WaywardProcess(
      this.#t,
      ['run', '--config', this.configurationPath(side), '--socket', this.socketPath(side), ...words],
      { within: this.within(side) },
    );
    await daemon.printed(/wayward is running/);
    return daemon;
  }

  /** A command to a running daemon. */
  command(side: Side, ...words: string[]): Promise<Ending> {
    return wayward(this.#t, [...words, '--socket', this.socketPath(side)]);
  }

  /**
   * Pings, each of which must be answered. All at once: of those that are sent one by one, ping waits for the last answer no
   * longer than two round trips, which says nothing of a loss where others want the machine too.
   */
  pingWithoutLoss(side: Side, count: number, from: string, to: string): void {
    const pace = ['-c', `${count}`, '-l', `${count}`, '-i', '60', '-W', '60'];
    assert.match(this.run(side, 'ping', '-n', ...pace, '-I', from, to), / 0% packet loss/);
  }

  /** Pings, until so many are answered, or a minute is over. */
  pingUntilAnswered(side: Side, count: number, from: string, to: string): void {
    const words = ['-n', '-c', `${count}`, '-i', '0.02', '-w', '60', '-I', from, to];
    assert.match(this.run(side, 'ping', ...words), new RegExp(` ${count} received`));
  }

  /** Any program inside; what it prints. @throws Error if it fails */
  run(side: Side, command: string, ...words: string[]): string {
    const [first = '', ...rest] = [...this.within(side), command, ...words];
    return execFileSync(first, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });
}
