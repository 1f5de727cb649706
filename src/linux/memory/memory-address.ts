// Machine addresses of octets, for foreign calls that must cost little.
import koffi from 'koffi';

const bases = new WeakMap<ArrayBufferLike, number>();
let lastOctets: Uint8Array | undefined;
let lastAddress = 0;

/**
 * Where the octets lie. To ask for its `buffer` moves a typed array out of V8's moving heap for good, so the address
 * holds as long as the buffer lives; the caller keeps it alive during the call.
 */
export function memoryAddress(octets: Uint8Array): number {
  // `buffer` is a call into V8's runtime, and most packets lie in the same array.
  if (octets !== lastOctets) {
    const { buffer } = octets;
    let base = bases.get(buffer);
    if (base === undefined) {
      base = Number(koffi.address(new Uint8Array(buffer)));
      bases.set(buffer, base);
    }
    lastOctets = octets;
    lastAddress = base + octets.byteOffset;
  }
  return lastAddress;
}
