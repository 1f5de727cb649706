// Machine addresses of octets, for foreign calls that must cost little.
import koffi from 'koffi';

const bases = new WeakMap<ArrayBufferLike, number>();
let lastBuffer: ArrayBufferLike | undefined;
let lastBase = 0;

/**
 * Where the octets lie. To ask for its `buffer` moves a typed array out of V8's moving heap for good, so the address
 * holds as long as the buffer lives; the caller keeps it alive during the call.
 */
export function memoryAddress(octets: Uint8Array): number {
  const { buffer } = octets;
  if (buffer !== lastBuffer) {
    let base = bases.get(buffer);
    if (base === undefined) {
      base = Number(koffi.address(new Uint8Array(buffer)));
      bases.set(buffer, base);
    }
    lastBuffer = buffer;
    lastBase = base;
  }
  return lastBase + octets.byteOffset;
}
