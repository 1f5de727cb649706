// Netfilter marks and numbers of XFRM interfaces, as swanctl.conf writes them.
import type { UniqueNumber } from '#engine';
import type { PacketMark } from '#sa';
import { BadValue } from './bad-value.ts';

/** `none` is what no packet is asked for. */
export type MarkSetting = PacketMark | UniqueNumber | 'same' | 'none';
export type InterfaceIdSetting = number | UniqueNumber | 'none';

const wholeMask = 0xffff_ffff;
const number = '(0x[0-9a-f]{1,8}|\\d{1,10})';
const markPattern = new RegExp(`^${number}(?:/${number})?$`, 'i');

const keywords: Readonly<Record<string, UniqueNumber | 'same'>> = {
  '%unique': 'unique',
  '%unique-dir': 'unique-per-direction',
  '%same': 'same',
};

/** `0` is a mark too, that of packets without one, unless its mask is 0. @throws BadValue */
export function parseMark(text: string): MarkSetting {
  const keyword = keywords[text];
  if (keyword !== undefined) return keyword;
  const match = markPattern.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]);
  const mask = match?.[2] === undefined ? wholeMask : Number(match[2]);
  if (!(value <= wholeMask && mask <= wholeMask)) {
    throw new BadValue('a 32-bit number, perhaps with /mask, or %unique or %unique-dir');
  }
  // As charon does: bits outside of the mask would never be the same as a packet's.
  return mask === 0 ? 'none' : { value: (value & mask) >>> 0, mask };
}

/** @throws BadValue */
export function parseInterfaceId(text: string): InterfaceIdSetting {
  const keyword = keywords[text];
  if (keyword !== undefined && keyword !== 'same') return keyword;
  const setting = new RegExp(`^${number}$`, 'i').test(text) ? Number(text) : Number.NaN;
  if (!(setting <= wholeMask)) throw new BadValue('a 32-bit number, %unique or %unique-dir');
  return setting === 0 ? 'none' : setting;
}
