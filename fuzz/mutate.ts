// Small changes to octets, of the kinds that parsers get wrong.
import type { Prng } from './prng.ts';

const octetsMax = 65_536;
const interesting8 = [0, 1, 2, 3, 4, 7, 8, 0x7f, 0x80, 0xfe, 0xff];
const interesting16 = [0, 1, 3, 4, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff];
const interesting32 = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

type Mutation = (octets: Uint8Array, random: Prng, other: Uint8Array) => Uint8Array;

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Overwrites a field of `width` octets somewhere, if there is room for one. */
function overwrite(width: number, write: (view: DataView, at: number, random: Prng) => void): Mutation {
  return (octets, random) => {
    const changed = octets.slice();
    if (changed.length >= width) {
      write(new DataView(changed.buffer), random.below(changed.length - width + 1), random);
    }
    return changed;
  };
}

/** A stretch of the octets, possibly empty. */
function stretch(octets: Uint8Array, random: Prng): [number, number] {
  const start = random.below(octets.length + 1);
  return [start, start + random.below(Math.min(octets.length - start, 64) + 1)];
}

const mutations: readonly Mutation[] = [
  overwrite(1, (view, at, random) => view.setUint8(at, view.getUint8(at) ^ (1 << random.below(8)))),
  overwrite(1, (view, at, random) => view.setUint8(at, random.below(256))),
  overwrite(1, (view, at, random) => view.setUint8(at, random.pick(interesting8))),
  overwrite(2, (view, at, random) => view.setUint16(at, random.pick(interesting16))),
  // Off by a little: what a wrong length looks like.
  overwrite(2, (view, at, random) =>
    view.setUint16(at, (view.getUint16(at) + random.below(17) - 8) & 0xffff),
  ),
  overwrite(4, (view, at, random) => view.setUint32(at, random.pick(interesting32))),
  // Cut short.
  (octets, random) => octets.slice(0, random.below(octets.length + 1)),
  // A stretch removed.
  (octets, random) => {
    const [start, end] = stretch(octets, random);
    return join(octets.subarray(0, start), octets.subarray(end));
  },
  // A stretch twice.
  (octets, random) => {
    const [start, end] = stretch(octets, random);
    return join(octets.subarray(0, end), octets.subarray(start));
  },
  // Another input's stretch inserted.
  (octets, random, other) => {
    const at = random.below(octets.length + 1);
    const [start, end] = stretch(other, random);
    return join(octets.subarray(0, at), other.subarray(start, end), octets.subarray(at));
  },
  // Another input's end.
  (octets, random, other) =>
    join(octets.subarray(0, random.below(octets.length + 1)), other.subarray(random.below(other.length + 1))),
];

const encoder = new TextEncoder();

/** A word inserted, or instead of a stretch. */
function withWord(octets: Uint8Array, random: Prng, word: string): Uint8Array {
  const [start, end] = stretch(octets, random);
  return join(octets.subarray(0, start), encoder.encode(word), octets.subarray(random.pick([start, end])));
}

/** One to four mutations of `octets`, which stays as it is. */
export function mutate(
  octets: Uint8Array,
  random: Prng,
  other: Uint8Array,
  words: readonly string[] = [],
): Uint8Array {
  let changed = octets;
  for (let left = 1 + random.below(4); left > 0; left--) {
    changed =
      words.length > 0 && random.below(3) === 0
        ? withWord(changed, random, random.pick(words))
        : random.pick(mutations)(changed, random, other);
  }
  return changed.slice(0, octetsMax);
}
