// One end of a tunnel without keying: a packet thread with fixed keys, for tests and benchmarks within a namespace.
// Its one argument is a `TunnelEnd` in JSON. Says `ready`, tells its verdicts so far when it reads `verdicts`, lets the packet
// thread die whose number it reads, takes TCP streams to an address (`serve ADDRESS`) and sends them (`send NUMBER ADDRESS BYTES`),
// ends with its standard input, and then tells its verdicts.
import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { address, type SaCommand } from '#sa';
import type { PacketThreadOptions } from '../packet-thread/control/messages.ts';
import type { PacketThreadListener } from '../packet-thread/packet-thread.ts';
import { openPacketThreads } from '../packet-threads/open.ts';
import { sendStream, takeStreams } from './tcp-traffic.ts';
import { commandsOf, natTraversalPort, pairsOf, type TunnelEnd } from './tunnel-sas.ts';

const end = JSON.parse(process.argv[2] ?? '') as TunnelEnd;
const peer = end.side === 'left' ? 'right' : 'left';
let verdicts: Readonly<Record<string, number>> = {};
const results: string[] = [];
const pairs = pairsOf(end);
const commands = commandsOf(end);
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
const thread = await openPacketThreads(options, listener, end.threads ?? 1);
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

/** Counters are told five times a second, and a loop that has nothing to do goes round twice. */
const verdictsDelayMs = 800;
const served = new Set<string>();

function tellVerdicts(): void {
  console.log(JSON.stringify(verdicts));
}

function letDie(number: number): void {
  thread.apply(99, {
    kind: 'install',
    sa: { direction: 'inbound', protocol: 'esp', spi: 0x9000 + number },
  } as unknown as SaCommand);
}

async function carryOut(line: string): Promise<void> {
  const [what, ...words] = line.split(' ');
  if (what === 'verdicts') setTimeout(tellVerdicts, verdictsDelayMs);
  else if (what === 'serve') {
    const [address = ''] = words;
    if (!served.has(address)) await takeStreams(address);
    served.add(address);
    console.log(`serves ${address}`);
  } else if (what === 'send') {
    const [number, address = '', bytes] = words;
    const same = await sendStream(address, Number(bytes)).catch((error: Error) => error.message);
    console.log(`sent ${number} ${same === true ? 'same' : same === false ? 'different' : same}`);
  } else letDie(Number(line));
}

for await (const line of createInterface({ input: process.stdin })) void carryOut(line);
// The last counters come before the end.
await thread.close();
tellVerdicts();
