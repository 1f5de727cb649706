// The little DER this room writes: names typed by operators.
import { CryptoError } from '../error.ts';
import { Tag } from './der-reader.ts';

export function derElement(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const header = [tag];
  if (length < 0x80) {
    header.push(length);
  } else {
    const octets: number[] = [];
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
    header.push(0x80 | octets.length, ...octets);
  }
  const der = new Uint8Array(header.length + length);
  der.set(header);
  let offset = header.length;
  for (const part of contents) {
    der.set(part, offset);
    offset += part.length;
  }
  return der;
}

/** @throws CryptoError `bad-name` if the text is no dotted decimal object identifier */
export function derObjectIdentifier(text: string): Uint8Array {
  const arcs = /^[0-2](\.(0|[1-9]\d{0,9}))+$/.test(text) ? text.split('.').map(Number) : [];
  const [root, second, ...rest] = arcs;
  if (root === undefined || second === undefined || (root < 2 && second > 39)) {
    throw new CryptoError('bad-name', `${text} is no object identifier`);
  }
  const octets = [root * 40 + second, ...rest].flatMap((arc) => {
    const septets = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      septets.unshift(0x80 | (left % 128));
    }
    return septets;
  });
  return derElement(Tag.OBJECT_IDENTIFIER, Uint8Array.from(octets));
}
