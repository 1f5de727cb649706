// Agreed suites as text, in the keywords of swanctl.conf.
import { TransformType } from '#wire';
import { formatTransform } from './algorithm-keywords.ts';
import {
  type ChildSuite,
  type EncryptionChoice,
  Esn,
  type IkeSuite,
  isCombinedMode,
  type Transform,
  takesKeyLength,
} from './algorithms.ts';

function encryption({ id, keyLengthBits }: EncryptionChoice): Transform {
  return { type: TransformType.ENCR, id, ...(takesKeyLength(id) ? { keyLengthBits } : {}) };
}

/** `aes128gcm16-prfsha256-x25519` of an IKE SA, `aes128-sha256-esn` of a Child SA. */
export function formatSuite(suite: IkeSuite | ChildSuite): string {
  const transforms: Transform[] = [];
  if (suite.encr !== undefined) transforms.push(encryption(suite.encr));
  const combined = suite.encr !== undefined && isCombinedMode(suite.encr.id);
  if (suite.integ !== undefined && !combined) transforms.push({ type: TransformType.INTEG, id: suite.integ });
  if ('prf' in suite) transforms.push({ type: TransformType.PRF, id: suite.prf });
  if (suite.ke !== undefined && suite.ke !== 0) transforms.push({ type: TransformType.KE, id: suite.ke });
  if ('esn' in suite && suite.esn) transforms.push({ type: TransformType.ESN, id: Esn.YES });
  return transforms.map(formatTransform).join('-');
}
