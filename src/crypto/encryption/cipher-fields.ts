// What both kinds of packet cipher check of the fields they are handed.
import { CryptoError } from '../error.ts';
import type { CipherFields, PacketCipher } from '../suites.ts';

type Shape = Pick<PacketCipher, 'combined' | 'ivBytes' | 'icvBytes' | 'blockBytes'>;

/** @throws CryptoError `bad-length` if the caller cut the packet wrongly */
export function checkFields(shape: Shape, fields: CipherFields): void {
  if (fields.iv.length !== shape.ivBytes) {
    throw new CryptoError('bad-length', `the IV has ${shape.ivBytes} octets, not ${fields.iv.length}`);
  }
  if (fields.icv.length !== shape.icvBytes) {
    throw new CryptoError('bad-length', `the ICV has ${shape.icvBytes} octets, not ${fields.icv.length}`);
  }
  if (shape.combined && fields.authTail !== undefined) {
    throw new CryptoError('bad-length', 'a combined-mode cipher authenticates nothing behind the text');
  }
}

/** @throws CryptoError `bad-length`: padding is the work of the caller */
export function checkWholeBlocks(shape: Shape, text: Uint8Array): void {
  if (text.length % shape.blockBytes !== 0) {
    throw new CryptoError('bad-length', `${text.length} octets are no multiple of ${shape.blockBytes}`);
  }
}

/** A destroyed cipher has a key of zeros: to go on with it would put plaintext under a key everybody knows. */
export function checkAlive(alive: boolean): void {
  if (!alive) throw new Error('this cipher was destroyed');
}
