// Two daemons on one machine, each with a tunnel of native ESP to a peer of its own. Both receive every ESP packet.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { configurationOf, machines, TwoHosts } from './testing/two-hosts.ts';
import { eventually, needsRoot, WaywardProcess, wayward } from './testing/wayward-process.ts';

const sendEsp = fileURLToPath(new URL('./testing/send-esp.js', import.meta.url));

/** The second daemon and its peer: other ports, another device, other networks behind them. */
const other = {
  ports: { ike: 1_500, natTraversal: 14_500 },
  left: { inner: '10.83.0.1', network: '10.83.0.0/24' },
  right: { outer: '192.0.2.3', inner: '10.84.0.1', network: '10.84.0.0/24' },
} as const;

interface Running {
  readonly daemon: WaywardProcess;
  readonly socket: string;
}

class SharedHost {
  readonly hosts: TwoHosts;
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    this.hosts = new TwoHosts(t);
    this.hosts.configure('left', configurationOf('left'));
    this.hosts.configure('right', configurationOf('right', { connection: 'remote_addrs = %any' }));
    const { hosts } = this;
    hosts.run('left', 'ip', 'address', 'add', `${other.left.inner}/32`, 'dev', 'lo');
    hosts.run('right', 'ip', 'address', 'add', `${other.right.outer}/24`, 'dev', 'cable');
    hosts.run('right', 'ip', 'address', 'add', `${other.right.inner}/32`, 'dev', 'lo');
  }

  /** The second daemon of a side. */
  async startOther(side: 'left' | 'right'): Promise<Running> {
    const { hosts } = this;
    const left = side === 'left';
    const ends = `local_ts = ${left ? other.left.network : other.right.network}
      remote_ts = ${left ? other.right.network : other.left.network}`;
    const text = configurationOf(side, {
      host: `port = ${other.ports.ike}
        port_nat_t = ${other.ports.natTraversal}
        tun_name = other0`,
      connection: `remote_port = ${other.ports.ike}
        ${left ? `remote_addrs = ${other.right.outer}` : 'remote_addrs = %any'}`,
      child: ends,
    }).replace(left ? /$^/ : `local_addrs = ${machines.right.outer}`, `local_addrs = ${other.right.outer}`);
    const path = `${hosts.folder}/other-${side}.conf`;
    const socket = `${hosts.folder}/other-${side}.socket`;
    writeFileSync(path, text);
    const words = ['run', '--config', path, '--socket', socket];
    const daemon = new WaywardProcess(this.#t, words, { within: hosts.within(side) });
    await daemon.printed(/wayward is running/);
    return { daemon, socket };
  }

  ask(socket: string, ...words: string[]): ReturnType<typeof wayward> {
    return wayward(this.#t, [...words, '--socket', socket]);
  }
}

/** Sends an ESP packet that nobody can open from the peer's address. */
function strayEsp(hosts: TwoHosts, spi: number, from: string): void {
  const octets = `${spi.toString(16).padStart(8, '0')}${'00'.repeat(60)}`;
  hosts.run('right', process.execPath, sendEsp, from, machines.left.outer, octets);
}

test('given two daemons on one machine, each leaves the SPIs of the other to it, and of a killed one for a while', {
  skip: needsRoot,
}, async (t) => {
  const shared = new SharedHost(t);
  const { hosts } = shared;
  await hosts.start('right');
  await shared.startOther('right');
  const first = await hosts.start('left');
  const second = await shared.startOther('left');
  await first.printed(/keying daemon \S+ runs on this host: its SPIs are left to it/);
  assert.equal((await hosts.command('left', 'up', 'net')).status, 0);
  assert.equal((await shared.ask(second.socket, 'up', 'net')).status, 0);

  // Both tunnels carry traffic by IP protocol 50, so that both daemons have seen all of it.
  hosts.pingWithoutLoss('left', 20, machines.left.inner, machines.right.inner);
  hosts.pingWithoutLoss('left', 20, other.left.inner, other.right.inner);
  const statusOf = async (socket: string): Promise<Status> =>
    JSON.parse((await shared.ask(socket, 'status', '--json')).out);
  const [a, b] = [await statusOf(hosts.socketPath('left')), await statusOf(second.socket)];
  const spiOf = ({ engine }: Status): number => engine.ikeSas[0]!.children[0]!.inboundSpi;
  await first.printed(new RegExp(`unknown SPI ${hex(spiOf(b))}.*: leave-to-owner \\(claimed\\)`));
  await second.daemon.printed(new RegExp(`unknown SPI ${hex(spiOf(a))}.*: leave-to-owner \\(claimed\\)`));
  for (const daemon of [first, second.daemon]) assert.doesNotMatch(daemon.out, /, sent/);
  assert.equal(a.owners.registry?.others.length, 1);

  // One is killed. Its peer goes on sending, and the other one says nothing to that.
  second.daemon.signal('SIGKILL');
  await second.daemon.ended();
  await first.printed(/keying daemon \S+ died: its SPIs are left alone until it is back/);
  const before = first.out.length;
  for (let i = 0; i < 3; i++) strayEsp(hosts, spiOf(b), other.right.outer);
  await eventually(() => first.out.slice(before).includes('leave-to-owner') || undefined);
  assert.doesNotMatch(first.out, /, sent/);

  // Its restarted self knows the SPI, and answers.
  const again = await shared.startOther('left');
  await first.printed(/died[\s\S]*keying daemon \S+ runs on this host/);
  await again.daemon.printed(/recovery by restart: calling/);
  await again.daemon.printed(/Child SA established/);
  hosts.pingWithoutLoss('left', 20, machines.left.inner, machines.right.inner);
  hosts.pingUntilAnswered('left', 3, other.left.inner, other.right.inner);
  strayEsp(hosts, spiOf(b), other.right.outer);
  await again.daemon.printed(new RegExp(`unknown SPI ${hex(spiOf(b))}.*: notify-protected`));
  assert.doesNotMatch(first.out, /, sent/);
});

interface Status {
  readonly engine: {
    readonly ikeSas: readonly { readonly children: readonly { readonly inboundSpi: number }[] }[];
  };
  readonly owners: { readonly registry?: { readonly others: readonly unknown[] } };
}

function hex(spi: number): string {
  return spi.toString(16).padStart(8, '0');
}
