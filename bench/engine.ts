// Two engines in one process, without sockets, disks or data planes: what IKE itself costs, what coming back by a ticket
// costs, and what an idle IKE SA weighs with ten thousand of them.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ConfigurationPorts, loadConfiguration } from '#config';
import {
  certificatesFromPem,
  hostIdentityOf,
  nodeRandomness,
  privateKeyFromPem,
  revocationListsFromPem,
} from '#crypto';
import { Engine, type EngineInput } from '#engine';
import { identityFromText, identityPatternFromText } from '#ike';
import { address, type IpAddress } from '#sa';
import { spread } from './measure.ts';
import type { Report } from './report.ts';

const ikeSas = 10_000;
/** Handshakes of which each sample is the average. */
const slice = 500;

type Untimed<Input> = Input extends { readonly at: number } ? Omit<Input, 'at'> : never;

function connection(name: string, local: IpAddress, remote: IpAddress, ids: readonly [string, string]) {
  return `${name} {
  version = 2
  local_addrs = ${local}
  remote_addrs = ${remote}
  proposals = aes128gcm16-prfsha256-x25519
  unique = never
  resumption_rekey = no
  local {
    auth = psk
    id = ${ids[0]}
  }
  remote {
    auth = psk
    id = ${ids[1]}
  }
  children { ${name} {
    local_ts = 10.1.0.0/16
    remote_ts = 10.1.0.0/16
    esp_proposals = aes128gcm16
  } }
}
`;
}

/** No files: everything stands in the text. */
const ports: ConfigurationPorts = {
  readFiles: () => [],
  certificatesFromPem,
  revocationListsFromPem,
  privateKeyFromPem,
  identityFromText,
  identityPatternFromText,
  hostIdentityOf,
};

interface Kept {
  /** What it asks to be stored is taken note of, sealed with this. */
  readonly recordKey: Uint8Array;
  readonly records: Map<string, Uint8Array>;
}

/** An engine that gets the answers it would get, at once. */
class Host {
  readonly address: IpAddress;
  readonly #engine: Engine;
  readonly #kept: Kept | undefined;
  readonly #inputs: Untimed<EngineInput>[] = [];
  #busy = false;
  #peer: Host | undefined;
  #established = 0;
  /** Of these. */
  resumed = 0;

  constructor(own: IpAddress, connections: string, kept?: Kept) {
    this.address = own;
    this.#kept = kept;
    const text = `connections {\n${connections}}\nsecrets { ike-all {\n  secret = "for benchmarks"\n} }\n`;
    const { configuration } = loadConfiguration({
      file: 'bench.conf',
      text,
      ports,
    });
    const from = kept === undefined ? {} : { stored: new Map(kept.records), recordKey: kept.recordKey };
    this.#engine = new Engine({ randomness: nodeRandomness(), configuration, ...from });
  }

  meet(peer: Host): void {
    this.#peer = peer;
  }

  /** Connections that an earlier one had begin at once. */
  start(peer: Host): void {
    this.meet(peer);
    this.give({ kind: 'wall-clock', wallClockMs: 1_800_000_000_000 });
  }

  get established(): number {
    return this.#established;
  }

  give(input: Untimed<EngineInput>): void {
    const inputs = this.#inputs;
    inputs.push(input);
    // The peer answers before we are done.
    if (this.#busy) return;
    this.#busy = true;
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
      this.#engine.handle({ ...next, at: performance.now() } as EngineInput);
      for (let output = this.#engine.poll(); output !== undefined; output = this.#engine.poll()) {
        if (output.kind === 'transmit') {
          const { local, remote, octets } = output;
          this.#peer?.give({ kind: 'datagram', local: remote, remote: local, octets });
        } else if (output.kind === 'sa-command') {
          inputs.push({ kind: 'sa-result', id: output.id, result: { ok: true } });
        } else if (output.kind === 'store') {
          if (output.octets.length === 0) this.#kept?.records.delete(output.key);
          else this.#kept?.records.set(output.key, output.octets);
          inputs.push({ kind: 'stored', id: output.id });
        } else if (output.kind === 'resolve') {
          const result = { ok: true, local: this.address, remote: output.host as IpAddress } as const;
          inputs.push({ kind: 'resolved', id: output.id, result });
        } else if (output.kind === 'event' && output.event.kind === 'ike') {
          const { event } = output.event;
          if (event.kind !== 'ike-established') continue;
          this.#established++;
          if (event.resumed) this.resumed++;
        }
      }
    }
    this.#busy = false;
  }
}

