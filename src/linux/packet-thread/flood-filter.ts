// A filter for the sockets that ESP and AH come by: of unknown SPIs it lets a random sample through, and everything else as it is.
import { addressBytes, type Endpoint, type SaProtocol } from '#sa';
import {
  encodeFilter,
  finish,
  type Instruction,
  instructionsMax,
  jumpIfAnyBit,
  jumpIfAtLeast,
  jumpIfEqual,
  loadHalf,
  loadIndexHeaderLength,
  loadLength,
  loadWord,
  loadWordIndexed,
  networkHeader,
  randomWord,
} from '../classic-bpf.ts';
import type { DatagramSocket } from '../datagram-socket.ts';

const ipv4HeaderBytesMin = 20;
const udpHeaderBytes = 8;
/** Where the SPI is, and how much there must be at least (RFC 4303 2, RFC 4302 2). */
const headers = { esp: { spiAt: 0, bytesMin: 8 }, ah: { spiAt: 4, bytesMin: 12 } } as const;
const sourceAt = { 4: 12, 6: 8 } as const;

const pass: Instruction = { code: finish, k: 0xffff_ffff };
const drop: Instruction = { code: finish, k: 0 };

/** An inbound SA, and where its packets come from. */
export interface ExpectedSa {
  readonly spi: number;
  /** The port counts in UDP only. */
  readonly remote: Endpoint;
}

export interface FloodFilterOptions {
  readonly protocol: SaProtocol;
  readonly family: DatagramSocket['family'];
  readonly transport: 'udp' | 'raw';
  readonly expected: readonly ExpectedSa[];
  /** Of so many packets with unknown SPIs one passes: a power of two. */
  readonly oneOf: number;
}

/**
 * What passes: SPIs of inbound SAs, whoever sends them, for a peer may have moved; all that comes from where a peer is, since the
 * kernel may have joined datagrams of one sender, of which the first alone is looked at; IKE, behind its marker (RFC 3948
 * 2.2); what is too short to be ESP or AH; and one of `oneOf` of the rest.
 * @returns undefined if there are more SAs than a program can have instructions for
 */
export function floodFilter(options: FloodFilterOptions): Uint8Array | undefined {
  const { expected, oneOf, transport } = options;
  const program: Instruction[] = [
    ...loadSpi(options),
    ...(transport === 'udp' ? passIfEqual(0) : []),
    ...[...new Set(expected.map(({ spi }) => spi >>> 0))].flatMap(passIfEqual),
    ...distinct(expected, options).flatMap((remote) => passFrom(remote, options)),
    { code: loadWord, k: randomWord },
    { code: jumpIfAnyBit, ifTrue: 1, ifFalse: 0, k: oneOf - 1 },
    pass,
    drop,
  ];
  return program.length > instructionsMax ? undefined : encodeFilter(program);
}

/**
 * A UDP socket's packets begin with the UDP header, a raw IPv4 socket's with the IP header, a raw IPv6 socket's behind all headers.
 * To load from beyond the end drops a packet, so that its length comes first.
 */
function loadSpi({ family, transport, protocol }: FloodFilterOptions): Instruction[] {
  const { spiAt, bytesMin } = headers[protocol];
  const atLeast = (bytes: number): Instruction[] => [
    { code: loadLength, k: 0 },
    { code: jumpIfAtLeast, ifTrue: 1, ifFalse: 0, k: bytes },
    pass,
  ];
  if (transport === 'udp') {
    return [...atLeast(udpHeaderBytes + bytesMin), { code: loadWord, k: udpHeaderBytes + spiAt }];
  }
  if (family === 6) return [...atLeast(bytesMin), { code: loadWord, k: spiAt }];
  return [
    ...atLeast(ipv4HeaderBytesMin + bytesMin),
    { code: loadIndexHeaderLength, k: 0 },
    { code: loadWordIndexed, k: spiAt },
  ];
}

const passIfEqual = (word: number): Instruction[] => [
  { code: jumpIfEqual, ifTrue: 0, ifFalse: 1, k: word },
  pass,
];

function distinct(expected: readonly ExpectedSa[], { family, transport }: FloodFilterOptions): Endpoint[] {
  const byText = new Map(
    expected.map(({ remote: { address, port } }) => {
      const remote = { address, port: transport === 'udp' ? port : 0 };
      return [`${address} ${remote.port}`, remote];
    }),
  );
  return [...byText.values()].filter(
    ({ address }) => addressBytes(address).length === (family === 4 ? 4 : 16),
  );
}

/** The words from last to first: the last ones differ most. */
function passFrom({ address, port }: Endpoint, { family, transport }: FloodFilterOptions): Instruction[] {
  const octets = addressBytes(address);
  const view = new DataView(octets.buffer, octets.byteOffset);
  const comparisons = Array.from({ length: octets.length / 4 }, (_, i) => ({
    code: loadWord,
    k: networkHeader(sourceAt[family] + 4 * i),
    word: view.getUint32(4 * i),
  })).reverse();
  if (transport === 'udp') comparisons.push({ code: loadHalf, k: 0, word: port });
  return [
    ...comparisons.flatMap(({ code, k, word }, i) => [
      { code, k },
      // To behind `pass`.
      { code: jumpIfEqual, ifTrue: 0, ifFalse: 2 * (comparisons.length - 1 - i) + 1, k: word },
    ]),
    pass,
  ];
}
