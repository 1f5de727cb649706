// prf+, which stretches one key into as many octets as keys are needed (RFC 7296 2.13).
import { wipe } from '../key-material/secrets.ts';
import type { PseudorandomFunction } from '../suites.ts';

/**
 * The first `lengthBytes` octets of prf+(key, seed).
 * @throws RangeError beyond 255 blocks, where the block counter of prf+ ends
 */
export function prfPlus(
  prf: PseudorandomFunction,
  key: Uint8Array,
  seed: Uint8Array,
  lengthBytes: number,
): Uint8Array {
  const count = Math.ceil(lengthBytes / prf.outputBytes);
  if (!(count <= 255)) throw new RangeError(`prf+ ends after 255 blocks, ${count} were asked for`);
  const result = new Uint8Array(lengthBytes);
  let block: Uint8Array = new Uint8Array(0);
  for (let i = 1; i <= count; i++) {
    const next = prf.compute(key, block, seed, Uint8Array.of(i));
    wipe(block);
    block = next;
    const at = (i - 1) * prf.outputBytes;
    result.set(block.subarray(0, lengthBytes - at), at);
  }
  wipe(block);
  return result;
}
