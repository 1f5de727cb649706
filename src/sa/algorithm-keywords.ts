// Algorithm keywords as swanctl.conf writes them: the bridge between people's text and transform identifiers.
import { TransformType } from '#wire';
import { Encr, Esn, Integ, Ke, Prf, type Proposal, type Transform } from './algorithms.ts';

/** What a keyword names: a transform, or something other IKE daemons know and wayward does not do. */
export type AlgorithmKeyword =
  | { readonly keyword: string; readonly supported: true; readonly transform: Transform }
  | { readonly keyword: string; readonly supported: false; readonly type: number; readonly what: string };

/** In order of preference for printing: the first keyword of a transform is the one `formatTransform` gives. */
export const algorithmKeywords: readonly AlgorithmKeyword[] = [
  ...[128, 192, 256].flatMap((bits) => aesKeywords(bits)),
  works('aes', TransformType.ENCR, Encr.AES_CBC, 128),
  works('chacha20poly1305', TransformType.ENCR, Encr.CHACHA20_POLY1305),
  works('3des', TransformType.ENCR, Encr['3DES']),
  works('null', TransformType.ENCR, Encr.NULL),
  works('sha256', TransformType.INTEG, Integ.HMAC_SHA2_256_128),
  works('sha2_256', TransformType.INTEG, Integ.HMAC_SHA2_256_128),
  works('sha384', TransformType.INTEG, Integ.HMAC_SHA2_384_192),
  works('sha2_384', TransformType.INTEG, Integ.HMAC_SHA2_384_192),
  works('sha512', TransformType.INTEG, Integ.HMAC_SHA2_512_256),
  works('sha2_512', TransformType.INTEG, Integ.HMAC_SHA2_512_256),
  works('sha1', TransformType.INTEG, Integ.HMAC_SHA1_96),
  works('sha', TransformType.INTEG, Integ.HMAC_SHA1_96),
  works('aesxcbc', TransformType.INTEG, Integ.AES_XCBC_96),
  works('aescmac', TransformType.INTEG, Integ.AES_CMAC_96),
  works('prfsha256', TransformType.PRF, Prf.HMAC_SHA2_256),
  works('prfsha384', TransformType.PRF, Prf.HMAC_SHA2_384),
  works('prfsha512', TransformType.PRF, Prf.HMAC_SHA2_512),
  works('prfsha1', TransformType.PRF, Prf.HMAC_SHA1),
  works('prfaesxcbc', TransformType.PRF, Prf.AES128_XCBC),
  works('prfaescmac', TransformType.PRF, Prf.AES128_CMAC),
  works('x25519', TransformType.KE, Ke.CURVE25519),
  works('curve25519', TransformType.KE, Ke.CURVE25519),
  works('x448', TransformType.KE, Ke.CURVE448),
  works('curve448', TransformType.KE, Ke.CURVE448),
  works('ecp256', TransformType.KE, Ke.ECP_256),
  works('ecp384', TransformType.KE, Ke.ECP_384),
  works('ecp521', TransformType.KE, Ke.ECP_521),
  works('ecp256bp', TransformType.KE, Ke.BRAINPOOL_256),
  works('ecp384bp', TransformType.KE, Ke.BRAINPOOL_384),
  works('ecp512bp', TransformType.KE, Ke.BRAINPOOL_512),
  works('modp2048', TransformType.KE, Ke.MODP_2048),
  works('modp3072', TransformType.KE, Ke.MODP_3072),
  works('modp4096', TransformType.KE, Ke.MODP_4096),
  works('modp6144', TransformType.KE, Ke.MODP_6144),
  works('modp8192', TransformType.KE, Ke.MODP_8192),
  works('none', TransformType.KE, Ke.NONE),
  works('modpnone', TransformType.KE, Ke.NONE),
  works('noesn', TransformType.ESN, Esn.NO),
  works('esn', TransformType.ESN, Esn.YES),
  ...known(TransformType.ENCR, 'DES', ['des']),
  ...known(TransformType.ENCR, 'Blowfish', ['blowfish', 'blowfish128', 'blowfish192', 'blowfish256']),
  ...known(TransformType.ENCR, 'CAST-128', ['cast128']),
  ...known(TransformType.ENCR, 'Serpent', ['serpent', 'serpent128', 'serpent192', 'serpent256']),
  ...known(TransformType.ENCR, 'Twofish', ['twofish', 'twofish128', 'twofish192', 'twofish256']),
  ...known(TransformType.ENCR, 'Camellia', [
    'camellia',
    ...[128, 192, 256].flatMap((b) => camelliaKeywords(b)),
  ]),
  ...known(TransformType.ENCR, 'ChaCha20-Poly1305 with a key length attribute', ['chacha20poly1305compat']),
  ...known(TransformType.INTEG, 'HMAC-MD5', ['md5', 'md5_128']),
  ...known(TransformType.INTEG, 'HMAC-SHA1 with 160 bits', ['sha1_160']),
  ...known(TransformType.INTEG, 'HMAC-SHA-256 with 96 bits', ['sha256_96', 'sha2_256_96']),
  ...known(TransformType.INTEG, 'Camellia-XCBC', ['camelliaxcbc']),
  ...known(TransformType.PRF, 'HMAC-MD5', ['prfmd5']),
  ...known(TransformType.PRF, 'Camellia-XCBC', ['prfcamelliaxcbc']),
  ...known(TransformType.KE, 'a MODP group below 2048 bits', ['modp768', 'modp1024', 'modp1536']),
  ...known(TransformType.KE, 'a MODP group of RFC 5114', ['modp1024s160', 'modp2048s224', 'modp2048s256']),
  ...known(TransformType.KE, 'an elliptic curve below 256 bits', ['ecp192', 'ecp224', 'ecp224bp']),
  ...known(TransformType.KE, 'NTRU', ['ntru112', 'ntru128', 'ntru192', 'ntru256']),
  ...known(TransformType.KE, 'NewHope', ['newhope128']),
  ...known(TransformType.KE, 'a null or custom group', ['modpnull', 'modpcustom']),
];

