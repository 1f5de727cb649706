// One end of a tunnel without keying: a packet thread with fixed keys, for tests and benchmarks within a namespace.
// Its one argument is a `TunnelEnd` in JSON. Says `ready`, lets the packet thread die whose number it reads, ends with its
// standard input, and then tells its verdicts.
import { execFileSync } from 'node:child_process';
import {
  address,
  type SaCommand,
  type SaDirection,
  type SaParameters,
  type Spi,
  selectorOfPrefix,
} from '#sa';
import type { PacketThreadOptions } from '../packet-thread/messages.ts';
import { PacketThread, type PacketThreadListener } from '../packet-thread/packet-thread.ts';
import { PacketThreads } from '../packet-threads/packet-threads.ts';

/** Keys are octets counted up from the direction's number, of as many as the algorithm takes. */
export interface TunnelEnd {
  readonly side: 'left' | 'right';
  readonly outer: { readonly left: string; readonly right: string };
  /** Prefixes: the addresses of the device itself in tunnel mode. */
  readonly inner: { readonly left: readonly string[]; readonly right: readonly string[] };
  readonly tunName: string;
  readonly tunMtuBytes: number;
  readonly encapsulated: boolean;
  readonly esn: boolean;
  /** Absent: AH. */
  readonly encryption?:
    | { readonly id: number; readonly keyLengthBits: number; readonly keyBytes: number }
    | undefined;
  readonly integrity?: { readonly id: number; readonly keyBytes: number };
  /** Several packet threads, and SAs of its own for each prefix of the one side and that of the other in the same place. */
  readonly threads?: number;
}

/** What SAs are made for. */
interface Pair {
  readonly childId: number;
  readonly left: readonly string[];
  readonly right: readonly string[];
}

const firstSpis = { left: 0x0000_1001, right: 0x0000_1002 };
const natTraversalPort = 4500;

function pairsOf({ inner: { left, right }, threads }: TunnelEnd): readonly Pair[] {
  if (threads === undefined) return [{ childId: 1, left, right }];
  return left.map((prefix, i) => ({ childId: i + 1, left: [prefix], right: [right[i]!] }));
}

function spiOf(sender: 'left' | 'right', { childId }: Pair): Spi {
  // Of every remainder among two, three or four threads.
  return (firstSpis[sender] + 5 * (childId - 1)) as Spi;
}

function keyOf(spi: Spi, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => spi + i);
}

function parameters(end: TunnelEnd, direction: SaDirection, pair: Pair): SaParameters {
  const peer = end.side === 'left' ? 'right' : 'left';
  const spi = spiOf(direction === 'outbound' ? end.side : peer, pair);
  const { encryption, integrity } = end;
  const selectors = (prefixes: readonly string[]) => prefixes.map((prefix) => selectorOfPrefix(prefix)!);
  return {
    direction,
    protocol: encryption === undefined ? 'ah' : 'esp',
    spi,
    mode: 'tunnel',
    local: address(end.outer[end.side]),
    remote: address(end.outer[peer]),
    ...(end.encapsulated
      ? { encapsulation: { localPort: natTraversalPort, remotePort: natTraversalPort } }
      : {}),
    ...(encryption === undefined
      ? {}
      : {
          encryption: {
            id: encryption.id,
            keyLengthBits: encryption.keyLengthBits,
            key: keyOf(spi, encryption.keyBytes),
          },
        }),
    ...(integrity === undefined
      ? {}
      : { integrity: { id: integrity.id, key: keyOf(spi, integrity.keyBytes) } }),
    esn: end.esn,
    replayWindow: 1024,
    selectors: { local: selectors(pair[end.side]), remote: selectors(pair[peer]) },
    lifetimes: {},
    childId: pair.childId,
    generation: 0,
    copyDscp: 'out',
    copyDf: true,
  };
}

const end = JSON.parse(process.argv[2] ?? '') as TunnelEnd;
const peer = end.side === 'left' ? 'right' : 'left';
let verdicts: Readonly<Record<string, number>> = {};
const results: string[] = [];
const pairs = pairsOf(end);
const commands = pairs.flatMap((pair): SaCommand[] => {
  const outbound = parameters(end, 'outbound', pair);
  const { childId, selectors } = outbound;
  return [
    { kind: 'install', sa: parameters(end, 'inbound', pair) },
    { kind: 'install', sa: outbound },
    {
      kind: 'install-policy',
      policy: { policyId: childId, action: 'protect', selectors, priority: 1, mode: 'tunnel', childId },
    },
  ];
});
const options: PacketThreadOptions = {
  addresses: [address(end.outer[end.side])],
  ikePort: 500,
  natTraversalPort,
  nativeEsp: !end.encapsulated,
  tunName: end.tunName,
  mark: 0,
  pathMtuBytes: 1500,
};
const listener: PacketThreadListener = {
  datagram: () => undefined,
  hipPacket: () => undefined,
  addressesChanged: () => undefined,
  icmpError: () => undefined,
  event: () => undefined,
  saResult: (_id, result) => {
    if (results.length === commands.length) return;
    results.push(result.ok ? 'ok' : result.detail);
    if (results.length === commands.length) ready();
  },
  reports: () => undefined,
  statistics: (latest) => {
    verdicts = latest;
  },
  restarted: (error, sas) => console.log(`restarted with ${sas} SAs: ${error.message}`),
  died: (error) => {
    console.error(error);
    process.exit(1);
  },
};
const thread =
  end.threads === undefined
    ? await PacketThread.open(options, listener)
    : await PacketThreads.open(options, listener, end.threads);
await thread.listen();
thread.receive();

for (const [id, command] of commands.entries()) thread.apply(id, command);

function ready(): void {
  if (results.some((result) => result !== 'ok')) throw new Error(results.join(', '));
  const ip = (...words: string[]): void => void execFileSync('ip', words);
  ip('link', 'set', end.tunName, 'mtu', String(end.tunMtuBytes), 'up');
  for (const prefix of end.inner[end.side]) {
    ip('address', 'add', prefix, 'dev', end.tunName, ...(prefix.includes(':') ? ['nodad'] : []));
  }
  for (const { [end.side]: own, [peer]: theirs } of pairs) {
    const source = own.length > 1 ? [] : ['src', own[0]!.split('/')[0]!];
    for (const prefix of theirs) ip('route', 'add', prefix, 'dev', end.tunName, ...source);
  }
  console.log('ready');
}

// A whole number: the thread that is to die of it.
process.stdin.on('data', (text) => {
  const spi = 0x9000 + Number(String(text));
  thread.apply(99, {
    kind: 'install',
    sa: { direction: 'inbound', protocol: 'esp', spi },
  } as unknown as SaCommand);
});
process.stdin.on('end', () => {
  // The last counters are told once a second.
  setTimeout(() => {
    void thread.close().then(() => console.log(JSON.stringify(verdicts)));
  }, 1_100);
});
