// PEM armor (RFC 7468, and RFC 1421 headers as OpenSSL writes them on encrypted keys).
import { CryptoError } from '../error.ts';

export interface PemBlock {
  /** What stands behind BEGIN: `CERTIFICATE`, `RSA PRIVATE KEY`... */
  readonly label: string;
  /** RFC 1421 headers by name, if there are any. */
  readonly headers?: ReadonlyMap<string, string>;
  readonly der: Uint8Array;
  /** Line of BEGIN, counted from 1. */
  readonly line: number;
}

/**
 * All blocks of a text, in order. Text between blocks is explanation and skipped.
 * @throws CryptoError `bad-pem` naming the line
 */
export function pemBlocks(text: string): PemBlock[] {
  const lines = text.split(/\r\n|\r|\n/);
  const blocks: PemBlock[] = [];
  for (let index = 0; index < lines.length; index++) {
    const label = /^-----BEGIN ([^-]+(?:-[^-]+)*)-----\s*$/.exec(lines[index]!)?.[1];
    if (label !== undefined) {
      const end = endOfBlock(lines, index, label);
      blocks.push(readBlock(lines, index, end, label));
      index = end;
    } else if (lines[index]!.startsWith('-----')) {
      throw badPem(index, /^-----END /.test(lines[index]!) ? 'END without BEGIN' : 'broken boundary line');
    }
  }
  return blocks;
}

/** Whether octets are PEM text rather than DER. */
export function isPem(octets: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(octets).includes('-----BEGIN ');
}

function badPem(index: number, problem: string): CryptoError {
  return new CryptoError('bad-pem', `line ${index + 1}: ${problem}`);
}

function endOfBlock(lines: readonly string[], begin: number, label: string): number {
  const end = lines.findIndex((line, index) => index > begin && line.startsWith('-----'));
  if (end < 0) throw badPem(begin, `no END for ${label}`);
  if (lines[end]!.trimEnd() !== `-----END ${label}-----`) throw badPem(end, `where END of ${label} belongs`);
  return end;
}

function readBlock(lines: readonly string[], begin: number, end: number, label: string): PemBlock {
  const headers = new Map<string, string>();
  let index = begin + 1;
  let last: string | undefined;
  for (; index < end; index++) {
    const line = lines[index]!;
    const [, name, value] = /^([\w-]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) {
      headers.set(name, value);
      last = name;
    } else if (last !== undefined && /^\s+\S/.test(line)) {
      headers.set(last, `${headers.get(last)}${line.trim()}`);
    } else {
      break;
    }
  }
  if (last !== undefined && lines[index]!.trim() !== '')
    throw badPem(index, 'no empty line behind the headers');
  const der = readBase64(lines, index, end, label);
  const line = begin + 1;
  return last === undefined ? { label, der, line } : { label, headers, der, line };
}

function readBase64(lines: readonly string[], first: number, end: number, label: string): Uint8Array {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const octets: number[] = [];
  let [bits, held, padding] = [0, 0, 0];
  for (let index = first; index < end; index++) {
    for (const character of lines[index]!) {
      if (character === ' ' || character === '\t') continue;
      const value = alphabet.indexOf(character);
      if (character === '=') {
        padding += 1;
        if (padding > 2) throw badPem(index, 'too much padding');
        continue;
      }
      if (value < 0) throw badPem(index, `${JSON.stringify(character)} is not base64`);
      if (padding > 0) throw badPem(index, 'base64 goes on behind its padding');
      bits = ((bits << 6) | value) & 0xffff;
      held += 6;
      if (held >= 8) {
        held -= 8;
        octets.push((bits >>> held) & 0xff);
      }
    }
  }
  // 0, 2 or 4 bits are left over, with as many pairs of padding.
  if (held === 6 || padding * 2 !== held) throw badPem(end - 1, 'base64 ends in the middle');
  if (octets.length === 0) throw badPem(first, `${label} is empty`);
  return Uint8Array.from(octets);
}
