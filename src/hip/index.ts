// Room `hip`: HIPv2 (RFC 7401, RFC 7402, RFC 8046), all associations of one host.

export type {
  HipConfiguration,
  HipPeer,
  HipQuirk,
  HipRetransmission,
  LocalIdentity,
  PuzzleConfiguration,
  RegistrarConfiguration,
} from './configuration.ts';
export { hipDefaults, hipQuirks, registrarDefaults } from './configuration.ts';
export { peersOf } from './configured-peers.ts';
export { HipHost, type HipHostOptions } from './host.ts';
export type {
  HipAssociationStatus,
  HipCommand,
  HipContext,
  HipEnd,
  HipEvent,
  HipInput,
  HipOutput,
  HipPath,
  HipPorts,
  HipProblem,
  HipRejection,
  HipState,
  RegistrationEnd,
} from './interface.ts';
export { lsiTableOf, ownLsi } from './local-scope-identifiers.ts';
