// Algorithms under the names by which charon lists them.
import {
  algorithmKeywords,
  type ChildSuite,
  Encr,
  type EncryptionChoice,
  type IkeSuite,
  Integ,
  isCombinedMode,
  Ke,
  Prf,
  takesKeyLength,
} from '#sa';
import { TransformType, type ViciMessage } from '#wire';

/** Where charon's name is not ours. */
const renamed: Readonly<Record<string, string>> = {
  '3DES': '3DES_CBC',
  NULL_AUTH_AES_GMAC: 'NULL_AES_GMAC',
  CURVE25519: 'CURVE_25519',
  CURVE448: 'CURVE_448',
  BRAINPOOL_256: 'ECP_256_BP',
  BRAINPOOL_384: 'ECP_384_BP',
  BRAINPOOL_512: 'ECP_512_BP',
};

function nameOf(table: Readonly<Record<string, number>>, id: number): string {
  const name = Object.keys(table).find((key) => table[key] === id);
  return name === undefined ? `UNKNOWN_${id}` : (renamed[name] ?? name);
}

const prfName = (id: number): string => `PRF_${nameOf(Prf, id)}`;

function encryptionOf({ id, keyLengthBits }: EncryptionChoice): ViciMessage {
  return {
    'encr-alg': nameOf(Encr, id),
    ...(takesKeyLength(id) ? { 'encr-keysize': String(keyLengthBits) } : {}),
  };
}

/** `encr-alg` and what stands beside it in sections of SAs. */
export function suiteNames(suite: IkeSuite | ChildSuite): ViciMessage {
  const combined = suite.encr !== undefined && isCombinedMode(suite.encr.id);
  return {
    ...(suite.encr === undefined ? {} : encryptionOf(suite.encr)),
    ...(suite.integ === undefined || combined ? {} : { 'integ-alg': nameOf(Integ, suite.integ) }),
    ...('prf' in suite ? { 'prf-alg': prfName(suite.prf) } : {}),
    ...(suite.ke ? { 'dh-group': nameOf(Ke, suite.ke) } : {}),
    ...('esn' in suite && suite.esn ? { esn: '1' } : {}),
  };
}

/** Who provides an algorithm: charon names its plugins. */
const provider = 'wayward';

/** Everything that proposals can name and this daemon can do, by kind. */
export function supportedAlgorithms(): ViciMessage {
  const kinds: Record<string, Record<string, string>> = {
    encryption: {},
    integrity: {},
    aead: {},
    prf: {},
    dh: {},
  };
  for (const algorithm of algorithmKeywords) {
    if (!algorithm.supported) continue;
    const { type, id } = algorithm.transform;
    switch (type) {
      case TransformType.ENCR:
        kinds[isCombinedMode(id) ? 'aead' : 'encryption']![nameOf(Encr, id)] = provider;
        break;
      case TransformType.INTEG:
        if (id !== Integ.NONE) kinds['integrity']![nameOf(Integ, id)] = provider;
        break;
      case TransformType.PRF:
        kinds['prf']![prfName(id)] = provider;
        break;
      case TransformType.KE:
        if (id !== Ke.NONE) kinds['dh']![nameOf(Ke, id)] = provider;
        break;
    }
  }
  return kinds;
}
