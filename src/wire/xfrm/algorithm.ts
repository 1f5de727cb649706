// struct xfrm_algo, xfrm_algo_auth and xfrm_algo_aead: algorithms by the names that the kernel's crypto has for them.
import { Reader } from '../reader.ts';
import { decodeUtf8, encodeUtf8 } from '../utf8.ts';
import { Writer } from '../writer.ts';

/** `cbc(aes)`, `hmac(sha256)`, `ecb(cipher_null)`. */
export interface XfrmAlgorithm {
  readonly name: string;
  /** A view after decoding. Zeros if the kernel keeps it to itself. */
  readonly key: Uint8Array;
}

/** With the length of the ICV: `hmac(sha256)` and 128. */
export interface XfrmAuthentication extends XfrmAlgorithm {
  readonly icvLengthBits: number;
}

/** `rfc4106(gcm(aes))`; the salt is at the end of the key. */
export type XfrmAead = XfrmAuthentication;

const nameBytes = 64;

export function encodeAlgorithm({ name, key }: XfrmAlgorithm): Uint8Array {
  const writer = writeName(name, key);
  return writer.bytes(key).finishAndWipe();
}

/** XFRMA_ALG_AUTH_TRUNC and XFRMA_ALG_AEAD look the same. */
export function encodeAuthentication({ name, key, icvLengthBits }: XfrmAuthentication): Uint8Array {
  return writeName(name, key).u32LittleEndian(icvLengthBits, 'xfrm_algo.icv_len').bytes(key).finishAndWipe();
}

function writeName(name: string, key: Uint8Array): Writer {
  const writer = new Writer(nameBytes + 8 + key.length);
  const octets = encodeUtf8(name);
  if (octets.length >= nameBytes || octets.includes(0)) throw writer.fail('value', 'xfrm_algo.alg_name');
  return writer
    .bytes(octets)
    .zeros(nameBytes - octets.length)
    .u32LittleEndian(8 * key.length, 'xfrm_algo.alg_key_len');
}

export function decodeAlgorithm(octets: Uint8Array): XfrmAlgorithm {
  const reader = new Reader(octets);
  const name = readName(reader);
  const length = readKeyLength(reader);
  return { name, key: readKey(reader, length) };
}

export function decodeAuthentication(octets: Uint8Array): XfrmAuthentication {
  const reader = new Reader(octets);
  const name = readName(reader);
  const length = readKeyLength(reader);
  const icvLengthBits = reader.u32LittleEndian('xfrm_algo.icv_len');
  return { name, key: readKey(reader, length), icvLengthBits };
}

function readName(reader: Reader): string {
  const at = reader.offset;
  const field = reader.bytes(nameBytes, 'xfrm_algo.alg_name');
  const end = field.indexOf(0);
  if (end < 0) throw reader.failAt(at, 'value', 'xfrm_algo.alg_name', 'no end');
  return decodeUtf8(field.subarray(0, end));
}

function readKeyLength(reader: Reader): number {
  const at = reader.offset;
  const bits = reader.u32LittleEndian('xfrm_algo.alg_key_len');
  if (bits % 8 !== 0) throw reader.failAt(at, 'length', 'xfrm_algo.alg_key_len', `${bits} bits`);
  return bits / 8;
}

function readKey(reader: Reader, length: number): Uint8Array {
  const key = reader.bytes(length, 'xfrm_algo.alg_key');
  reader.end('xfrm_algo');
  return key;
}
