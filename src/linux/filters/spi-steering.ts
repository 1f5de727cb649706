// Which of several sockets a packet comes to: the one of the thread that has its inbound SA.
import type { SaProtocol } from '#sa';
import {
  encodeFilter,
  finish,
  finishWithAccumulator,
  type Instruction,
  jumpIfAtLeast,
  jumpIfEqual,
  loadIndexHeaderLength,
  loadLength,
  loadWord,
  loadWordIndexed,
  remainder,
} from './classic-bpf.ts';

const ipv4HeaderBytesMin = 20;
const udpHeaderBytes = 8;
/** Where the SPI is, and how much there must be at least (RFC 4303 2, RFC 4302 2). */
const headers = { esp: { spiAt: 0, bytesMin: 8 }, ah: { spiAt: 4, bytesMin: 12 } } as const;

export const pass: Instruction = { code: finish, k: 0xffff_ffff };
export const drop: Instruction = { code: finish, k: 0 };

/** What packets a socket is given. */
export interface SpiCarrier {
  readonly protocol: SaProtocol;
  readonly family: 4 | 6;
  readonly transport: 'udp' | 'raw';
}

/** What a raw socket is given of its protocol's packets: those of SPIs that leave `place`, divided by `of`. */
export interface SpiShare {
  readonly protocol: SaProtocol;
  readonly place: number;
  readonly of: number;
}

/**
 * The place of a socket among so many, in the order in which they were bound, as SO_ATTACH_REUSEPORT_CBPF takes it: what is
 * loaded begins behind the UDP header. IKE is behind a word of zero (RFC 3948 2.2), and a keepalive too short for a word
 * (RFC 3948 2.3), so that loading it ends the program with 0. Of datagrams of one sender that the kernel carries as one, the
 * first alone is looked at, and the others come to the same place whatever their SPI.
 */
export function steeringBySpi(sockets: number): Uint8Array {
  return encodeFilter([
    { code: loadWord, k: 0 },
    { code: remainder, k: sockets },
    { code: finishWithAccumulator, k: 0 },
  ]);
}

/** For a raw socket: the kernel gives a packet to every one of its protocol. */
export function filterBySpi(family: SpiCarrier['family'], share: SpiShare): Uint8Array {
  return encodeFilter([...refuseOthers(family, share), pass]);
}

/** Ends the program of a raw socket for what is not its share. What is too short to have an SPI is the first one's. */
export function refuseOthers(
  family: SpiCarrier['family'],
  { protocol, place, of }: SpiShare,
): readonly Instruction[] {
  return [
    ...loadSpi({ protocol, family, transport: 'raw' }, place === 0 ? pass : drop),
    { code: remainder, k: of },
    { code: jumpIfEqual, ifTrue: 1, ifFalse: 0, k: place },
    drop,
  ];
}

/**
 * A UDP socket's packets begin with the UDP header, a raw IPv4 socket's with the IP header, a raw IPv6 socket's behind all headers.
 * To load from beyond the end drops a packet, so that its length comes first.
 * @param ifShort what becomes of what is too short to be ESP or AH
 */
export function loadSpi({ family, transport, protocol }: SpiCarrier, ifShort: Instruction): Instruction[] {
  const { spiAt, bytesMin } = headers[protocol];
  const atLeast = (bytes: number): Instruction[] => [
    { code: loadLength, k: 0 },
    { code: jumpIfAtLeast, ifTrue: 1, ifFalse: 0, k: bytes },
    ifShort,
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
