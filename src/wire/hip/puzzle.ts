// The parameters of the puzzle: R1_COUNTER, PUZZLE and SOLUTION (RFC 7401 5.2.3 to 5.2.5).
import type { ParameterCodecs } from './codec.ts';

export const puzzleCodecs: ParameterCodecs<'R1_COUNTER' | 'PUZZLE' | 'SOLUTION'> = {
  R1_COUNTER: {
    decode: (reader) => ({
      type: 'R1_COUNTER',
      reserved: reader.u32('R1_COUNTER.reserved'),
      counter: reader.u64('R1_COUNTER.counter'),
    }),
    encode(writer, { reserved, counter }) {
      writer.u32(reserved, 'R1_COUNTER.reserved').u64(counter, 'R1_COUNTER.counter');
    },
  },
  PUZZLE: {
    decode(reader) {
      const difficulty = reader.u8('PUZZLE.#K');
      const lifetime = reader.u8('PUZZLE.lifetime');
      const opaque = reader.u16('PUZZLE.opaque');
      // How long #I is, the Responder's HIT Suite decides: whoever looks for a solution compares.
      if (reader.remaining === 0) throw reader.fail('truncated', 'PUZZLE.#I');
      return { type: 'PUZZLE', difficulty, lifetime, opaque, random: reader.rest() };
    },
    encode(writer, { difficulty, lifetime, opaque, random }) {
      if (random.length === 0) throw writer.fail('length', 'PUZZLE.#I');
      writer.u8(difficulty, 'PUZZLE.#K').u8(lifetime, 'PUZZLE.lifetime').u16(opaque, 'PUZZLE.opaque');
      writer.bytes(random);
    },
  },
  SOLUTION: {
    decode(reader) {
      const difficulty = reader.u8('SOLUTION.#K');
      reader.skip(1, 'SOLUTION.reserved');
      const opaque = reader.u16('SOLUTION.opaque');
      const both = reader.remaining;
      if (both === 0 || both % 2 !== 0) throw reader.fail('length', 'SOLUTION.#I', `${both} octets for two`);
      const random = reader.bytes(both / 2, 'SOLUTION.#I');
      return { type: 'SOLUTION', difficulty, opaque, random, solution: reader.rest() };
    },
    encode(writer, { difficulty, opaque, random, solution }) {
      if (random.length === 0 || random.length !== solution.length)
        throw writer.fail('length', 'SOLUTION.#J');
      writer.u8(difficulty, 'SOLUTION.#K').zeros(1).u16(opaque, 'SOLUTION.opaque');
      writer.bytes(random).bytes(solution);
    },
  },
};
