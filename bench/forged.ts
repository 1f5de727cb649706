// What a message costs that anybody can forge, from an address and about an SPI of nobody, by how much stands here: what is
// not under keys must not find a host slower for having many peers.
import { nodeRandomness } from '#crypto';
import type { EngineInput } from '#engine';
import { address, type IpAddress } from '#sa';
import { invalidIkeSpi, unprotectedInvalidSpi } from '#unknown-spi';
import {
  ExchangeType,
  encodeIkeMessage,
  type IkeHeader,
  ikeSpiFromBytes,
  PayloadType,
  zeroIkeSpi,
} from '#wire';
import { connectionText, Host, type Untimed } from './engine-host.ts';
import { interleaved, spread } from './measure.ts';
import { inOwnProcess, isOwnProcess } from './own-process.ts';
import type { Report } from './report.ts';

/** Connections of a host, each with an address of its own and an IKE SA that stands. */
const sizes = [1, 100, 10_000] as const;
const messagesPerSample = 1_000;

const randomness = nodeRandomness();
const own = address('192.0.2.2');

function randomWord(): number {
  return new DataView(randomness.bytes(4).buffer).getUint32(0);
}

/** Of the block for benchmarks (RFC 2544), where no peer is. */
function stranger(): IpAddress {
  const word = randomWord();
  return address(`198.${18 + (word & 1)}.${(word >>> 8) & 0xff}.${(word >>> 16) & 0xff}`);
}

function peerAddress(index: number): IpAddress {
  return address(`10.0.${index >>> 8}.${index & 0xff}`);
}

function anyHeader(): IkeHeader {
  return {
    initiatorSpi: ikeSpiFromBytes(randomness.bytes(8)),
    responderSpi: ikeSpiFromBytes(randomness.bytes(8)),
    ...{ majorVersion: 2, minorVersion: 0, exchangeType: ExchangeType.INFORMATIONAL },
    ...{ initiator: true, response: false, higherVersion: false, messageId: 1 },
  };
}

function ikeMessage(header: Partial<IkeHeader>, nextPayload: number = PayloadType.none): Uint8Array {
  const octets = encodeIkeMessage({ header: { ...anyHeader(), ...header }, payloads: [] });
  octets[16] = nextPayload;
  return octets;
}

function fromStranger(octets: Uint8Array): Untimed<EngineInput> {
  const remote = { address: stranger(), port: 500 };
  return { kind: 'datagram', local: { address: own, port: 500 }, remote, octets };
}

const forgeries: Readonly<Record<string, () => Untimed<EngineInput>>> = {
  INVALID_SPI: () => {
    const spis = { initiatorSpi: zeroIkeSpi, responderSpi: zeroIkeSpi };
    return fromStranger(unprotectedInvalidSpi(randomWord(), spis, []));
  },
  'ICMP error about ESP': () => ({
    kind: 'icmp-error',
    from: stranger(),
    quote: { source: own, destination: stranger(), spi: randomWord(), sequence: 1 },
  }),
  'ESP with an unknown SPI': () => ({
    kind: 'data-plane',
    event: {
      kind: 'unknown-spi',
      evidence: {
        protocol: 'esp',
        spi: randomWord(),
        sequence: 1,
        source: { address: stranger(), port: 0 },
        destination: { address: own, port: 0 },
        encapsulated: false,
        lengthBytes: 120,
        count: 1,
        mergedBytes: 120,
      },
    },
  }),
  'a request of no IKE SA': () => fromStranger(ikeMessage({}, PayloadType.SK)),
  'INVALID_IKE_SPI of no IKE SA': () => fromStranger(invalidIkeSpi(anyHeader(), [])),
  'IKE_SA_INIT of no connection': () =>
    fromStranger(
      ikeMessage({ exchangeType: ExchangeType.IKE_SA_INIT, responderSpi: zeroIkeSpi, messageId: 0 }),
    ),
};

/** A host with so many peers, all of them there. */
function hostWith(count: number): Host {
  const names = Array.from({ length: count }, (_, i) => `c${i}`);
  const ids = (name: string): [string, string] => [`${name}.example`, 'right.example'];
  const theirs = names.map((name, i) => connectionText(name, peerAddress(i), own, ids(name)));
  const ours = names.map((name, i) => {
    const [remote, local] = ids(name);
    return connectionText(name, own, peerAddress(i), [local, remote]);
  });
  const peers = new Host(peerAddress(0), theirs.join(''));
  const host = new Host(own, ours.join(''));
  peers.start(host);
  host.start(peers);
  for (const [i, name] of names.entries()) {
    peers.give({ kind: 'command', id: i + 1, command: { kind: 'initiate', child: name } });
  }
  if (host.established !== count) throw new Error(`${host.established} of ${count} IKE SAs stand`);
  host.meet(undefined);
  return host;
}

/** CPU microseconds for each. */
function costOf(host: Host, inputs: readonly Untimed<EngineInput>[]): number {
  const before = process.cpuUsage();
  for (const input of inputs) host.give(input);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / inputs.length;
}

async function measureAll(rounds: number): Promise<Report> {
  const hosts = sizes.map(hostWith);
  const contenders: Record<string, () => number> = {};
  for (const [what, forge] of Object.entries(forgeries)) {
    for (const [i, host] of hosts.entries()) {
      contenders[`${what} ${i}`] = () => costOf(host, Array.from({ length: messagesPerSample }, forge));
    }
  }
  // Until everything is compiled.
  await interleaved(5, contenders);
  const measured = await interleaved(rounds, contenders);
  const median = (what: string, i: number): number => spread(measured[`${what} ${i}`]!).median;
  const kinds = Object.keys(forgeries);
  const last = sizes.length - 1;
  return {
    tables: [
      ...sizes.map((size, i) => ({
        title: `with ${size.toLocaleString('en')} IKE SAs and as many connections, microseconds of CPU time`,
        rows: Object.fromEntries(kinds.map((what) => [what, spread(measured[`${what} ${i}`]!)])),
      })),
      {
        title: 'ten thousand to one',
        rows: Object.fromEntries(kinds.map((what) => [what, median(what, last) / median(what, 0)])),
      },
    ],
  };
}

export function forgedBenchmark(rounds: number): Promise<Report> {
  return inOwnProcess(import.meta.url, ['--max-old-space-size=8000'], String(rounds));
}

// The same file is what the other process runs.
if (isOwnProcess(import.meta.url)) {
  console.log(JSON.stringify(await measureAll(Number(process.argv[2]))));
}
