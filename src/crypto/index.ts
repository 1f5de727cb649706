// Room `crypto`: from algorithm identifiers to working suites; the ports for randomness and private keys.

export { timeText } from './asn1/time.ts';
export {
  type Certificate,
  MAXIMUM_CERTIFICATE_BYTES,
  publicKeyHash,
} from './certificates/certificate.ts';
export { certificatesFromPem, revocationListsFromPem } from './certificates/certificate-file.ts';
export { orderChain } from './certificates/chain.ts';
export {
  type DistinguishedName,
  distinguishedNameMatches,
  distinguishedNameToText,
  equalDistinguishedNames,
} from './certificates/distinguished-name.ts';
export { distinguishedNameFromText } from './certificates/distinguished-name-text.ts';
export type { CertificateExtensions, KeyUsage, NameConstraints } from './certificates/extensions.ts';
export type { GeneralName } from './certificates/general-name.ts';
export { certificateMatchesIdentity } from './certificates/identity.ts';
export { type OcspResponse, parseOcspResponse, type SingleResponse } from './certificates/ocsp-response.ts';
export { parseCertificate } from './certificates/recent-certificates.ts';
export { parseRevocationList, type RevocationList } from './certificates/revocation-list.ts';
export { validatePath } from './certificates/validate-path.ts';
export * from './compute.ts';
export { defaultKeyLengthBits, encryptionKeyBytes } from './encryption/cipher-profile.ts';
export { type PacketKeys, packetCipher } from './encryption/packet-cipher.ts';
export { openRecord, sealKeyBytes, sealOverheadBytes, sealRecord } from './encryption/sealed-record.ts';
export { CryptoError, type CryptoErrorCode } from './error.ts';
export * from './hip/index.ts';
export { integrityAlgorithm, integrityKeyBytes } from './integrity/integrity-algorithm.ts';
export { supportedKeyExchange } from './key-exchange/key-exchange-method.ts';
export { type ChildKeyInput, type ChildKeys, deriveChildKeys } from './key-material/child-keys.ts';
export { type DigestName, digest } from './key-material/digest.ts';
export {
  deriveIkeKeys,
  deriveResumedIkeKeys,
  type FormerIkeSa,
  type IkeKeyInput,
  type IkeKeys,
} from './key-material/ike-keys.ts';
export { equalConstantTime, wipe } from './key-material/secrets.ts';
export {
  authenticatorResponse,
  type MsChapChallenges,
  msChapChallengeBytes,
  msChapSessionKey,
  ntPasswordHash,
  ntResponse,
} from './ms-chap/ms-chap-v2.ts';
export { type PemBlock, pemBlocks } from './pem/pem.ts';
export { privateKeyFromPem } from './pem/private-key-file.ts';
export * from './ports.ts';
export { prfPlus } from './prf/prf-plus.ts';
export { pseudorandomFunction } from './prf/pseudorandom-function.ts';
export { nodeRandomness } from './randomness/node-randomness.ts';
export { seededRandomness } from './randomness/seeded-randomness.ts';
export {
  decodeAuthenticationAlgorithm,
  encodeAuthenticationAlgorithm,
} from './signatures/authentication-algorithm.ts';
export {
  type EcdsaMethod,
  ecdsaMethodFor,
  ecdsaSignatureFromDer,
  ecdsaSignatureToDer,
} from './signatures/ecdsa-encoding.ts';
export { privateKeyFromKeyObject, privateKeyFromPkcs8 } from './signatures/private-key.ts';
export { type KeyPurpose, publicKeyFromSpki } from './signatures/public-key.ts';
export { verifySignature } from './signatures/sign.ts';
export { signatureSchemesFor } from './signatures/signature-scheme.ts';
export * from './suites.ts';
export { isSupportedTransform } from './supported-transform.ts';
