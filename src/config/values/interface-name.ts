// Names of network interfaces, as Linux takes them.
import { BadValue } from './bad-value.ts';
import { utf8FromText } from './utf8.ts';

/** IFNAMSIZ, without the octet that ends a name. */
const bytesMax = 15;

/** One `%d` is a number that the kernel chooses. @throws BadValue */
export function parseInterfaceName(text: string): string {
  const written = text.replace('%d', '0');
  if (utf8FromText(text).length > bytesMax || !/^[^\s/:%]+$/.test(written) || /^\.\.?$/.test(text)) {
    throw new BadValue(`the name of an interface: 1 to ${bytesMax} octets, no blanks, "/", ":" or "%"`);
  }
  return text;
}
