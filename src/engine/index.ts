// Room `engine`: one host, whole: bytes, commands and the time in; bytes, SA commands, events and a deadline out.

/** HIP's part of it. */
export {
  type HipConfiguration,
  type HipContext,
  type HipEvent,
  type HipPeer,
  hipDefaults,
  hipQuirks,
  type LocalIdentity,
  type RegistrarConfiguration,
  registrarDefaults,
} from '#hip';
/** What a configuration consists of, for rooms that may not look into `ike` itself. */
export type {
  ChildConfiguration,
  ChildKernelTies,
  ChildSaStatus,
  ChildSaSummary,
  ChildSelector,
  ConnectionConfiguration,
  Credentials,
  DirectionTies,
  Identity,
  IdentityPattern,
  IkeEvent,
  LifetimeConfiguration,
  LocalAuthentication,
  RemoteAddress,
  RemoteAuthentication,
  RetransmitConfiguration,
  SharedSecret,
  UniqueNumber,
} from '#ike';
export { formatIdentity, formatIdentityPattern } from '#ike';
export type { CheckpointOptions } from './checkpoint/checkpoint.ts';
export * from './configuration.ts';
export { Engine } from './engine.ts';
export type { EngineOptions } from './engine-state.ts';
export { type EventFields, eventFields } from './events/event-fields.ts';
export { type EventLevel, type EventText, eventName, eventText } from './events/event-text.ts';
export * from './interface.ts';
export type { Incident } from './recovery/incident-log.ts';
export { defaultUnknownSpiConfiguration } from './recovery/recovery-state.ts';
export type { WhyAnswer } from './recovery/why.ts';
export type {
  BudgetStatus,
  EngineStatus,
  IkeSaStatus,
  PeerStatus,
  ReplyStatus,
  TableSizes,
} from './status.ts';
export type { PoolStatus } from './virtual-addresses/address-pools.ts';
