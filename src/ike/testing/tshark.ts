// The messages of two test hosts before tshark: recorded, written to a capture, decrypted with their logged keys.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressBytes } from '#sa';
import { CaptureWriter, encodeIp, encodeUdp, IpProtocol } from '#wire';
import type { KeyLogEntry } from '../interface.ts';
import type { Datagram, Pair } from './pair.ts';

/** A name of its own, because the check for dependencies takes programs that are called by name for packages. */
const program: string = 'tshark';

/** Why tests with tshark are skipped, or `false`. */
export const tsharkMissing: string | false =
  spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0 ? false : 'tshark not installed';

/** Delivers everything until the wire is empty, and gives what was delivered, in order. */
export function settleRecorded(pair: Pair): Datagram[] {
  const delivered: Datagram[] = [];
  for (pair.collect(); pair.wire.length > 0; pair.collect()) {
    const datagram = pair.wire.shift()!;
    delivered.push(datagram);
    pair.deliver(datagram.to, datagram);
  }
  return delivered;
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex');
}

/** The suite of the tests' connections, as tshark calls it. */
function decryptionEntry(entry: Extract<KeyLogEntry, { readonly kind: 'ike' }>): string {
  const { initiatorSpi, responderSpi, skEi, skEr } = entry;
  const keys = [initiatorSpi, responderSpi, hex(skEi), hex(skEr)].join();
  return `uat:ikev2_decryption_table:${keys},"AES-GCM-128 with 16 octet ICV [RFC5282]",,,"NONE [RFC4306]"`;
}

/** Per datagram: the values of each field, in order; several values of one field are separated by `,`. */
export function dissect(
  datagrams: readonly Datagram[],
  keys: readonly KeyLogEntry[],
  fields: readonly string[],
): Record<string, string>[] {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-ike-'));
  try {
    const file = join(folder, 'ike.pcapng');
    writeFileSync(file, capture(datagrams));
    const tables = keys.flatMap((entry) => (entry.kind === 'ike' ? ['-o', decryptionEntry(entry)] : []));
    const wanted = fields.flatMap((field) => ['-e', field]);
    const output = execFileSync(program, ['-r', file, '-n', ...tables, '-T', 'fields', ...wanted], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return output
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => {
        const values = line.split('\t');
        return Object.fromEntries(fields.map((field, i) => [field, values[i] ?? '']));
      });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function capture(datagrams: readonly Datagram[]): Uint8Array {
  const writer = new CaptureWriter({ application: 'wayward', interfaces: [{}] });
  const blocks = datagrams.map(({ source, destination, octets }, i) => {
    const addresses = {
      source: addressBytes(source.address),
      destination: addressBytes(destination.address),
    };
    const payload = encodeUdp(
      { sourcePort: source.port, destinationPort: destination.port, checksummed: true, payload: octets },
      addresses,
    );
    const packet = encodeIp({
      version: 4,
      dscp: 0,
      ecn: 0,
      identification: i,
      dontFragment: false,
      moreFragments: false,
      fragmentOffset: 0,
      timeToLive: 64,
      ...addresses,
      options: new Uint8Array(),
      protocol: IpProtocol.UDP,
      payload,
    });
    return writer.packet({ timestampNs: BigInt(i) * 1_000_000n, octets: packet });
  });
  return Buffer.concat([writer.start(), ...blocks]);
}
