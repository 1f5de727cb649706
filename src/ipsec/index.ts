// Room `ipsec`: SAD, SPD, ESP, AH, the batched data path, and a data plane in memory.
export { DataPath, type DataPathOptions } from './data-path.ts';
export { payloadBytesMax } from './esp/layout.ts';
export { LingeringSas } from './lingering-sas.ts';
export { type LsiHost, LsiTranslation } from './lsi/lsi-translation.ts';
export type { EarlyPacket } from './memory/early-packets.ts';
export type {
  DataPlaneOutput,
  DataPlaneStatistics,
  MemoryDataPlaneOptions,
  ReceivedPacket,
} from './memory/interface.ts';
export { MemoryDataPlane } from './memory/memory-data-plane.ts';
export { UnknownSpiRing } from './memory/unknown-spi-ring.ts';
export { type IcmpError, icmpErrorAbout } from './packet/icmp-error.ts';
export {
  decapsulationHeadroomBytes,
  encapsulationHeadroomBytes,
  encapsulationTailroomBytes,
  PacketSlot,
} from './packet-slot.ts';
export type { KnownPath, TooBig } from './path-mtus.ts';
export { Spd, type UnmatchedAction } from './policy/spd.ts';
export { ReceivedMark, type ReceivedMarks, receivedSequence } from './received-marks.ts';
export {
  type ReplayCheck,
  ReplayWindow,
  replayWindowPacketsMax,
} from './replay-window.ts';
export { SaProgress } from './sa-progress.ts';
export { Sad } from './sad.ts';
export {
  type EspPacketCipher,
  InboundSa,
  OutboundSa,
  type PacketCipherFactory,
  type SaState,
} from './security-association.ts';
export { SequenceCounter } from './sequence-counter.ts';
export type { SaUsage } from './usage.ts';
export { Verdict, type VerdictCode, verdictNames } from './verdicts.ts';