/** The keyword's meaning, or `undefined` if it has none. */
export function algorithmOfKeyword(keyword: string): AlgorithmKeyword | undefined {
  return byKeyword.get(keyword);
}

/** `aes128gcm16`; a transform without a keyword is shown as `type/id`. */
export function formatTransform(transform: Transform): string {
  return byTransform.get(transformKey(transform)) ?? `${transform.type}/${transform.id}`;
}

/** `aes128gcm16-prfsha256-x25519`, with `noesn` left out as it is what text means by default. */
export function formatProposal(proposal: Proposal): string {
  const esn = proposal.transforms.filter((transform) => transform.type === TransformType.ESN);
  const onlyNoEsn = esn.length === 1 && esn[0]!.id === Esn.NO;
  return proposal.transforms
    .filter((transform) => transform.type !== TransformType.ESN || !onlyNoEsn)
    .map(formatTransform)
    .join('-');
}

function aesKeywords(bits: number): AlgorithmKeyword[] {
  const encr = (name: string, id: number): AlgorithmKeyword =>
    works(`aes${bits}${name}`, TransformType.ENCR, id, bits);
  return [
    encr('', Encr.AES_CBC),
    encr('ctr', Encr.AES_CTR),
    ...['gcm16', 'gcm128', 'gcm'].map((name) => encr(name, Encr.AES_GCM_16)),
    ...['gcm12', 'gcm96'].map((name) => encr(name, Encr.AES_GCM_12)),
    ...['gcm8', 'gcm64'].map((name) => encr(name, Encr.AES_GCM_8)),
    ...['ccm16', 'ccm128', 'ccm'].map((name) => encr(name, Encr.AES_CCM_16)),
    ...['ccm12', 'ccm96'].map((name) => encr(name, Encr.AES_CCM_12)),
    ...['ccm8', 'ccm64'].map((name) => encr(name, Encr.AES_CCM_8)),
    encr('gmac', Encr.NULL_AUTH_AES_GMAC),
  ];
}

function camelliaKeywords(bits: number): string[] {
  const modes = ['', 'ctr', 'ccm', 'ccm8', 'ccm64', 'ccm12', 'ccm96', 'ccm16', 'ccm128'];
  return modes.map((mode) => `camellia${bits}${mode}`);
}

function works(keyword: string, type: number, id: number, keyLengthBits?: number): AlgorithmKeyword {
  const transform = keyLengthBits === undefined ? { type, id } : { type, id, keyLengthBits };
  return { keyword, supported: true, transform };
}

function known(type: number, what: string, keywords: readonly string[]): AlgorithmKeyword[] {
  return keywords.map((keyword) => ({ keyword, supported: false, type, what }));
}

function transformKey(transform: Transform): string {
  return `${transform.type}/${transform.id}/${transform.keyLengthBits ?? ''}`;
}

const byKeyword: ReadonlyMap<string, AlgorithmKeyword> = new Map(
  algorithmKeywords.map((algorithm) => [algorithm.keyword, algorithm]),
);

/** Reversed, so that the first keyword of a transform is the one that stays. */
const byTransform: ReadonlyMap<string, string> = new Map([
  // Not to be asked for, but a peer of HIP may need it.
  [transformKey({ type: TransformType.INTEG, id: Integ.HMAC_SHA2_256_96 }), 'sha256_96'],
  ...algorithmKeywords
    .filter((algorithm) => algorithm.supported)
    .reverse()
    .map((algorithm) => [transformKey(algorithm.transform), algorithm.keyword] as const),
]);
