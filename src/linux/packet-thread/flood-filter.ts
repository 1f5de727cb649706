// A filter for the sockets that ESP and AH come by: of unknown SPIs it lets a random sample through, and everything else as it is.
import { type Endpoint, isIpv6, type SaProtocol } from '#sa';
import {
  accumulatorToIndex,
  encodeFilter,
  exclusiveOrIndex,
  finish,
  type Instruction,
  instructionsMax,
  jump,
  jumpIfAnyBit,
  jumpIfAtLeast,
  jumpIfEqual,
  loadIndexHeaderLength,
  loadLength,
  loadWord,
  loadWordIndexed,
  networkHeader,
  randomWord,
} from '../classic-bpf.ts';
import type { DatagramSocket } from '../datagram-socket.ts';
import { foldedAddress } from '../socket-address.ts';

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
  readonly remote: Pick<Endpoint, 'address'>;
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
  const { expected, oneOf, transport, family } = options;
  const spis = expected.map(({ spi }) => spi >>> 0);
  // An address is known by its words combined: who takes the trouble to have one like a peer's is let through, as is who forges
  // the peer's own.
  const folds = expected.flatMap(({ remote: { address } }) =>
    isIpv6(address) === (family === 6) ? [foldedAddress(address)] : [],
  );
  const program: Instruction[] = [
    ...loadSpi(options),
    ...passIfAny(transport === 'udp' ? [0, ...spis] : spis),
    ...loadFoldedSource(family),
    ...passIfAny(folds),
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

/** From one jump over all the others to `pass`. */
const wordsPerPass = 250;

/** Whether the accumulator is one of the words. The kernel has little room: an instruction for each, and a few more. */
function passIfAny(words: readonly number[]): Instruction[] {
  const distinct = [...new Set(words)];
  const program: Instruction[] = [];
  for (let from = 0; from < distinct.length; from += wordsPerPass) {
    const some = distinct.slice(from, from + wordsPerPass);
    for (const [i, k] of some.entries())
      program.push({ code: jumpIfEqual, ifTrue: some.length - i, ifFalse: 0, k });
    program.push({ code: jump, k: 1 }, pass);
  }
  return program;
}

function loadFoldedSource(family: FloodFilterOptions['family']): Instruction[] {
  const words = family === 4 ? [0] : [0, 4, 8, 12];
  return words.flatMap((offset, i) => [
    ...(i === 0 ? [] : [{ code: accumulatorToIndex, k: 0 }]),
    { code: loadWord, k: networkHeader(sourceAt[family] + offset) },
    ...(i === 0 ? [] : [{ code: exclusiveOrIndex, k: 0 }]),
  ]);
}
