// A filter for packet sockets (classic BPF): ESP and AH, native and in UDP, whose SPI is not among those that are known.
import {
  encodeFilter,
  finish,
  type Instruction,
  jump,
  jumpIfAnyBit,
  jumpIfEqual,
  loadHalf,
  loadHalfIndexed,
  loadIndex,
  loadIndexHeaderLength,
  loadOctet,
  loadWordIndexed,
} from '../../filters/classic-bpf.ts';

const esp = 50;
const ah = 51;
const udp = 17;
/** As much of a packet as is looked at. */
const snapBytes = 256;
/** More known SPIs than this are sorted out later: the kernel takes 4096 instructions. */
export const filteredSpisMax = 1_000;

const drop: Instruction = { code: finish, k: 0 };

/**
 * @param version of the IP headers that the socket sees
 * @param natTraversalPort where ESP in UDP comes to
 * @param known SPIs that are somebody's; of more than `filteredSpisMax` none is filtered
 */
export function unknownSpiFilter(
  version: 4 | 6,
  natTraversalPort: number,
  known: readonly number[],
): Uint8Array {
  const spis = known.length > filteredSpisMax ? [] : known;
  return encodeFilter([
    ...(version === 4 ? ipv4Start : ipv6Start),
    // The protocol is in the accumulator, the index register is behind the IP header.
    { code: jumpIfEqual, ifTrue: 0, ifFalse: 2, k: esp },
    { code: loadWordIndexed, k: 0 },
    { code: jump, k: 11 },
    { code: jumpIfEqual, ifTrue: 0, ifFalse: 2, k: ah },
    { code: loadWordIndexed, k: 4 },
    { code: jump, k: 8 },
    { code: jumpIfEqual, ifTrue: 1, ifFalse: 0, k: udp },
    drop,
    { code: loadHalfIndexed, k: 2 },
    { code: jumpIfEqual, ifTrue: 1, ifFalse: 0, k: natTraversalPort },
    drop,
    // RFC 3948 2.2: four octets of zero are before IKE. A keepalive is too short for a word, and loading it drops it.
    { code: loadWordIndexed, k: 8 },
    { code: jumpIfEqual, ifTrue: 0, ifFalse: 1, k: 0 },
    drop,
    ...spis.flatMap((spi): Instruction[] => [{ code: jumpIfEqual, ifTrue: 0, ifFalse: 1, k: spi }, drop]),
    { code: finish, k: snapBytes },
  ]);
}

const ipv4Start: readonly Instruction[] = [
  // Later fragments have no ESP header where one would be looked for.
  { code: loadHalf, k: 6 },
  { code: jumpIfAnyBit, ifTrue: 0, ifFalse: 1, k: 0x1fff },
  drop,
  { code: loadIndexHeaderLength, k: 0 },
  { code: loadOctet, k: 9 },
];

/** Extension headers before ESP are not followed: such packets are too rare to wait for. */
const ipv6Start: readonly Instruction[] = [
  { code: loadIndex, k: 40 },
  { code: loadOctet, k: 6 },
];
