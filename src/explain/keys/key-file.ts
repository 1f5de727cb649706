// Key files: what `wayward run --keylog` writes, and tshark's ikev2_decryption_table and esp_sa files as they are.
import { type IpAddress, parseAddress } from '#sa';
import { type EspAlgorithms, espAlgorithms, type IkeAlgorithms, ikeAlgorithms } from './algorithm-names.ts';

export interface IkeKeyEntry {
  readonly initiatorSpi: string;
  readonly responderSpi: string;
  readonly skEi: Uint8Array;
  readonly skEr: Uint8Array;
  readonly skAi: Uint8Array;
  readonly skAr: Uint8Array;
  readonly algorithms: IkeAlgorithms;
}

export interface EspKeyEntry {
  /** Undefined: any. */
  readonly source: IpAddress | undefined;
  readonly destination: IpAddress | undefined;
  readonly spi: number;
  readonly encryptionKey: Uint8Array;
  readonly integrityKey: Uint8Array;
  readonly algorithms: EspAlgorithms;
}

/** A line that was left out. */
export interface KeyFileProblem {
  readonly line: number;
  readonly problem: string;
}

export interface KeyFile {
  readonly ike: readonly IkeKeyEntry[];
  readonly esp: readonly EspKeyEntry[];
  readonly problems: readonly KeyFileProblem[];
}

/** More lines with keys than this are left out. */
const entriesMax = 65_536;

/** Reads what it understands, and says what it does not; never throws. */
export function parseKeyFile(text: string): KeyFile {
  const ike: IkeKeyEntry[] = [];
  const esp: EspKeyEntry[] = [];
  const problems: KeyFileProblem[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    // `-o uat:esp_sa:...` is how tshark takes the same line as an option.
    const line = raw.trim().replace(/^uat:(\w+):/, '$1 ');
    if (line === '' || line.startsWith('#')) continue;
    const { table, fields } = split(line);
    const entry = table === 'ike' ? readIke(fields) : readEsp(fields);
    if (typeof entry === 'string') problems.push({ line: index + 1, problem: entry });
    else if (ike.length + esp.length === entriesMax) {
      problems.push({ line: index + 1, problem: `more than ${entriesMax} keys` });
      break;
    } else if ('skEi' in entry) ike.push(entry);
    else esp.push(entry);
  }
  return { ike, esp, problems };
}

function split(line: string): { table: 'ike' | 'esp'; fields: string[] } {
  const named = /^(ikev2_decryption_table|esp_sa)\s+(.*)$/.exec(line);
  const rest = named?.[2] ?? line;
  const fields = [...rest.matchAll(/"([^"]*)"|([^,]+)|(?<=,|^)(?=,|$)/g)].map(
    ([, quoted, bare]) => quoted ?? bare?.trim() ?? '',
  );
  const esp = named === null ? rest.startsWith('"IP') : named[1] === 'esp_sa';
  return { table: esp ? 'esp' : 'ike', fields };
}

function readIke(fields: readonly string[]): IkeKeyEntry | string {
  if (fields.length < 8) return `${fields.length} fields, where keys of an IKE SA have 8`;
  const [initiatorSpi, responderSpi, ei, er, encryption, ai, ar, integrity] = fields as [string, ...string[]];
  if (!/^[0-9a-f]{16}$/i.test(initiatorSpi) || !/^[0-9a-f]{16}$/i.test(responderSpi!)) return 'no IKE SPIs';
  const keys = [ei, er, ai, ar].map((one) => octetsOf(one!));
  const [skEi, skEr, skAi, skAr] = keys;
  if (!skEi || !skEr || !skAi || !skAr) return 'a key that is not hexadecimal';
  const algorithms = ikeAlgorithms(encryption!, integrity!);
  if (typeof algorithms === 'string') return algorithms;
  return {
    initiatorSpi: initiatorSpi.toLowerCase(),
    responderSpi: responderSpi!.toLowerCase(),
    skEi,
    skEr,
    skAi,
    skAr,
    algorithms,
  };
}

function readEsp(fields: readonly string[]): EspKeyEntry | string {
  if (fields.length < 8) return `${fields.length} fields, where keys of ESP have 8`;
  const [, source, destination, spi, cipher, cipherKey, mac, macKey] = fields as [string, ...string[]];
  const any = (text: string): boolean => text === '*' || text === '';
  const from = parseAddress(source!);
  const to = parseAddress(destination!);
  if ((from === undefined && !any(source!)) || (to === undefined && !any(destination!))) {
    return 'an address that is neither one nor *';
  }
  if (!/^0x[0-9a-f]{1,8}$/i.test(spi!)) return `${spi} is no SPI`;
  const encryptionKey = octetsOf(cipherKey!);
  const integrityKey = octetsOf(macKey!);
  if (encryptionKey === undefined || integrityKey === undefined) return 'a key that is not hexadecimal';
  const algorithms = espAlgorithms(cipher!, encryptionKey.length, mac!);
  if (typeof algorithms === 'string') return algorithms;
  const number = Number.parseInt(spi!, 16);
  return { source: from, destination: to, spi: number, encryptionKey, integrityKey, algorithms };
}

function octetsOf(text: string): Uint8Array | undefined {
  const digits = text.replace(/^0x/i, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
