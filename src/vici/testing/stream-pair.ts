// Two ends of a stream in memory, which tears what it carries.
import { Duplex } from 'node:stream';

/** What one end writes the other reads, in pieces of `pieceBytes`. */
export function streamPair(pieceBytes = 7): [Duplex, Duplex] {
  const one = end(pieceBytes, () => two);
  const two = end(pieceBytes, () => one);
  return [one, two];
}

function end(pieceBytes: number, other: () => Duplex): Duplex {
  return new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      for (let at = 0; at < chunk.length; at += pieceBytes) other().push(chunk.subarray(at, at + pieceBytes));
      done();
    },
    final: (done) => {
      other().push(null);
      done();
    },
    destroy: (error, done) => {
      setImmediate(() => other().destroy());
      done(error);
    },
  });
}
