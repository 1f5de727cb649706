// The typed error of the crypto room.

/**
 * - `unsupported`: the identifier names nothing this build can do
 * - `bad-key`: key octets of the wrong length or format
 * - `bad-length`: an IV, ICV or text whose length the cipher cannot have
 * - `bad-public-value`: a peer's key exchange value fails the checks of its group (RFC 6989)
 * - `bad-certificate`: octets that are no certificate, CRL or OCSP response
 */
export type CryptoErrorCode =
  | 'unsupported'
  | 'bad-key'
  | 'bad-length'
  | 'bad-public-value'
  | 'bad-certificate';

export class CryptoError extends Error {
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, message: string) {
    super(message);
    this.name = 'CryptoError';
    this.code = code;
  }
}
