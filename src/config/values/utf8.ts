// UTF-8 both ways for a room that has no TextDecoder: its text is configuration, never bulk.

/** Octets -> text. `undefined` if they are no UTF-8 (RFC 3629 3: overlong forms and surrogates are none). */
export function textFromUtf8(octets: Uint8Array): string | undefined {
  const read = readUtf8(octets);
  return typeof read === 'string' ? read : undefined;
}

/** What an operator should hear of a file that is no UTF-8: the line, counted from 1, to look for it in. */
export function utf8Fault(octets: Uint8Array): string | undefined {
  const read = readUtf8(octets);
  if (typeof read === 'string') return undefined;
  const line = octets.subarray(0, read).reduce((lines, octet) => lines + (octet === lineEnd ? 1 : 0), 1);
  return `line ${line} is no UTF-8 text`;
}

const lineEnd = 0x0a;

/** The text, or where the first character begins that is none. */
function readUtf8(octets: Uint8Array): string | number {
  let text = '';
  let at = 0;
  while (at < octets.length) {
    const start = at;
    const first = octets[at++]!;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      continue;
    }
    const rest = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4) return start;
    let point = first & (0x3f >> rest);
    for (let i = 0; i < rest; i++) {
      const next = octets[at++];
      if (next === undefined || (next & 0xc0) !== 0x80) return start;
      point = (point << 6) | (next & 0x3f);
    }
    const smallest = rest === 3 ? 0x10000 : rest === 2 ? 0x800 : 0x80;
    if (point < smallest || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return start;
    text += String.fromCodePoint(point);
  }
  return text;
}

/** Text -> octets; a lone surrogate becomes U+FFFD. */
export function utf8FromText(text: string): Uint8Array {
  const octets: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const point = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
    if (point < 0x80) octets.push(point);
    else if (point < 0x800) octets.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
    else if (point < 0x10000) {
      octets.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    } else {
      octets.push(
        0xf0 | (point >> 18),
        0x80 | ((point >> 12) & 0x3f),
        0x80 | ((point >> 6) & 0x3f),
        0x80 | (point & 0x3f),
      );
    }
  }
  return Uint8Array.from(octets);
}
