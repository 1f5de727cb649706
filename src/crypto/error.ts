// The typed error of the crypto room.

/**
 * - `unsupported`: the identifier names nothing this build can do
 * - `bad-key`: key octets of the wrong length or format
 * - `bad-length`: an IV, ICV or text whose length the cipher cannot have
 * - `bad-public-value`: a peer's key exchange value fails the checks of its group (RFC 6989)
 * - `bad-certificate`: octets that are no certificate, CRL or OCSP response
 * - `bad-name`: text that is no distinguished name
 * - `bad-pem`: text whose PEM armor is broken; the message names the line
 * - `passphrase-needed`, `passphrase-wrong`: an encrypted key file and no passphrase, or not its passphrase
 */
export type CryptoErrorCode =
  | 'unsupported'
  | 'bad-key'
  | 'bad-length'
  | 'bad-public-value'
  | 'bad-certificate'
  | 'bad-name'
  | 'bad-pem'
  | 'passphrase-needed'
  | 'passphrase-wrong';

/** What the cryptography refuses: an algorithm, a key, a certificate. Its text holds no secret. */
export class CryptoError extends Error {
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, message: string) {
    super(message);
    this.name = 'CryptoError';
    this.code = code;
  }
}
