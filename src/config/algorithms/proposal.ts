// Proposal text -> transforms: `aes128gcm16-prfsha256-x25519`, `aes256-sha256-modp2048`, `default`.
import {
  algorithmKeywords,
  algorithmOfKeyword,
  Encr,
  Esn,
  Integ,
  isCombinedMode,
  Ke,
  Prf,
  type Proposal,
  type Transform,
} from '#sa';
import { TransformType } from '#wire';
import { didYouMean } from '../suggestion.ts';
import { BadValue, UnsupportedValue } from '../values/bad-value.ts';

export type ProposalProtocol = Proposal['protocol'];

/**
 * What `default` stands for, in order of preference. Combined-mode ciphers come first and, as RFC 7296 3.3 demands,
 * apart from ciphers with a separate integrity algorithm. Nothing here is below 128 bits of strength but modp2048,
 * which stays last for old peers; SHA-1, 3DES and CTR have to be asked for by name.
 */
export const defaultProposals: Readonly<Record<ProposalProtocol, readonly string[]>> = {
  ike: [
    'aes128gcm16-aes256gcm16-chacha20poly1305-prfsha256-prfsha384-prfsha512-x25519-ecp256-ecp384-ecp521-x448-modp3072-modp4096-modp2048',
    'aes128-aes192-aes256-prfsha256-prfsha384-prfsha512-sha256-sha384-sha512-x25519-ecp256-ecp384-ecp521-x448-modp3072-modp4096-modp2048',
  ],
  esp: ['aes128gcm16-aes256gcm16-chacha20poly1305', 'aes128-aes192-aes256-sha256-sha384-sha512'],
  ah: ['sha256-sha384-sha512'],
};

/**
 * One proposal or `default`. Alternatives are grouped by transform type, in the order in which they are written.
 *
 * @throws BadValue, UnsupportedValue
 */
export function parseProposals(protocol: ProposalProtocol, text: string): readonly Proposal[] {
  return text === 'default'
    ? defaultProposals[protocol].map((one) => parseProposal(protocol, one))
    : [parseProposal(protocol, text)];
}

function parseProposal(protocol: ProposalProtocol, text: string): Proposal {
  const transforms: Transform[] = [];
  for (const keyword of text.split('-')) {
    const algorithm = algorithmOfKeyword(keyword);
    if (algorithm === undefined) {
      // RFC 9370, as strongSwan 6 writes it.
      if (/^ke[1-7]_\w+$/.test(keyword)) {
        throw new UnsupportedValue(`"${keyword}" (an additional key exchange) is not supported`);
      }
      const names = algorithmKeywords.filter((one) => one.supported).map((one) => one.keyword);
      throw new BadValue(`algorithm keywords, but "${keyword}" is none${didYouMean(keyword, names)}`);
    }
    if (!algorithm.supported) {
      throw new UnsupportedValue(`"${keyword}" (${algorithm.what}) is not supported`);
    }
    if (!transforms.some((known) => sameTransform(known, algorithm.transform))) {
      transforms.push(algorithm.transform);
    }
  }
  const completed = protocol === 'ike' ? completeIke(transforms) : completeIpsec(protocol, transforms);
  return { protocol, transforms: [...completed].sort((a, b) => a.type - b.type) };
}

