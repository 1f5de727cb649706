// Debian's strongSwan without systemd: charon-systemd in a namespace, ESP in its own process by kernel-libipsec.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually, patienceMs } from './eventually.ts';
import type { Peer, PeerChild, PeerIkeSa } from './peer.ts';
import { RunningProcess, runProgram } from './processes.ts';
import { field, list, parsePretty, type Section, subsections } from './swanctl-output.ts';

const plugins =
  'random nonce aesni aes sha1 sha2 hmac kdf openssl gcm ctr ccm chapoly curve25519 gmp pem pkcs1 pkcs8 pubkey x509 ' +
  'constraints revocation kernel-netlink socket-default counters vici updown eap-identity eap-mschapv2';

/** charon's own limit for what it is told to do. */
const initiationSeconds = String(patienceMs / 2_000);

/** Where ESP is done: by charon itself (kernel-libipsec), or by its kernel. */
export type EspIn = 'charon' | 'kernel';

/** One charon and its control socket. */
export class Strongswan implements Peer {
  readonly kind = 'strongswan';
  readonly folder: string;
  readonly #namespace: string;
  #daemon: RunningProcess | undefined;

  constructor(namespace: string, folder: string) {
    this.#namespace = namespace;
    this.folder = folder;
  }

  static async version(): Promise<string> {
    return /strongSwan (\S+) swanctl/.exec(await runProgram(['swanctl', '--help']))?.[1] ?? 'unknown';
  }

  protected get environment(): Record<string, string> {
    return { STRONGSWAN_CONF: join(this.folder, 'strongswan.conf'), SWANCTL_DIR: this.folder };
  }

  get viciPath(): string {
    return join(this.folder, 'vici');
  }

  /** The daemon's, while it runs. */
  get pid(): number | undefined {
    return this.#daemon?.pid;
  }

  /** Where vici is served, and asked. */
  protected get viciUri(): string {
    return `unix://${this.viciPath}`;
  }

  /** What of charon's settings depends on where it runs. */
  protected get espIn(): EspIn {
    return 'charon';
  }

  async log(): Promise<string> {
    return readFile(join(this.folder, 'charon.log'), 'utf8').catch(() => '');
  }

  /** `charon.conf`, if the scenario has one, is the inside of strongswan.conf's daemon section. */
  protected async writeSettings(): Promise<void> {
    const more = await readFile(join(this.folder, 'charon.conf'), 'utf8').catch(() => '');
    const settings = `
charon-systemd {
  load = ${this.espIn === 'charon' ? `kernel-libipsec ${plugins}` : plugins}
  journal {
    default = -1
  }
  filelog {
    file {
      path = ${join(this.folder, 'charon.log')}
      time_format = %H:%M:%S
      time_add_ms = yes
      append = yes
      flush_line = yes
      default = 1
      ike = 2
    }
  }
  plugins {
    vici {
      socket = ${this.viciUri}
    }
  }
${more}
}
swanctl {
  load = random nonce aes sha1 sha2 hmac kdf openssl pem pkcs1 pkcs8 pubkey x509
}
`;
    await writeFile(join(this.folder, 'strongswan.conf'), settings);
  }

  async start(): Promise<void> {
    await this.writeSettings();
    const daemon = new RunningProcess(['charon-systemd'], {
      namespace: this.#namespace,
      environment: this.environment,
    });
    this.#daemon = daemon;
    await eventually('charon opens its control socket', async () => {
      if (!daemon.running) throw new Error(`charon ended: ${daemon.output}\n${await this.log()}`);
      return isListening(join(this.folder, 'vici'));
    });
    await this.reload();
  }

  async stop(): Promise<void> {
    await this.#daemon?.end();
    this.#daemon = undefined;
  }

  async kill(): Promise<void> {
    await this.#daemon?.end('SIGKILL');
    this.#daemon = undefined;
    // The next start waits for this file.
    await rm(this.viciPath, { force: true });
  }

  /** Runs one command of swanctl, for example `--list-sas`. */
  swanctl(...words: readonly string[]): Promise<string> {
    return runProgram(['swanctl', ...words, '--uri', this.viciUri], { environment: this.environment });
  }

  async reload(): Promise<void> {
    await this.swanctl('--load-all', '--noprompt');
  }

  async up(child: string): Promise<void> {
    await this.swanctl('--initiate', '--child', child, '--timeout', initiationSeconds);
  }

  async downChild(child: string): Promise<void> {
    await this.swanctl('--terminate', '--child', child, '--timeout', initiationSeconds);
  }

  async downIke(connection: string): Promise<void> {
    await this.swanctl('--terminate', '--ike', connection, '--timeout', initiationSeconds);
  }

  async rekeyChild(child: string): Promise<void> {
    await this.swanctl('--rekey', '--child', child);
  }

  async rekeyIke(connection: string): Promise<void> {
    await this.swanctl('--rekey', '--ike', connection);
  }

  async ikeSas(): Promise<readonly PeerIkeSa[]> {
    const output = parsePretty(await this.swanctl('--list-sas', '--pretty'));
    return subsections(output)
      .filter(([name]) => name === 'list-sa event')
      .flatMap(([, event]) => subsections(event))
      .filter(([, sa]) => field(sa, 'state') === 'ESTABLISHED')
      .map(([connection, sa]) => ikeSa(connection, sa));
  }
}

function ikeSa(connection: string, sa: Section): PeerIkeSa {
  const children = sa['child-sas'];
  return {
    connection,
    initiatorSpi: field(sa, 'initiator-spi'),
    responderSpi: field(sa, 'responder-spi'),
    remoteHost: field(sa, 'remote-host'),
    remotePort: Number(field(sa, 'remote-port')),
    suite: ['encr-alg', 'encr-keysize', 'integ-alg', 'prf-alg', 'dh-group']
      .map((key) => field(sa, key))
      .join(' '),
    children: subsections(typeof children === 'object' ? (children as Section) : {})
      .filter(([, child]) => field(child, 'state') === 'INSTALLED')
      .map(([, child]) => childSa(child)),
  };
}

function childSa(child: Section): PeerChild {
  return {
    name: field(child, 'name'),
    inboundSpi: field(child, 'spi-in'),
    outboundSpi: field(child, 'spi-out'),
    localSelectors: list(child, 'local-ts'),
    remoteSelectors: list(child, 'remote-ts'),
    mode: field(child, 'mode').toLowerCase(),
    suite: ['encr-alg', 'encr-keysize', 'integ-alg', 'esn'].map((key) => field(child, key)).join(' '),
  };
}

/** The file of a socket is there before anybody listens. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
