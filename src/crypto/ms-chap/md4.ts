// MD4 (RFC 1320). No hash function any more, and still what MS-CHAP makes of a password; OpenSSL 3 hides it.

const blockBytes = 64;

/** 16 octets. What the hash was made of is wiped where this function copied it. */
export function md4(octets: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((octets.length + 9) / blockBytes) * blockBytes);
  padded.set(octets);
  padded[octets.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(octets.length) * 8n, true);
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  const words = new Uint32Array(16);
  for (let at = 0; at < padded.length; at += blockBytes) {
    for (let word = 0; word < 16; word++) words[word] = view.getUint32(at + 4 * word, true);
    addBlock(state, words);
  }
  padded.fill(0);
  words.fill(0);
  const digest = new Uint8Array(16);
  const out = new DataView(digest.buffer);
  for (const [at, word] of state.entries()) out.setUint32(4 * at, word, true);
  return digest;
}

interface Round {
  /** Of three words of the state. */
  readonly mix: (x: number, y: number, z: number) => number;
  readonly constant: number;
  /** Which words of the block are taken, in this order. */
  readonly order: readonly number[];
  readonly rotations: readonly number[];
}

/** RFC 1320 3.4 */
const rounds: readonly Round[] = [
  {
    mix: (x, y, z) => (x & y) | (~x & z),
    constant: 0,
    order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    rotations: [3, 7, 11, 19],
  },
  {
    mix: (x, y, z) => (x & y) | (x & z) | (y & z),
    constant: 0x5a827999,
    order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    rotations: [3, 5, 9, 13],
  },
  {
    mix: (x, y, z) => x ^ y ^ z,
    constant: 0x6ed9eba1,
    order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    rotations: [3, 9, 11, 15],
  },
];

function addBlock(state: Uint32Array, words: Uint32Array): void {
  let [a, b, c, d] = [state[0]!, state[1]!, state[2]!, state[3]!];
  for (const { mix, constant, order, rotations } of rounds) {
    for (const [step, word] of order.entries()) {
      const sum = (a + mix(b, c, d) + words[word]! + constant) | 0;
      const by = rotations[step & 3]!;
      [a, b, c, d] = [d, (sum << by) | (sum >>> (32 - by)), b, c];
    }
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
}
