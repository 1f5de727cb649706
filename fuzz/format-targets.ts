// Files and texts: swanctl.conf, certificates, keys, revocation, identities, control requests.
import { ConfigurationErrors, loadConfiguration, parseConfigurationTree, printTree } from '#config';
import {
  CryptoError,
  certificatesFromPem,
  decodeHostIdentity,
  hostIdentityOf,
  parseCertificate,
  parseOcspResponse,
  parseRevocationList,
  privateKeyFromPem,
  publicKeyFromSpki,
  revocationListsFromPem,
  validatePath,
} from '#crypto';
import { parseControlRequest } from '#daemon';
import {
  formatIdentity,
  IdentityError,
  identityFromText,
  identityPatternFromText,
  matchIdentity,
} from '#ike';
import { configurationPorts } from './engine-host.ts';
import type { FuzzTarget } from './target.ts';

const decoder = new TextDecoder('utf-8');

function isCryptoError(error: unknown): boolean {
  return error instanceof CryptoError;
}

const file = '/etc/main.conf';

/** The input is also what it may include, as `self.conf`. */
const filesOf = (octets: Uint8Array): typeof configurationPorts.readFiles => {
  return (pattern, relativeTo) =>
    pattern === 'self.conf'
      ? [{ path: '/etc/self.conf', octets }]
      : configurationPorts.readFiles(pattern, relativeTo);
};

export const formatTargets: readonly FuzzTarget[] = [
  {
    name: 'swanctl-conf',
    run(octets) {
      const text = decoder.decode(octets);
      const ports = { ...configurationPorts, readFiles: filesOf(octets) };
      const { warnings } = loadConfiguration({ text, file, ports });
      const tree = parseConfigurationTree({ text, file, readFiles: ports.readFiles });
      const printed = printTree(tree);
      const again = parseConfigurationTree({ text: printed, file, readFiles: () => [] });
      if (printTree(again) !== printed) throw new Error('a section tree changes when printed and read');
      return `${warnings.length} warnings`;
    },
    refuses: (error) => error instanceof ConfigurationErrors,
    words: [
      ' = ',
      ' { ',
      '}\n',
      '\n',
      '#',
      '"',
      '\\',
      ' : ',
      'include self.conf\n',
      '%any',
      'dynamic',
      '0x',
      ',',
    ],
  },
  {
    // The first octet is the algorithm.
    name: 'host-identity',
    run(octets) {
      const identity = decodeHostIdentity(octets[0] ?? 0, octets.subarray(1));
      const again = hostIdentityOf(identity.publicKey);
      if (again.hit !== identity.hit) throw new Error('one key has two HITs');
      return identity.publicKey.kind;
    },
    refuses: isCryptoError,
  },
  {
    name: 'certificate',
    run(der) {
      const certificate = parseCertificate(der);
      validatePath({
        kind: 'validate-path',
        certificates: [der],
        trustAnchors: [der],
        revocationLists: [],
        ocspResponses: [],
        revocation: 'strict',
        nowMs: 1_900_000_000_000,
      });
      return certificate.publicKey.kind;
    },
    refuses: isCryptoError,
  },
  { name: 'revocation-list', run: (der) => void parseRevocationList(der), refuses: isCryptoError },
  { name: 'ocsp-response', run: (der) => void parseOcspResponse(der), refuses: isCryptoError },
  { name: 'public-key', run: (der) => publicKeyFromSpki(der).kind, refuses: isCryptoError },
  {
    name: 'pem',
    run(octets) {
      const read: string[] = [];
      const readers = { certificatesFromPem, revocationListsFromPem, privateKeyFromPem };
      const problems = Object.entries(readers).map(([name, reader]) => {
        try {
          reader(octets, 'passphrase');
          read.push(name);
          return undefined;
        } catch (error) {
          if (!isCryptoError(error)) throw error;
          return error;
        }
      });
      if (read.length === 0) throw problems.at(-1);
      return read.join(' ');
    },
    refuses: isCryptoError,
    words: ['-----BEGIN CERTIFICATE-----\n', '-----END CERTIFICATE-----\n', '-----', '\n', '=', ': '],
  },
  {
    name: 'identity-text',
    run(octets) {
      const text = decoder.decode(octets);
      const pattern = identityPatternFromText(text);
      const identity = identityFromText(text);
      matchIdentity(identity, pattern);
      formatIdentity(identity);
      return `${pattern.kind} ${identity.idType}`;
    },
    refuses: (error) => error instanceof IdentityError || isCryptoError(error),
    words: [
      'CN=',
      ', ',
      '/',
      '@',
      '@#',
      '@@',
      '%any',
      '*',
      '.',
      ':',
      '::',
      'keyid:',
      'fqdn:',
      '\\',
      '+',
      '#',
    ],
  },
  {
    name: 'control-request',
    run(octets) {
      const request = parseControlRequest(decoder.decode(octets));
      return typeof request === 'string' ? request.replace(/".*/, '') : request.kind;
    },
    refuses: () => false,
    words: ['{"kind":', '"up"', '"status"', '"child":', 'null', '[', ']', '{', '}', ',', '"__proto__":'],
  },
];
