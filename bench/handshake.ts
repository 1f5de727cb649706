// What a full IKE_SA_INIT and IKE_AUTH costs each of two daemons, with the Child SA that comes with it: wayward initiates to
// wayward and to charon, by authentication method. Both log what they log by default, and no keys.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectVici, type ViciClient } from '#vici';
import { certifyBoth } from '../interop/harness/certificates.ts';
import { type Host, TestNetwork } from '../interop/harness/network.ts';
import { Strongswan } from '../interop/harness/strongswan.ts';
import { Wayward } from '../interop/harness/wayward.ts';
import { engineBenchmark } from './engine.ts';
import { cpuSeconds, interleaved, type Spread, spread } from './measure.ts';
import type { Report, Table } from './report.ts';

/** Connections of the initiator, which stand together before all are closed again. */
const connections = 50;
/**
 * How often all come up in a sample, and before the first one. After a thousand handshakes V8 still spends a fifth of the CPU
 * time on compiling; by then nearly all is compiled that ever will be.
 */
const timesPerSample = 4;
const timesToWarmUp = 60;
/** How many are under way at a time: of one address more, and both daemons ask some of them for a cookie. */
const parallel = 3;
const methods: Readonly<Record<string, Method>> = {
  'PSK, X25519': 'psk',
  'ECDSA P-256, X25519': 'ecdsa',
  'RSA-2048, X25519': 'rsa',
};
type Method = 'psk' | 'ecdsa' | 'rsa';
const names = ['left.example', 'right.example'] as const;
type Kind = 'wayward' | 'charon';
const kinds: Readonly<Record<Kind, typeof Wayward | typeof Strongswan>> = {
  wayward: Wayward,
  charon: Strongswan,
};
const pairs: readonly (readonly [Kind, Kind])[] = [
  ['wayward', 'wayward'],
  ['wayward', 'charon'],
];

/** charon's default level everywhere, as wayward's. */
const quietCharon = 'filelog {\n  file {\n    ike = 1\n    flush_line = no\n  }\n}\n';

function connection(name: string, child: string, local: Host, remote: Host, side: 0 | 1, method: Method) {
  const auth = method === 'psk' ? 'psk' : 'pubkey';
  return `${name} {
  version = 2
  local_addrs = ${local.outer.IPv4}
  remote_addrs = ${remote.outer.IPv4}
  proposals = aes128gcm16-prfsha256-x25519
  encap = yes
  unique = never
  local {
    auth = ${auth}
    id = ${names[side]}
    ${method === 'psk' ? '' : 'certs = own.pem'}
  }
  remote {
    auth = ${auth}
    id = ${names[1 - side]}
  }
  children { ${child} {
    local_ts = ${local.inner.IPv4}/24
    remote_ts = ${remote.inner.IPv4}/24
    esp_proposals = aes128gcm16
  } }
}
`;
}

interface Pair {
  readonly pids: readonly [number, number];
  readonly clients: readonly ViciClient[];
  stop(): Promise<void>;
}

async function pairOf(kindsOfPair: readonly [Kind, Kind], method: Method, folder: string): Promise<Pair> {
  const network = new TestNetwork({ joined: true });
  await network.create();
  const [left, right] = [network.wayward, network.strongswan];
  const folders = names.map((name) => join(folder, name));
  for (const own of folders) await mkdir(own, { recursive: true });
  const secret = `secrets { ike-bench {\n  id = ${names[0]}\n  secret = "a secret for benchmarks"\n} }\n`;
  const many = Array.from({ length: connections }, (_, i) =>
    connection(`c${i}`, `n${i}`, left, right, 0, method),
  );
  const texts = [many.join(''), connection('bench', 'net', right, left, 1, method)];
  if (method !== 'psk') {
    const peers = [
      { kind: 'wayward' as const, folder: folders[0]! },
      { kind: 'strongswan' as const, folder: folders[1]! },
    ];
    await certifyBoth({ folder, peers }, method);
  }
  const ends: (Wayward | Strongswan)[] = [];
  for (const [i, own] of folders.entries()) {
    const secrets = method === 'psk' ? secret.replace(names[0], names[1 - i]!) : '';
    const text = `connections {\n${texts[i]}}\n${secrets}`;
    await writeFile(join(own, 'swanctl.conf'), text);
    await writeFile(join(own, 'charon.conf'), quietCharon);
    const end = new kinds[kindsOfPair[i]!]([left, right][i]!.namespace, own);
    if (end instanceof Wayward) {
      end.logLevel = 'info';
      end.logsKeys = false;
    }
    await end.start();
    ends.push(end);
  }
  const [initiator, responder] = ends as [Wayward | Strongswan, Wayward | Strongswan];
  const clients: ViciClient[] = [];
  // charon takes few new connections at a time.
  while (clients.length < parallel) clients.push(await connectVici(initiator.viciPath));
  return {
    pids: [initiator.pid!, responder.pid!],
    clients,
    stop: async () => {
      for (const client of clients) client.close();
      for (const end of ends) await end.stop();
      await network.remove();
    },
  };
}