async function usedBytes(): Promise<number> {
  // Some of what is left behind goes only when the event loop turns.
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc!();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const [left, right] = [address('192.0.2.1'), address('192.0.2.2')];

function named(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `c${i}`);
}

function initiatorOf(names: readonly string[], kept?: Kept): Host {
  const all = names.map((name) => connection(name, left, right, [`${name}.example`, 'right.example']));
  return new Host(left, all.join(''), kept);
}

function responderOf(kept?: Kept): Host {
  return new Host(right, connection('any', right, left, ['right.example', '%any']), kept);
}

function start(one: Host, other: Host): void {
  one.start(other);
  other.start(one);
}

/** CPU milliseconds for each of so many. */
function cpuMsPer(count: number, work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / count;
}

function initiateAll(initiator: Host, names: readonly string[], firstId: number): void {
  for (const [i, name] of names.entries()) {
    initiator.give({ kind: 'command', id: firstId + i, command: { kind: 'initiate', child: name } });
  }
}

/** The initiator starts again with nothing but what it has stored, and its connections come back by their tickets. */
function measureResumption(): number {
  const kept = (): Kept => ({ recordKey: nodeRandomness().bytes(32), records: new Map() });
  const [own, others] = [kept(), kept()];
  const names = named(slice);
  const responder = responderOf(others);
  const before = initiatorOf(names, own);
  start(before, responder);
  initiateAll(before, names, 1);
  const after = initiatorOf(names, own);
  responder.meet(after);
  const milliseconds = cpuMsPer(slice, () => after.start(responder));
  if (after.resumed !== slice) throw new Error(`${after.resumed} of ${slice} came back by a ticket`);
  return milliseconds;
}

async function measureAll(): Promise<Report> {
  const names = named(ikeSas);
  const initiator = initiatorOf(names);
  const responder = responderOf();
  start(initiator, responder);
  const milliseconds: number[] = [];
  let before = 0;
  let counted = 0;
  for (let from = 0; from < ikeSas; from += slice) {
    const next = names.slice(from, from + slice);
    milliseconds.push(cpuMsPer(slice, () => initiateAll(initiator, next, from + 1)));
    // What is compiled and filled by the first ones is not theirs. V8 lets go of some of it only after several collections.
    if (from % (4 * slice) === 0) await usedBytes();
    if (from === 2 * slice) {
      before = await usedBytes();
      counted = initiator.established + responder.established;
    }
  }
  const all = initiator.established + responder.established;
  if (all !== 2 * ikeSas) throw new Error(`${all} of ${2 * ikeSas} IKE SAs were established`);
  const bytes = ((await usedBytes()) - before) / (all - counted);
  return {
    tables: [
      {
        title: 'PSK, X25519 without sockets, disks and data planes: CPU milliseconds of both ends together',
        rows: {
          [`the first ${slice * 4}`]: spread(milliseconds.slice(0, 4)),
          [`the last ${slice * 4} of ${ikeSas}`]: spread(milliseconds.slice(-4)),
          [`${slice} that come back by a ticket (RFC 5723), without a key exchange`]: spread(
            Array.from({ length: 4 }, measureResumption),
          ),
        },
      },
      {
        title: `bytes per idle IKE SA with its Child SA, of ${2 * ikeSas} in one process`,
        rows: { 'objects and keys': bytes },
      },
    ],
  };
}

export async function engineBenchmark(): Promise<Report> {
  const flags = ['--expose-gc', '--max-old-space-size=8000'];
  const child = spawn(process.execPath, [...flags, fileURLToPath(import.meta.url)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`the process with the engines ended with ${status}`);
  return JSON.parse(output) as Report;
}

// The same file is what the other process runs.
if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await measureAll()));
