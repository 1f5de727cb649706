// One end of a tunnel without keying: a packet thread with fixed keys, for tests and benchmarks within a namespace.
// Its one argument is a `TunnelEnd` in JSON. Says `ready`, lets its packet thread die when it reads anything, ends with its
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
import { PacketThread } from '../packet-thread/packet-thread.ts';

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
}

const spis = { left: 0x0000_1001 as Spi, right: 0x0000_1002 as Spi };
const natTraversalPort = 4500;

function keyOf(sender: 'left' | 'right', bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => spis[sender] + i);
}

function parameters(end: TunnelEnd, direction: SaDirection): SaParameters {
  const peer = end.side === 'left' ? 'right' : 'left';
  const sender = direction === 'outbound' ? end.side : peer;
  const { encryption, integrity } = end;
  const selectors = (prefixes: readonly string[]) => prefixes.map((prefix) => selectorOfPrefix(prefix)!);
  return {
    direction,
    protocol: encryption === undefined ? 'ah' : 'esp',
    spi: spis[sender],
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
            key: keyOf(sender, encryption.keyBytes),
          },
        }),
    ...(integrity === undefined
      ? {}
      : { integrity: { id: integrity.id, key: keyOf(sender, integrity.keyBytes) } }),
    esn: end.esn,
    replayWindow: 1024,
    selectors: { local: selectors(end.inner[end.side]), remote: selectors(end.inner[peer]) },
    lifetimes: {},
    childId: 1,
    generation: 0,
    copyDscp: 'out',
    copyDf: true,
  };
}

const end = JSON.parse(process.argv[2] ?? '') as TunnelEnd;
const peer = end.side === 'left' ? 'right' : 'left';
let verdicts: Readonly<Record<string, number>> = {};
const results: string[] = [];
const thread = await PacketThread.open(
  {
    addresses: [address(end.outer[end.side])],
    ikePort: 500,
    natTraversalPort,
    nativeEsp: !end.encapsulated,
    tunName: end.tunName,
    mark: 0,
    pathMtuBytes: 1500,
  },
  {
    datagram: () => undefined,
    hipPacket: () => undefined,
    addressesChanged: () => undefined,
    icmpError: () => undefined,
    event: () => undefined,
    saResult: (_id, result) => {
      if (results.length === 3) return;
      results.push(result.ok ? 'ok' : result.detail);
      if (results.length === 3) ready();
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
  },
);
await thread.listen();
thread.receive();

const outbound = parameters(end, 'outbound');
const commands: readonly SaCommand[] = [
  { kind: 'install', sa: outbound },
  { kind: 'install', sa: parameters(end, 'inbound') },
  {
    kind: 'install-policy',
    policy: {
      policyId: 1,
      action: 'protect',
      selectors: outbound.selectors,
      priority: 1,
      mode: 'tunnel',
      childId: 1,
    },
  },
];
for (const [id, command] of commands.entries()) thread.apply(id, command);

function ready(): void {
  if (results.some((result) => result !== 'ok')) throw new Error(results.join(', '));
  const ip = (...words: string[]): void => void execFileSync('ip', words);
  ip('link', 'set', end.tunName, 'mtu', String(end.tunMtuBytes), 'up');
  for (const prefix of end.inner[end.side]) {
    ip('address', 'add', prefix, 'dev', end.tunName, ...(prefix.includes(':') ? ['nodad'] : []));
  }
  for (const prefix of end.inner[peer]) ip('route', 'add', prefix, 'dev', end.tunName);
  console.log('ready');
}

const noCommand = { kind: 'install' } as unknown as SaCommand;
process.stdin.on('data', () => thread.apply(99, noCommand));
process.stdin.on('end', () => {
  // The last counters are told once a second.
  setTimeout(() => {
    void thread.close().then(() => console.log(JSON.stringify(verdicts)));
  }, 1_100);
});
