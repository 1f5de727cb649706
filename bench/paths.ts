// The ways that a stream can take between two namespaces: a pair of daemons, wireguard-go, or nothing but the link.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Host, TestNetwork } from '../interop/harness/network.ts';
import { RunningProcess, runProgram } from '../interop/harness/processes.ts';
import type { Strongswan } from '../interop/harness/strongswan.ts';
import type { Wayward } from '../interop/harness/wayward.ts';

/** A way for the stream, set up. */
export interface Path {
  readonly network: TestNetwork;
  readonly target: string;
  readonly source: string;
  /** Processes that carry the packets. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

function configuration(local: Host, remote: Host, [localId, remoteId]: readonly [string, string]): string {
  return `connections { bench {
  version = 2
  local_addrs = ${local.outer.IPv4}
  remote_addrs = ${remote.outer.IPv4}
  proposals = aes128gcm16-prfsha256-x25519
  encap = yes
  local {
    auth = psk
    id = ${localId}
  }
  remote {
    auth = psk
    id = ${remoteId}
  }
  children { net {
    local_ts = ${local.inner.IPv4}/24
    remote_ts = ${remote.inner.IPv4}/24
    esp_proposals = aes128gcm16
  } }
} }
secrets { ike-bench {
  id = ${remoteId}
  secret = "a secret for benchmarks"
} }
`;
}

type DaemonKind = new (namespace: string, folder: string) => Wayward | Strongswan;

/** Between two daemons, of which the second receives. */
export interface DaemonPath extends Path {
  readonly ends: readonly (Wayward | Strongswan)[];
}

export async function daemons(kind: DaemonKind, folder: string): Promise<DaemonPath> {
  const network = new TestNetwork({ joined: true });
  await network.create();
  const ids = ['left.example', 'right.example'] as const;
  const [left, right] = [network.wayward, network.strongswan];
  const ends: (Wayward | Strongswan)[] = [];
  for (const [local, remote, names] of [
    [left, right, ids],
    [right, left, [ids[1], ids[0]]],
  ] as const) {
    const own = join(folder, names[0]);
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'swanctl.conf'), configuration(local, remote, names));
    const end = new kind(local.namespace, own);
    await end.start();
    ends.push(end);
  }
  await ends[0]!.up('net');
  return {
    network,
    ends,
    source: left.inner.IPv4,
    target: right.inner.IPv4,
    pids: ends.flatMap((end) => end.pid ?? []),
    stop: async () => {
      for (const end of ends) await end.stop();
      await network.remove();
    },
  };
}

interface WireguardEnd {
  readonly host: Host;
  readonly device: string;
  readonly daemon: RunningProcess;
  readonly keyPath: string;
  readonly publicKey: string;
}

export async function wireguard(folder: string): Promise<Path> {
  // Before anything is set up that would have to go again.
  await runProgram(['wg', '--version']);
  await runProgram(['wireguard-go', '--version']);
  const network = new TestNetwork({ joined: true });
  await network.create();
  const ends: WireguardEnd[] = [];
  for (const [i, host] of [network.wayward, network.strongswan].entries()) {
    const device = `wwb${process.pid}${i}`;
    const { namespace } = host;
    const daemon = new RunningProcess(['wireguard-go', '-f', device], { namespace });
    const keyPath = join(folder, `key-${i}`);
    const key = await runProgram(['wg', 'genkey']);
    await writeFile(keyPath, key, { mode: 0o600 });
    const publicKey = (await runProgram(['wg', 'pubkey'], { input: key })).trim();
    ends.push({ host, device, daemon, keyPath, publicKey });
  }
  for (const [i, { host, device, keyPath }] of ends.entries()) {
    const peer = ends[1 - i]!;
    const { namespace } = host;
    await untilReady(() => runProgram(['ip', '-n', namespace, 'link', 'show', device]));
    const endpoint = `${peer.host.outer.IPv4}:51820`;
    const own = ['wg', 'set', device, 'listen-port', '51820', 'private-key', keyPath];
    const other = ['peer', peer.publicKey, 'endpoint', endpoint, 'allowed-ips', `${peer.host.inner.IPv4}/24`];
    await untilReady(() => runProgram([...own, ...other], { namespace }));
    await runProgram(['ip', '-n', namespace, 'link', 'set', device, 'mtu', '1420', 'up']);
    const route = [`${peer.host.inner.IPv4}/32`, 'dev', device, 'src', host.inner.IPv4];
    await runProgram(['ip', '-n', namespace, 'route', 'add', ...route]);
  }
  return {
    network,
    source: network.wayward.inner.IPv4,
    target: network.strongswan.inner.IPv4,
    pids: ends.flatMap(({ daemon }) => daemon.pid ?? []),
    stop: async () => {
      for (const { daemon } of ends) await daemon.end();
      await network.remove();
    },
  };
}

export async function bareLink(): Promise<Path> {
  const network = new TestNetwork({ joined: true });
  await network.create();
  return {
    network,
    source: network.wayward.outer.IPv4,
    target: network.strongswan.outer.IPv4,
    pids: [],
    stop: () => network.remove(),
  };
}

async function untilReady(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (tries === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
