// The two MACs made of AES-128 in CBC mode: XCBC (RFC 3566) and CMAC (RFC 4493).
import { createCipheriv } from 'node:crypto';
import { concatenate } from '../key-material/octets.ts';
import { wipe } from '../key-material/secrets.ts';

const zeroBlock = new Uint8Array(16);

/** CBC encryption of whole blocks from a zero IV; the last block is the MAC. */
function encryptBlocks(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  return createCipheriv('aes-128-cbc', key, zeroBlock).setAutoPadding(false).update(blocks);
}

/** The message in whole blocks, padded with 10* if its last block is short or missing, and a mask on the last block. */
function maskLastBlock(
  parts: readonly Uint8Array[],
  maskFull: Uint8Array,
  maskPadded: Uint8Array,
): Uint8Array {
  const message = concatenate(...parts);
  const full = message.length > 0 && message.length % 16 === 0;
  const blocks = full ? message : new Uint8Array(message.length - (message.length % 16) + 16);
  if (!full) {
    blocks.set(message);
    blocks[message.length] = 0x80;
    wipe(message);
  }
  const mask = full ? maskFull : maskPadded;
  const last = blocks.length - 16;
  for (let i = 0; i < 16; i++) blocks[last + i]! ^= mask[i]!;
  return blocks;
}

function lastBlockOfCbc(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  const encrypted = encryptBlocks(key, blocks);
  // The message may hold key material (a DH secret in SKEYSEED), and so may what it became.
  wipe(blocks);
  return Uint8Array.from(encrypted.subarray(encrypted.length - 16));
}

/** AES-XCBC-MAC, 16 octets, not truncated. The key has 16 octets. */
export function aesXcbcMac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  // RFC 3566 4: K1, K2, K3 are the encryptions of blocks of 01, 02 and 03, each by itself: no chaining here.
  const derive = (octet: number): Uint8Array => encryptBlocks(key, new Uint8Array(16).fill(octet));
  const k1 = derive(1);
  const k2 = derive(2);
  const k3 = derive(3);
  const mac = lastBlockOfCbc(k1, maskLastBlock(parts, k2, k3));
  wipe(k1, k2, k3);
  return mac;
}

/** Multiplication by x in GF(2^128): RFC 4493 2.3, without a branch on the secret bit. */
function double(block: Uint8Array): Uint8Array {
  const result = new Uint8Array(16);
  for (let i = 0; i < 16; i++) result[i] = (block[i]! << 1) | ((block[i + 1] ?? 0) >> 7);
  result[15]! ^= -(block[0]! >> 7) & 0x87;
  return result;
}

/** AES-CMAC, 16 octets, not truncated. The key has 16 octets. */
export function aesCmac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const l = encryptBlocks(key, zeroBlock);
  const k1 = double(l);
  const k2 = double(k1);
  const mac = lastBlockOfCbc(key, maskLastBlock(parts, k1, k2));
  wipe(l, k1, k2);
  return mac;
}
