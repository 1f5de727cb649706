// UTF-8 both ways, which the language alone does not offer.

/** Lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  // Nearly all that is written here is ASCII: names, keys of records, identities.
  const octets = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x80) return encodeBeyondAscii(text);
    octets[at] = code;
  }
  return octets;
}

function encodeBeyondAscii(text: string): Uint8Array {
  const octets: number[] = [];
  for (const character of text) {
    let point = character.codePointAt(0)!;
    if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
    if (point < 0x80) octets.push(point);
    else if (point < 0x800) octets.push(0xc0 | (point >>> 6), continuation(point));
    else if (point < 0x1_0000)
      octets.push(0xe0 | (point >>> 12), continuation(point >>> 6), continuation(point));
    else {
      octets.push(0xf0 | (point >>> 18));
      octets.push(continuation(point >>> 12), continuation(point >>> 6), continuation(point));
    }
  }
  return Uint8Array.from(octets);
}

function continuation(bits: number): number {
  return 0x80 | (bits & 0x3f);
}

/** Octets that are not UTF-8 become U+FFFD one by one. */
export function decodeUtf8(octets: Uint8Array): string {
  let text = '';
  for (let at = 0; at < octets.length; ) {
    const first = octets[at]!;
    const length = sequenceLength(first);
    let point = length === 1 ? first : first & (0x7f >>> length);
    let read = 1;
    for (; read < length; read++) {
      const octet = octets[at + read];
      if (octet === undefined || octet >>> 6 !== 2) break;
      point = (point << 6) | (octet & 0x3f);
    }
    const valid = length > 0 && read === length && point >= smallest[length]! && isScalar(point);
    text += valid ? String.fromCodePoint(point) : '\ufffd';
    at += valid ? length : 1;
  }
  return text;
}

// By sequence length; a smaller code point would be an overlong form.
const smallest = [0, 0, 0x80, 0x800, 0x1_0000];

function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

function isScalar(point: number): boolean {
  return point <= 0x10_ffff && (point < 0xd800 || point > 0xdfff);
}
