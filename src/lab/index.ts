// Room `lab`: a virtual internet around the same engine: scenarios, simulation, checkers, journal.

export { addCounts, type Counts } from './chaos/coverage.ts';
export type { LabCertificates } from './chaos/random-configuration.ts';
export { type ChaosScenario, randomScenario } from './chaos/random-scenario.ts';
export {
  ChaosFailure,
  type ChaosOptions,
  type ChaosReport,
  runChaos,
  runHipChaos,
} from './chaos/run-chaos.ts';
export { checkersFor, Delivery, InvariantViolation } from './checkers/index.ts';
export * from './describe-datagram.ts';
export * from './events.ts';
export { LabHost, type PlaneMaker } from './host.ts';
export { type InnerPacket, innerPacket, readInnerPacket, showsPlaintext } from './inner-packet.ts';
export { Fingerprint, Journal } from './journal.ts';
export type { Datagram, DatagramOrigin } from './network/datagram.ts';
export { Prng } from './prng.ts';
export * from './recovery/recovery-cell.ts';
export { recoveryDocument } from './recovery/recovery-document.ts';
export { recoveryPicture } from './recovery/recovery-picture.ts';
export * from './recovery/recovery-summary.ts';
export { recoveryTable } from './recovery/recovery-table.ts';
export { type RecoveryOptions, type RecoveryRun, runRecovery } from './recovery/run-recovery.ts';
export * from './scenario.ts';
export { Simulation, type SimulationOptions } from './simulation.ts';
