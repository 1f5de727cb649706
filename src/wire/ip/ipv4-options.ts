// The list of options inside an IPv4 header (RFC 791 3.1).
import { WireError } from '../error.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';

/** One option; `data` excludes type and length octets and is empty for No Operation (type 1). */
export interface Ipv4Option {
  readonly type: number;
  readonly data: Uint8Array;
}

const endOfList = 0;
const noOperation = 1;

/** The options up to End of Option List. Throws `WireError` with an offset within the options. */
export function decodeIpv4Options(octets: Uint8Array): Ipv4Option[] {
  const options: Ipv4Option[] = [];
  const reader = new Reader(octets);
  while (reader.remaining > 0) {
    const type = reader.u8('IPv4.option.type');
    if (type === endOfList) break;
    if (type === noOperation) {
      options.push({ type, data: new Uint8Array() });
      continue;
    }
    const length = reader.u8('IPv4.option.length');
    if (length < 2) throw new WireError('length', reader.offset - 1, 'IPv4.option.length');
    options.push({ type, data: reader.bytes(length - 2, 'IPv4.option.data') });
  }
  return options;
}

/** The options as a header carries them, padded to 4 octets. Throws `WireError('limit')` above 40 octets. */
export function encodeIpv4Options(options: readonly Ipv4Option[]): Uint8Array {
  const writer = new Writer(40);
  for (const option of options) {
    if (option.type === endOfList || (option.type === noOperation && option.data.length > 0)) {
      throw new WireError('value', writer.length, 'IPv4.option.type');
    }
    writer.u8(option.type, 'IPv4.option.type');
    if (option.type !== noOperation) {
      writer.u8(option.data.length + 2, 'IPv4.option.length').bytes(option.data);
    }
  }
  writer.zeros((4 - (writer.length % 4)) % 4);
  if (writer.length > 40) throw new WireError('limit', 40, 'IPv4.options');
  return writer.finish();
}

/** Whether the option belongs into every fragment: the copied flag, RFC 791 3.1. */
export function isCopiedOption(option: Ipv4Option): boolean {
  return (option.type & 0x80) !== 0;
}
