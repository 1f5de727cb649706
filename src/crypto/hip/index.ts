// HIP's use of cryptography: Host Identities and HITs, puzzle, KEYMAT, MACs, signatures, ENCRYPTED (RFC 7401 3, 6.3 to 6.5).
export {
  hipCipherKeyBytes,
  openHipParameters,
  sealHipParameters,
  supportedHipCipher,
} from './encrypted-parameters.ts';
export { type HitSuiteProfile, hitSuiteOfAlgorithm, hitSuiteProfile, rhashOf } from './hit-suite.ts';
export {
  decodeHostIdentity,
  type HostIdentity,
  hipRecordOf,
  hitOfHostIdentity,
  hostIdentityOf,
  hostIdentityOfRecord,
} from './host-identity.ts';
export { type Drawn, HipKeymat, type HipKeymatInput, type HipKeys } from './keymat.ts';
export {
  appendHipMac,
  appendHipMac2,
  appendHipSignature,
  verifyHipMac,
  verifyHipMac2,
  verifyHipSignature,
} from './packet-authentication.ts';
export { type HipPuzzle, isPuzzleSolved, type PuzzleSearch, searchPuzzleSolution } from './puzzle.ts';
