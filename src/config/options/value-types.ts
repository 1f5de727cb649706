// The types of option values: what each becomes, and how its text is read.
import type { ChildSelector, RemoteAddress } from '#engine';
import type { IpAddress, Prefix, Proposal } from '#sa';
import type { Hit } from '#wire';
import { parseProposals } from '../algorithms/proposal.ts';
import type { SettingValue } from '../tree.ts';
import {
  parseBlock,
  parseIpAddress,
  parseIpv4Address,
  parsePoolAddresses,
  parseRemoteAddress,
} from '../values/address.ts';
import { parseAuthentication } from '../values/authentication.ts';
import { BadValue, UnsupportedValue } from '../values/bad-value.ts';
import { parseHit } from '../values/host-identity-tag.ts';
import { parseInterfaceName } from '../values/interface-name.ts';
import { type InterfaceIdSetting, type MarkSetting, parseInterfaceId, parseMark } from '../values/mark.ts';
import { parseBoolean, parseBytes, parseCount, parseDuration, parseNumber } from '../values/quantity.ts';
import { parseSecret } from '../values/secret.ts';
import { parseSelector } from '../values/selector.ts';
import { textFromUtf8 } from '../values/utf8.ts';
import type { Option } from './option.ts';

/** From the name of a type to what its values are read as. Durations are milliseconds. */
export interface ValueTypes {
  boolean: boolean;
  duration: number;
  bytes: number;
  count: number;
  number: number;
  choice: string;
  choices: readonly string[];
  text: string;
  texts: readonly string[];
  authentication: string;
  identity: string;
  files: readonly (string | Uint8Array)[];
  secret: Uint8Array;
  passphrase: string;
  'remote-addresses': readonly RemoteAddress[];
  'ipv4-address': IpAddress;
  'ip-addresses': readonly IpAddress[];
  hit: Hit;
  'pool-addresses': Prefix | { readonly start: IpAddress; readonly end: IpAddress };
  blocks: readonly Prefix[];
  'ike-proposals': readonly Proposal[];
  'esp-proposals': readonly Proposal[];
  'ah-proposals': readonly Proposal[];
  selectors: readonly ChildSelector[];
  padding: number | 'mtu';
  mark: MarkSetting;
  'interface-id': InterfaceIdSetting;
  'interface-name': string;
  codepoint: string;
}

type Given = Exclude<SettingValue, undefined>;

/** @throws BadValue, UnsupportedValue */
export function parseValue<K extends keyof ValueTypes>(type: K, value: Given, option: Option): ValueTypes[K] {
  return parsers[type](value, option);
}

/** How the documentation calls a type. */
export const typeNames: Readonly<Record<keyof ValueTypes, string>> = {
  boolean: 'yes or no',
  duration: 'time',
  bytes: 'octets',
  count: 'number',
  number: 'fraction',
  choice: 'choice',
  choices: 'list',
  text: 'text',
  texts: 'list of texts',
  authentication: 'authentication',
  identity: 'identity',
  files: 'list of files',
  secret: 'secret',
  passphrase: 'passphrase',
  'remote-addresses': 'list of addresses, blocks, ranges and host names',
  'ipv4-address': 'IPv4 address',
  'ip-addresses': 'list of addresses',
  hit: 'HIT',
  'pool-addresses': 'block or range',
  blocks: 'list of blocks',
  'ike-proposals': 'list of IKE proposals',
  'esp-proposals': 'list of ESP proposals',
  'ah-proposals': 'list of AH proposals',
  selectors: 'list of traffic selectors',
  padding: 'octets or mtu',
  mark: 'mark',
  'interface-id': 'number or %unique',
  'interface-name': 'name of an interface',
  codepoint: 'six binary digits',
};

