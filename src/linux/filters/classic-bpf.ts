// Programs for the kernel's socket filters: classic BPF (<linux/filter.h>, <linux/bpf_common.h>).

/** One instruction: struct sock_filter. */
export interface Instruction {
  readonly code: number;
  readonly ifTrue?: number;
  readonly ifFalse?: number;
  readonly k: number;
}

export const loadWord = 0x20;
export const loadHalf = 0x28;
export const loadOctet = 0x30;
/** At the index register plus k. */
export const loadWordIndexed = 0x40;
export const loadHalfIndexed = 0x48;
/** Four times the low half of an octet, into the index register: the length of an IPv4 header. */
export const loadIndexHeaderLength = 0xb1;
export const loadIndex = 0x01;
/** How long the packet is, from where loads count. */
export const loadLength = 0x80;
export const accumulatorToIndex = 0x07;
/** The accumulator, with the index register. */
export const exclusiveOrIndex = 0xac;
/** Of the accumulator by k, which is not 0. */
export const remainder = 0x94;
export const jumpIfEqual = 0x15;
export const jumpIfAtLeast = 0x35;
export const jumpIfAnyBit = 0x45;
export const jump = 0x05;
export const finish = 0x06;
/** With the accumulator instead of k. */
export const finishWithAccumulator = 0x16;

/** An offset for absolute loads: from the IP header on, wherever the socket's own packets begin. */
export const networkHeader = (offset: number): number => 0xfff0_0000 + offset;
/** To be loaded like a word: a random one, of the kernel's. */
export const randomWord = 0xffff_f038;
/** Of one program. */
export const instructionsMax = 4096;

/** As SO_ATTACH_FILTER takes it. */
export function encodeFilter(instructions: readonly Instruction[]): Uint8Array {
  const octets = new Uint8Array(new ArrayBuffer(8 * instructions.length));
  const view = new DataView(octets.buffer);
  for (const [i, { code, ifTrue = 0, ifFalse = 0, k }] of instructions.entries()) {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, ifTrue);
    view.setUint8(8 * i + 3, ifFalse);
    view.setUint32(8 * i + 4, k, true);
  }
  return octets;
}