/** RFC 7296 3.3.3: ENCR, PRF, KE and, unless the ciphers are combined ones, INTEG. */
function completeIke(transforms: readonly Transform[]): readonly Transform[] {
  const unfit = ofType(transforms, TransformType.ENCR).find(
    ({ id }) => id === Encr.NULL || id === Encr.NULL_AUTH_AES_GMAC,
  );
  if (unfit !== undefined) throw new BadValue('a cipher that encrypts: IKE is never sent in the clear');
  if (ofType(transforms, TransformType.ESN).length > 0) {
    throw new BadValue('an IKE proposal, in which "esn" and "noesn" have no meaning');
  }
  const combined = cipherKind(transforms);
  const integrity = ofType(transforms, TransformType.INTEG);
  if (!combined && integrity.length === 0) throw new BadValue('an integrity algorithm, for example "sha256"');
  let prfs = ofType(transforms, TransformType.PRF);
  // As swanctl.conf has it: without a PRF, the integrity algorithms say which.
  if (prfs.length === 0) {
    prfs = integrity.map(({ id }) => ({ type: TransformType.PRF, id: prfOfIntegrity.get(id)! }));
  }
  if (prfs.length === 0) throw new BadValue('a pseudorandom function, for example "prfsha256"');
  const groups = ofType(transforms, TransformType.KE).filter(({ id }) => id !== Ke.NONE);
  if (groups.length === 0) throw new BadValue('a key exchange method, for example "x25519"');
  const encryption = ofType(transforms, TransformType.ENCR);
  // RFC 5282 8: no integrity algorithm beside a combined-mode cipher; there it has only named the PRF.
  return [...encryption, ...prfs, ...(combined ? [] : integrity), ...groups];
}

/** RFC 7296 3.3.3: ENCR or, for AH, INTEG, and always ESN. */
function completeIpsec(protocol: 'esp' | 'ah', transforms: readonly Transform[]): readonly Transform[] {
  if (ofType(transforms, TransformType.PRF).length > 0) {
    throw new BadValue(
      `an ${protocol.toUpperCase()} proposal, in which a pseudorandom function has no meaning`,
    );
  }
  const encryption = ofType(transforms, TransformType.ENCR);
  const integrity = ofType(transforms, TransformType.INTEG);
  let combined = false;
  if (protocol === 'ah') {
    if (encryption.length > 0) throw new BadValue('an AH proposal, in which a cipher has no meaning');
    if (integrity.length === 0) throw new BadValue('an integrity algorithm, for example "sha256"');
  } else {
    combined = cipherKind(transforms);
    // Encryption without integrity is possible in ESP and broken in practice (RFC 4303 5, RFC 8221 5).
    if (!combined && integrity.length === 0)
      throw new BadValue('an integrity algorithm, for example "sha256"');
  }
  const esn = ofType(transforms, TransformType.ESN);
  return [
    ...encryption,
    ...(combined ? [] : integrity),
    ...ofType(transforms, TransformType.KE),
    ...(esn.length > 0 ? esn : [{ type: TransformType.ESN, id: Esn.NO }]),
  ];
}

/** Whether the ciphers are combined ones: all or none, as both kinds need proposals of their own (RFC 7296 3.3). */
function cipherKind(transforms: readonly Transform[]): boolean {
  const encryption = ofType(transforms, TransformType.ENCR);
  if (encryption.length === 0) throw new BadValue('a cipher, for example "aes128gcm16"');
  const combined = encryption.filter(({ id }) => isCombinedMode(id));
  if (combined.length > 0 && combined.length < encryption.length) {
    throw new BadValue('combined-mode ciphers (gcm, ccm, gmac, chacha20poly1305) in a proposal of their own');
  }
  return combined.length > 0;
}

function ofType(transforms: readonly Transform[], type: number): readonly Transform[] {
  return transforms.filter((transform) => transform.type === type);
}

function sameTransform(a: Transform, b: Transform): boolean {
  return a.type === b.type && a.id === b.id && a.keyLengthBits === b.keyLengthBits;
}

const prfOfIntegrity: ReadonlyMap<number, number> = new Map([
  [Integ.HMAC_SHA1_96, Prf.HMAC_SHA1],
  [Integ.HMAC_SHA2_256_128, Prf.HMAC_SHA2_256],
  [Integ.HMAC_SHA2_384_192, Prf.HMAC_SHA2_384],
  [Integ.HMAC_SHA2_512_256, Prf.HMAC_SHA2_512],
  [Integ.AES_XCBC_96, Prf.AES128_XCBC],
  [Integ.AES_CMAC_96, Prf.AES128_CMAC],
]);
