// Proposals as swanctl.conf writes them, also those of algorithms that nobody should use any more.
import { defaultKeyLengthBits } from '#crypto';
import {
  type ChildSuite,
  Esn,
  formatTransform,
  type IkeSuite,
  isCombinedMode,
  spiFromBytes,
  type Transform,
} from '#sa';
import { TransformType, type WireProposal, type WireTransform } from '#wire';
import { explainLimits } from '../limits.ts';

/** RFC 7296 3.3.5 */
const keyLengthAttribute = 14;

/** What other daemons still offer and this one does not do, under their keywords. */
const legacy: Readonly<Record<string, string>> = {
  '1/1': 'des',
  '1/2': 'des',
  '1/7': 'blowfish',
  '1/23': 'camellia',
  '1/24': 'camelliactr',
  '1/25': 'camelliaccm8',
  '1/26': 'camelliaccm12',
  '1/27': 'camelliaccm16',
  '2/1': 'prfmd5',
  '3/1': 'md5',
  '3/6': 'md5_128',
  '3/7': 'sha1_160',
  '4/1': 'modp768',
  '4/2': 'modp1024',
  '4/5': 'modp1536',
  '4/22': 'modp1024s160',
  '4/23': 'modp2048s224',
  '4/24': 'modp2048s256',
  '4/25': 'ecp192',
  '4/26': 'ecp224',
  '4/27': 'ecp224bp',
  '4/35': 'mlkem512',
  '4/36': 'mlkem768',
  '4/37': 'mlkem1024',
};

/** Broken or too short, as RFC 8247 and RFC 8221 say: most peers refuse them unless told otherwise. */
const weak: ReadonlySet<string> = new Set([
  'des',
  'blowfish',
  'prfmd5',
  'md5',
  'md5_128',
  'modp768',
  'modp1024',
  'modp1024s160',
]);

export const transformTypeNames: Readonly<Record<number, string>> = {
  [TransformType.ENCR]: 'encryption',
  [TransformType.PRF]: 'PRF',
  [TransformType.INTEG]: 'integrity',
  [TransformType.KE]: 'key exchange',
  [TransformType.ESN]: 'sequence numbers',
};

function transformOf({ type, id, attributes }: WireTransform): Transform {
  const length = attributes.find((attribute) => attribute.type === keyLengthAttribute)?.value;
  return typeof length === 'number' ? { type, id, keyLengthBits: length } : { type, id };
}

/** `aes128gcm16`; `encryption 99` of what has no name here. */
export function transformText(wire: WireTransform): string {
  const transform = transformOf(wire);
  const old = legacy[`${wire.type}/${wire.id}`];
  if (old !== undefined) return old.replace(/^camellia/, `camellia${transform.keyLengthBits ?? ''}`);
  const text = formatTransform(transform);
  return text.includes('/') ? `${transformTypeNames[wire.type] ?? `type ${wire.type}`} ${wire.id}` : text;
}

const order: readonly number[] = [
  TransformType.ENCR,
  TransformType.INTEG,
  TransformType.PRF,
  TransformType.KE,
  TransformType.ESN,
];

/** One proposal: alternatives of one kind side by side, as swanctl.conf has them. */
export function proposalText(
  { transforms }: WireProposal,
  transformsMax: number = explainLimits.transformsTold,
): string {
  const told = transforms
    .filter(({ type, id }) => !(type === TransformType.ESN && id === Esn.NO))
    // NONE says no more than its absence.
    .filter(({ type, id }) => !(id === 0 && (type === TransformType.INTEG || type === TransformType.KE)))
    .toSorted((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
  const words = told.slice(0, transformsMax).map(transformText);
  return [...words, ...(told.length > words.length ? ['...'] : [])].join('-') || 'nothing';
}

/** In full, as far as its length is bearable. */
export function offerText(proposals: readonly WireProposal[]): string {
  const { proposalsTold, transformsTold } = explainLimits;
  return listed(proposals, proposalsTold, transformsTold);
}

/** So much as fits a sentence. */
export function briefOfferText(proposals: readonly WireProposal[]): string {
  return listed(proposals, 3, 6);
}

function listed(proposals: readonly WireProposal[], proposalsMax: number, transformsMax: number): string {
  const words = proposals.slice(0, proposalsMax).map((proposal) => proposalText(proposal, transformsMax));
  const more = proposals.length - words.length;
  return [...words, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

/** Transforms of one type in all proposals, by their words. */
function wordsOfType(proposals: readonly WireProposal[], type: number): Set<string> {
  return new Set(
    proposals.flatMap(({ transforms }) => transforms.filter((one) => one.type === type).map(transformText)),
  );
}

/** For which types of transform two offers have nothing in common; both must have the type. */
export function nothingInCommon(
  one: readonly WireProposal[],
  other: readonly WireProposal[],
): { readonly type: number; readonly one: string; readonly other: string }[] {
  return order.flatMap((type) => {
    const [mine, theirs] = [wordsOfType(one, type), wordsOfType(other, type)];
    if (mine.size === 0 || theirs.size === 0 || [...mine].some((word) => theirs.has(word))) return [];
    return [{ type, one: [...mine].join(' '), other: [...theirs].join(' ') }];
  });
}

/** The weak words of an offer, if for some type it has no others. */
export function onlyWeak(proposals: readonly WireProposal[]): string[] {
  return order.flatMap((type) => {
    const words = [...wordsOfType(proposals, type)];
    return words.length > 0 && words.every((word) => weak.has(word)) ? words : [];
  });
}

function idOf(proposal: WireProposal, type: number): number | undefined {
  return proposal.transforms.find((transform) => transform.type === type)?.id;
}

function encryptionOf(proposal: WireProposal): { id: number; keyLengthBits: number } | undefined {
  const transform = proposal.transforms.find(({ type }) => type === TransformType.ENCR);
  if (transform === undefined) return undefined;
  const { id, keyLengthBits } = transformOf(transform);
  return { id, keyLengthBits: keyLengthBits ?? defaultKeyLengthBits(id) ?? 0 };
}

/** The suite that a chosen proposal of an IKE SA is; undefined if it is no complete one. */
export function ikeSuiteOf(proposal: WireProposal): IkeSuite | undefined {
  const encr = encryptionOf(proposal);
  const prf = idOf(proposal, TransformType.PRF);
  const ke = idOf(proposal, TransformType.KE);
  const integ = idOf(proposal, TransformType.INTEG);
  if (encr === undefined || prf === undefined) return undefined;
  const withMac = integ !== undefined && !isCombinedMode(encr.id);
  return { encr, prf, ke: ke ?? 0, ...(withMac ? { integ } : {}) };
}

/** The suite and SPI that a chosen proposal of a Child SA is. */
export function childSuiteOf(proposal: WireProposal): { suite: ChildSuite; spi: number } | undefined {
  const spi = spiFromBytes(proposal.spi);
  if (spi === undefined) return undefined;
  const encr = encryptionOf(proposal);
  const integ = idOf(proposal, TransformType.INTEG);
  const suite: ChildSuite = {
    protocol: proposal.protocolId === 2 ? 'ah' : 'esp',
    esn: idOf(proposal, TransformType.ESN) === Esn.YES,
    ...(encr === undefined ? {} : { encr }),
    ...(integ === undefined || integ === 0 ? {} : { integ }),
  };
  return { suite, spi };
}