const parsers: {
  readonly [K in keyof ValueTypes]: (value: Given, option: Option) => ValueTypes[K];
} = {
  boolean: (value) => parseBoolean(single(value)),
  duration: (value) => parseDuration(single(value)),
  bytes: (value) => parseBytes(single(value)),
  count: (value, option) =>
    parseCount(single(value), option.minimum ?? 0, option.maximum ?? Number.MAX_SAFE_INTEGER),
  number: (value, option) => parseNumber(single(value), option.minimum ?? 0, option.maximum ?? 1e9),
  choice: (value, option) => parseChoice(single(value), option),
  choices: (value, option) => items(value, 'choices', (text) => parseChoice(text, option)),
  text: (value) => parseText(single(value)),
  texts: (value) => items(value, 'texts', parseText),
  authentication: (value, option) => parseAuthentication(single(value), option.values ?? []),
  identity: (value) => parseText(single(value)),
  files: (value) => parseFiles(value),
  secret: (value) => (value instanceof Uint8Array ? value : parseSecret(asWritten(value))),
  passphrase: (value) => parsePassphrase(asWritten(value)),
  'remote-addresses': (value) => items(value, 'addresses', parseRemoteAddress),
  'ipv4-address': (value) => parseIpv4Address(single(value)),
  hit: (value) => parseHit(single(value)),
  'ip-addresses': (value) => items(value, 'addresses', parseIpAddress),
  'pool-addresses': (value) => parsePoolAddresses(single(value)),
  blocks: (value) => items(value, 'address blocks', parseBlock),
  'ike-proposals': (value) => items(value, 'proposals', (text) => parseProposals('ike', text)).flat(),
  'esp-proposals': (value) => items(value, 'proposals', (text) => parseProposals('esp', text)).flat(),
  'ah-proposals': (value) => items(value, 'proposals', (text) => parseProposals('ah', text)).flat(),
  selectors: (value) => items(value, 'traffic selectors', parseSelector),
  padding: (value) => (single(value) === 'mtu' ? 'mtu' : parsePadding(single(value))),
  mark: (value) => parseMark(single(value)),
  'interface-id': (value) => parseInterfaceId(single(value)),
  'interface-name': (value) => parseInterfaceName(single(value)),
  codepoint: (value) => parseCodepoint(single(value)),
};

function single(value: Given): string {
  return asWritten(value).trim();
}

/** With blanks at its ends, which quotes can give a value. */
function asWritten(value: Given): string {
  if (typeof value === 'string') return value;
  const text = value instanceof Uint8Array ? textFromUtf8(value) : undefined;
  if (text === undefined) throw new BadValue('one text');
  return text;
}

function parsePassphrase(text: string): string {
  if (text === '') throw new BadValue('a passphrase');
  return text;
}

/** A list is separated by commas in text, and is one already in a vici message. */
function items<T>(value: Given, what: string, parse: (text: string) => T): readonly T[] {
  const texts =
    typeof value === 'string' || value instanceof Uint8Array
      ? single(value).split(',')
      : value.map((item) => single(item));
  const present = texts.map((text) => text.trim()).filter((text) => text !== '');
  if (present.length === 0) throw new BadValue(`a list of ${what}`);
  return present.map((text) => {
    try {
      return parse(text);
    } catch (error) {
      throw error instanceof BadValue && present.length > 1 ? new BadValue(error.message, text) : error;
    }
  });
}

function parseFiles(value: Given): readonly (string | Uint8Array)[] {
  if (typeof value === 'string') return items(value, 'files', parseText);
  return value instanceof Uint8Array ? [value] : value;
}

function parseText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (text === '' || /[\u0000-\u001f\u007f]/.test(text))
    throw new BadValue('text without control characters');
  return text;
}

function parseChoice(text: string, option: Option): string {
  const word = text.toLowerCase();
  const values = option.values ?? [];
  if (values.includes(word)) return word;
  const meant = Object.entries(option.aliases ?? {}).find(([alias]) => alias === word);
  if (meant !== undefined) return meant[1];
  const accepted = values.map((value) => `"${value}"`).join(', ');
  if (option.otherValues?.includes(word)) {
    throw new UnsupportedValue(`"${word}" is not supported; accepted: ${accepted}`);
  }
  throw new BadValue(values.length === 1 ? accepted : `one of ${accepted}`);
}

function parsePadding(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw new BadValue('a number of octets up to 65535, or "mtu"');
  }
  return Number(text);
}

function parseCodepoint(text: string): string {
  if (!/^[01]{6}$/.test(text)) throw new BadValue('six binary digits, for example "000000"');
  return text;
}
