// Two engines in one process, without sockets, disks or data planes: what IKE itself costs, and what an idle IKE SA weighs
// with ten thousand of them.
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

/** An engine that gets the answers it would get, at once. */
class Host {
  readonly address: IpAddress;
  readonly #engine: Engine;
  #peer: Host | undefined;
  #established = 0;

  constructor(own: IpAddress, connections: string) {
    this.address = own;
    const text = `connections {\n${connections}}\nsecrets { ike-all {\n  secret = "for benchmarks"\n} }\n`;
    const { configuration } = loadConfiguration({
      file: 'bench.conf',
      text,
      ports,
    });
    this.#engine = new Engine({ randomness: nodeRandomness(), configuration, stored: new Map() });
    this.give({ kind: 'wall-clock', wallClockMs: 1_800_000_000_000 });
  }

  connect(peer: Host): void {
    this.#peer = peer;
  }

  get established(): number {
    return this.#established;
  }

  give(input: Untimed<EngineInput>): void {
    const inputs = [input];
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
      this.#engine.handle({ ...next, at: performance.now() } as EngineInput);
      for (let output = this.#engine.poll(); output !== undefined; output = this.#engine.poll()) {
        if (output.kind === 'transmit') {
          const { local, remote, octets } = output;
          this.#peer?.give({ kind: 'datagram', local: remote, remote: local, octets });
        } else if (output.kind === 'sa-command') {
          inputs.push({ kind: 'sa-result', id: output.id, result: { ok: true } });
        } else if (output.kind === 'store') {
          inputs.push({ kind: 'stored', id: output.id });
        } else if (output.kind === 'resolve') {
          const result = { ok: true, local: this.address, remote: output.host as IpAddress } as const;
          inputs.push({ kind: 'resolved', id: output.id, result });
        } else if (output.kind === 'event' && output.event.kind === 'ike') {
          if (output.event.event.kind === 'ike-established') this.#established++;
        }
      }
    }
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

async function measureAll(): Promise<Report> {
  const [left, right] = [address('192.0.2.1'), address('192.0.2.2')];
  const names = Array.from({ length: ikeSas }, (_, i) => `c${i}`);
  const initiator = new Host(
    left,
    names.map((name) => connection(name, left, right, [`${name}.example`, 'right.example'])).join(''),
  );
  const responder = new Host(right, connection('any', right, left, ['right.example', '%any']));
  initiator.connect(responder);
  responder.connect(initiator);
  const milliseconds: number[] = [];
  let before = 0;
  let counted = 0;
  for (let from = 0; from < ikeSas; from += slice) {
    const cpu = process.cpuUsage();
    for (const [i, name] of names.slice(from, from + slice).entries()) {
      initiator.give({ kind: 'command', id: from + i + 1, command: { kind: 'initiate', child: name } });
    }
    const { user, system } = process.cpuUsage(cpu);
    milliseconds.push((user + system) / 1000 / slice);
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
