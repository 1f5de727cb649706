// One engine without sockets, disks or data planes, for benchmarks: it gets the answers it would get, at once.
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
import type { IpAddress } from '#sa';

export type Untimed<Input> = Input extends { readonly at: number } ? Omit<Input, 'at'> : never;

/** A connection of one child, and what it is called. */
export function connectionText(
  name: string,
  local: IpAddress,
  remote: IpAddress,
  ids: readonly [string, string],
) {
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

export interface Kept {
  /** What it asks to be stored is taken note of, sealed with this. */
  readonly recordKey: Uint8Array;
  readonly records: Map<string, Uint8Array>;
}

export class Host {
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

  /** Absent: what it sends goes nowhere. */
  meet(peer: Host | undefined): void {
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
          const local = output.local ?? this.address;
          const result = { ok: true, local, remote: output.host as IpAddress } as const;
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
