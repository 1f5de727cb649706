// Memory whose 16-bit words are summed up by vector instructions, which JavaScript has none of, and whose octets are copied
// without the detour through V8's runtime that `copyWithin` takes: two WebAssembly functions of a few lines.

/** What is needed of a global that TypeScript counts among those of browsers. */
interface WebAssemblyGlobal {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  validate(binary: Uint8Array): boolean;
}
declare const WebAssembly: WebAssemblyGlobal | undefined;

/** Of WebAssembly's memory. */
const pageBytes = 65_536;

const vector = { type: 0x7b } as const;
const int32 = { type: 0x7f } as const;

/** Locals of the sum, the first two are its arguments. */
const at = 0;
const end = 1;
const even = 2;
const odd = 3;
const sum = 4;

const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const constant = (value: number): number[] => [0x41, value];
const add = [0x6a];
const subtract = [0x6b];
const lessUnsigned = [0x49];
const loadVector = (offset: number): number[] => [0xfd, 0x00, 0, offset];
/** i32x4.extadd_pairwise_i16x8_u: neighbours of eight words added into four of twice the width. */
const addNeighbours = [0xfd, 0x7f];
const addVectors = [0xfd, 0xae, 0x01];
const lane = (index: number): number[] => [0xfd, 0x1b, index];
/** Repeats while at least so many octets are left. */
const whileLeft = (bytes: number, body: readonly number[]): number[] => [
  ...[0x02, 0x40, 0x03, 0x40],
  ...[...get(end), ...get(at), ...subtract, ...constant(bytes), ...lessUnsigned],
  ...[0x0d, 1],
  ...body,
  ...[...get(at), ...constant(bytes), ...add, ...set(at)],
  ...[0x0c, 0, 0x0b, 0x0b],
];
const accumulate = (local: number, offset: number): number[] => [
  ...get(local),
  ...[...get(at), ...loadVector(offset), ...addNeighbours, ...addVectors],
  ...set(local),
];
const loadWord = [...get(at), 0x2f, 0, 0];
const loadOctet = [...get(at), 0x2d, 0, 0];
const addToSum = (value: readonly number[]): number[] => [...get(sum), ...value, ...add, ...set(sum)];

/** No lane overflows, nor does their sum, while a range has at most 64 KiB. */
const body = [
  ...whileLeft(32, [...accumulate(even, 0), ...accumulate(odd, 16)]),
  ...[...get(even), ...get(odd), ...addVectors, ...set(even)],
  ...[0, 1, 2, 3].flatMap((index) => addToSum([...get(even), ...lane(index)])),
  // Folded once, so that what follows cannot overflow either.
  ...[...get(sum), ...constant(16), 0x76],
  // 0xffff as a signed LEB128 number.
  ...[...get(sum), 0x41, 0xff, 0xff, 0x03, 0x71],
  ...[...add, ...set(sum)],
  ...whileLeft(2, addToSum(loadWord)),
  // An odd octet at the end is the first of its word, which this machine reads as the low one.
  ...whileLeft(1, addToSum(loadOctet)),
  ...get(sum),
  0x0b,
];

const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

const sumCode = [...[2, 2, vector.type, 1, int32.type], ...body];
/** memory.copy of its three arguments: to, from, length. */
const copyCode = [0, ...get(0), ...get(1), ...get(2), ...[0xfc, 0x0a, 0, 0], 0x0b];

/** WebAssembly's binary format, section by section. */
const binary = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  // Two types: two integers to one, and three to none.
  ...section(1, [
    ...[2, 0x60, 2, int32.type, int32.type, 1, int32.type],
    ...[0x60, 3, int32.type, int32.type, int32.type, 0],
  ]),
  // A memory of at least one page is imported as `m` of `m`.
  ...section(2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 1]),
  ...section(3, [2, 0, 1]),
  // The functions are exported as `s` and `c`.
  ...section(7, [2, 1, 0x73, 0, 0, 1, 0x63, 0, 1]),
  ...section(10, [
    ...[2, ...unsigned(sumCode.length), ...sumCode],
    ...[...unsigned(copyCode.length), ...copyCode],
  ]),
]);

export interface VectorMemory {
  readonly octets: Uint8Array;
  /** The sum of words in the machine's byte order, below 2^22, of up to 64 KiB of the octets. */
  sum(start: number, end: number): number;
  /** Like `copyWithin`, but throws where that would copy less. */
  copy(to: number, from: number, bytes: number): void;
}

/** `undefined` where this machine or this Node cannot do so. */
export function vectorMemory(bytes: number): VectorMemory | undefined {
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(binary)) return undefined;
  try {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), { m: { m: memory } });
    const { s: sum, c: copy } = instance.exports as { s: VectorMemory['sum']; c: VectorMemory['copy'] };
    return { octets: new Uint8Array(memory.buffer, 0, bytes), sum, copy };
  } catch {
    // V8 sets aside far more address space than it uses, and a process may be limited.
    return undefined;
  }
}
