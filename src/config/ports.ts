// What reading a configuration needs from its host: files, and the readers of other rooms' formats.
import type { HostIdentity, PrivateKey, PublicKey } from '#crypto';
import type { Identity, IdentityPattern } from '#engine';

/** A file, or why it cannot be read. */
export type ConfigurationFile =
  | { readonly path: string; readonly octets: Uint8Array }
  | {
      readonly path: string;
      readonly problem: string /** It is one that a pattern goes through. */;
      readonly folder?: true;
    };

/** Everything but `readFiles` is a pure function of the rooms `ike` and `crypto`, under the name it has there. */
export interface ConfigurationPorts {
  /**
   * The files that a pattern with shell wildcards (`*`, `?`, `[...]`) names, sorted by path; a pattern that is not
   * absolute starts at the folder of the file `relativeTo`. None: no such file. Folders are no files, but
   * one that a wildcard had to be looked for in, and that cannot be read, is a problem.
   */
  readFiles(pattern: string, relativeTo: string): readonly ConfigurationFile[];
  /** The three readers take PEM or DER and throw errors with a `code`. */
  certificatesFromPem(
    file: Uint8Array,
  ): readonly { readonly der: Uint8Array; readonly publicKey: PublicKey }[];
  revocationListsFromPem(file: Uint8Array): readonly { readonly der: Uint8Array }[];
  privateKeyFromPem(file: Uint8Array, passphrase?: string): PrivateKey;
  /** Throws an error with a `code` for a kind of key that has no HIT. */
  hostIdentityOf(publicKey: PublicKey): HostIdentity;
  identityFromText(text: string): Identity;
  identityPatternFromText(text: string): IdentityPattern;
}

/** What a port threw for bad input; anything else is a mistake in a program and goes on. */
export function problemOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.message;
  throw error;
}
