// Files of certificates and revocation lists, PEM or DER.
import { CryptoError } from '../error.ts';
import { isPem, pemBlocks } from '../pem/pem.ts';
import type { Certificate } from './certificate.ts';
import { parseCertificate } from './recent-certificates.ts';
import { parseRevocationList, type RevocationList } from './revocation-list.ts';

/**
 * All certificates of a file, in order. Blocks of other kinds, a key beside its certificate for example, are skipped.
 * @throws CryptoError `bad-pem`; `bad-certificate`, `unsupported` naming the line of the block
 */
export function certificatesFromPem(file: string | Uint8Array): Certificate[] {
  return objectsFromFile(file, /^(X509 |)CERTIFICATE$/, 'certificate', parseCertificate);
}

/**
 * All certificate revocation lists of a file, in order.
 * @throws CryptoError `bad-pem`; `bad-certificate` naming the line of the block
 */
export function revocationListsFromPem(file: string | Uint8Array): RevocationList[] {
  return objectsFromFile(file, /^X509 CRL$/, 'revocation list', parseRevocationList);
}

function objectsFromFile<T>(
  file: string | Uint8Array,
  label: RegExp,
  kind: string,
  parse: (der: Uint8Array) => T,
): T[] {
  if (typeof file !== 'string' && !isPem(file)) return [parse(file)];
  const blocks = pemBlocks(typeof file === 'string' ? file : new TextDecoder().decode(file));
  const wanted = blocks.filter((block) => label.test(block.label));
  if (wanted.length === 0) throw new CryptoError('bad-pem', `no ${kind} in the file`);
  return wanted.map((block) => {
    try {
      return parse(block.der);
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      throw new CryptoError(error.code, `line ${block.line}: ${error.message}`);
    }
  });
}
