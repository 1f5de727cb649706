// What an algorithm identifier becomes once it works: the shapes shared by all suites of one kind.

/** A pseudorandom function (transform type 2). */
export interface PseudorandomFunction {
  readonly id: number;
  readonly outputBytes: number;
  /** Length of SK_d, SK_pi and SK_pr (RFC 7296 2.13): the output length, 16 for AES-XCBC and CMAC. */
  readonly keyBytes: number;
  /** prf(key, part | part | ...). */
  compute(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
}

/** An integrity algorithm (transform type 3). */
export interface IntegrityAlgorithm {
  readonly id: number;
  readonly keyBytes: number;
  readonly icvBytes: number;
  compute(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
}

/**
 * Encryption and integrity of one direction of one SA, keyed. Serves SK payloads and ESP packets alike: combined-mode
 * ciphers and cipher + MAC (encrypt, then MAC) look the same from outside.
 */
export interface PacketCipher {
  /** True for combined-mode ciphers, where ESN's high half belongs into `aad` and not behind the ciphertext. */
  readonly combined: boolean;
  /** Octets of the explicit IV in the packet. */
  readonly ivBytes: number;
  /** CBC needs unpredictable IVs; counter modes need unrepeated ones. */
  readonly ivKind: 'random' | 'counter' | 'none';
  readonly icvBytes: number;
  /** The plaintext with its padding must be a multiple of this. */
  readonly blockBytes: number;
  /**
   * Encrypts `text` in place and writes the ICV.
   * @param fields `aad` precedes the IV on the wire; `authTail` follows the ciphertext under a separate MAC (ESN,
   *   RFC 4303 2.2.1) and must be absent for combined modes.
   */
  seal(fields: CipherFields): void;
  /** Checks the ICV in constant time, then decrypts `text` in place. False leaves `text` unspecified. */
  open(fields: CipherFields): boolean;
  /** Wipes the key octets. Using the cipher afterwards throws. */
  destroy(): void;
}

export interface CipherFields {
  readonly aad: Uint8Array;
  readonly iv: Uint8Array;
  readonly text: Uint8Array;
  readonly icv: Uint8Array;
  readonly authTail?: Uint8Array;
}