/** Runs a vici command for each of all connections, some at a time. */
async function forAll({ clients }: Pair, ask: (client: ViciClient, index: number) => Promise<unknown>) {
  let next = 0;
  await Promise.all(
    clients.map(async (client) => {
      for (let i = next++; i < connections; i = next++) await ask(client, i);
    }),
  );
}

interface Sample {
  readonly initiatorMs: number;
  readonly responderMs: number;
  readonly perSecond: number;
}

/** Brings every connection up and down so many times; only the way up counts. */
async function measure(pair: Pair, times: number): Promise<Sample> {
  const spent = [0, 0];
  let seconds = 0;
  for (let time = 0; time < times; time++) {
    const before = pair.pids.map((pid) => cpuSeconds([pid]));
    const begun = performance.now();
    await forAll(pair, async (client, i) => {
      for await (const _ of client.stream('initiate', { child: `n${i}`, timeout: '20000', loglevel: '-1' }));
    });
    seconds += (performance.now() - begun) / 1000;
    for (const [i, pid] of pair.pids.entries()) spent[i]! += cpuSeconds([pid]) - before[i]!;
    await forAll(pair, async (client, i) => {
      for await (const _ of client.stream('terminate', { ike: `c${i}`, timeout: '20000', loglevel: '-1' }));
    });
  }
  const handshakes = times * connections;
  const [initiatorMs, responderMs] = spent.map((cpu) => (cpu * 1000) / handshakes);
  return { initiatorMs: initiatorMs!, responderMs: responderMs!, perSecond: handshakes / seconds };
}

async function benchmarkMethod(method: Method, title: string, rounds: number): Promise<Table[]> {
  const folder = await mkdtemp(join(tmpdir(), 'wayward-bench-'));
  const ready: Record<string, Pair> = {};
  try {
    for (const [i, pair] of pairs.entries()) {
      ready[pair.join(' to ')] = await pairOf(pair, method, join(folder, String(i)));
    }
    for (const pair of Object.values(ready)) await measure(pair, timesToWarmUp);
    const contenders = Object.fromEntries(
      Object.entries(ready).map(([name, pair]) => [name, () => measure(pair, timesPerSample)]),
    );
    const measured = await interleaved<string, Sample>(rounds, contenders);
    const of = (key: keyof Sample): Record<string, Spread> =>
      Object.fromEntries(
        Object.entries(measured).map(([name, samples]) => [
          name,
          spread(samples.map((sample) => sample[key])),
        ]),
      );
    const [initiatorMs, responderMs] = [of('initiatorMs'), of('responderMs')];
    return [
      { title: `${title}: CPU milliseconds of the initiator`, rows: initiatorMs },
      { title: `${title}: CPU milliseconds of the responder`, rows: responderMs },
      {
        title: `${title}: handshakes per second, ${parallel} at a time on this machine`,
        rows: of('perSecond'),
      },
      {
        title: `${title}: wayward to charon`,
        rows: {
          'as responders':
            responderMs['wayward to wayward']!.median / responderMs['wayward to charon']!.median,
        },
      },
    ];
  } finally {
    for (const pair of Object.values(ready)) await pair.stop();
    await rm(folder, { recursive: true });
  }
}

/** Needs root and strongSwan. */
export async function handshakeBenchmark(rounds: number): Promise<Report> {
  const tables: Table[] = [];
  for (const [title, method] of Object.entries(methods)) {
    tables.push(...(await benchmarkMethod(method, title, rounds)));
  }
  tables.push(...(await engineBenchmark()).tables);
  return { tables };
}
