// A host for tests: files in memory, certificates and keys as readable words, identities as their text.
import { hitOfHostIdentity, type PublicKey } from '#crypto';
import { HiAlgorithm, IdType } from '#wire';
import type { ConfigurationPorts } from '../ports.ts';
import { textFromUtf8, utf8FromText } from '../values/utf8.ts';

/** Thrown by the readers below, with a code as the real ones have it. */
class FormatError extends Error {
  readonly code = 'bad-format';
}

/**
 * Files by path. A certificate's file reads `certificate NAME`, a key's `key NAME` or, encrypted, `key NAME PASSPHRASE`;
 * both belong together if the names are the same; a key whose name begins with `ed` makes no Host Identity. A file whose text is `!` and a reason cannot be read.
 */
export function memoryHost(files: Readonly<Record<string, string>> = {}): ConfigurationPorts {
  return {
    readFiles(pattern, relativeTo) {
      const folder = relativeTo.slice(0, relativeTo.lastIndexOf('/') + 1);
      const wanted = new RegExp(`^${globToRegExp(pattern.startsWith('/') ? pattern : folder + pattern)}$`);
      return Object.keys(files)
        .filter((path) => wanted.test(path))
        .sort()
        .map((path) => {
          const text = files[path]!;
          return text.startsWith('!')
            ? { path, problem: text.slice(1) }
            : { path, octets: utf8FromText(text) };
        });
    },
    certificatesFromPem: (file) => {
      const [kind, name] = words(file);
      if (kind !== 'certificate' || name === undefined) throw new FormatError('no certificate');
      return [{ der: utf8FromText(`DER ${name}`), publicKey: publicKey(name) }];
    },
    revocationListsFromPem: (file) => {
      const [kind, name] = words(file);
      if (kind !== 'list' || name === undefined) throw new FormatError('no revocation list');
      return [{ der: utf8FromText(`DER list ${name}`) }];
    },
    privateKeyFromPem: (file, passphrase) => {
      const [kind, name, encryption] = words(file);
      if (kind !== 'key' || name === undefined) throw new FormatError('no private key');
      if (encryption !== undefined && encryption !== passphrase) {
        throw new FormatError(passphrase === undefined ? 'passphrase needed' : 'wrong passphrase');
      }
      return { publicKey: publicKey(name) };
    },
    hostIdentityOf: (publicKey) => {
      const name = (textFromUtf8(publicKey.spki) ?? '').slice('SPKI '.length);
      if (name.startsWith('ed')) throw new FormatError('no Host Identity of such a key');
      const octets = utf8FromText(name);
      return {
        algorithm: HiAlgorithm.ECDSA,
        octets,
        hit: hitOfHostIdentity(HiAlgorithm.ECDSA, octets),
        publicKey,
      };
    },
    identityFromText: (text) => {
      if (text.startsWith('bad:')) throw new FormatError('malformed');
      return { idType: IdType.FQDN, data: utf8FromText(text) };
    },
    identityPatternFromText: (text) => {
      if (text.startsWith('bad:')) throw new FormatError('malformed');
      if (text === '%any') return { kind: 'any' };
      if (text.includes('*')) return { kind: 'wildcard', idType: IdType.FQDN, pattern: text };
      return { kind: 'exact', identity: { idType: IdType.FQDN, data: utf8FromText(text) } };
    },
  };
}

function words(file: Uint8Array): string[] {
  return (textFromUtf8(file) ?? '').trim().split(' ');
}

function publicKey(name: string): PublicKey {
  return { kind: 'ed25519', spki: utf8FromText(`SPKI ${name}`), bits: 256 };
}

function globToRegExp(glob: string): string {
  return glob
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*/g, '[^/]*')
    .replace(/\?/g, '[^/]');
}
