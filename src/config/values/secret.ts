// Secret values: text as it is, `0x` and hexadecimal digits, or `0s` and Base64. No error repeats any of it.
import { BadValue } from './bad-value.ts';
import { utf8FromText } from './utf8.ts';

/** The octets of a secret. Never empty: an empty key would fit everybody who has none. */
export function parseSecret(text: string): Uint8Array {
  const kind = text.slice(0, 2).toLowerCase();
  const octets =
    kind === '0x'
      ? fromHexadecimal(text.slice(2))
      : kind === '0s'
        ? fromBase64(text.slice(2))
        : utf8FromText(text);
  if (octets === undefined || octets.length === 0) {
    throw new BadValue('a secret: text, 0x and hexadecimal digits, or 0s and Base64');
  }
  return octets;
}

function fromHexadecimal(text: string): Uint8Array | undefined {
  let digits = text.replace(/:/g, '');
  if (!/^[0-9a-fA-F]*$/.test(digits)) return undefined;
  // strongSwan reads an odd number of digits as a number: both ends must get the same octets.
  if (digits.length % 2 !== 0) digits = `0${digits}`;
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648 4, with its padding, without which strongSwan reads less; bits behind the last octet must be zero. */
function fromBase64(text: string): Uint8Array | undefined {
  const digits = text.replace(/={1,2}$/, '');
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*$/.test(digits)) return undefined;
  const octets = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const digit of digits) {
    held = ((held << 6) | alphabet.indexOf(digit)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      octets[at++] = (held >>> bits) & 0xff;
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? octets : undefined;
}
