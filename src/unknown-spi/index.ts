// Room `unknown-spi`: packets whose SPI nobody knows. Evidence -> verdict, hint -> suspicion, budgets, tokens, history.
export { BackOff, type BackOffLimits } from './budgets/back-off.ts';
export {
  type BudgetRefusal,
  ipOverheadBytes,
  ReplyBudget,
  type ReplyBudgetOptions,
  type ReplyRequest,
} from './budgets/reply-budget.ts';
export { SourceRate } from './budgets/source-rate.ts';
export { CrashDetectionSecrets, secretsRecordKey } from './crash-detection/secrets.ts';
export { ownTokenBytes, tokenNotify, tokenOf, tokensPerMessageMax } from './crash-detection/token.ts';
export { HeldTokens, offeredTokens } from './crash-detection/token-taker.ts';
export * from './hints/hint.ts';
export { type Suspect, Suspicion, type SuspicionOutcome } from './hints/suspicion.ts';
export { decodeSpiRecord, encodeSpiRecord, type SpiEnd, type SpiRecord } from './history/record.ts';
export {
  type LoadedSpiHistory,
  SpiHistory,
  type SpiHistoryWrite,
  spiHistoryKeyPrefix,
} from './history/spi-history.ts';
export {
  invalidSpiNotify,
  meaninglessSpis,
  type OneWaySpis,
  unprotectedInvalidSpi,
} from './messages/one-way-notify.ts';
export { parameterProblem } from './messages/parameter-problem.ts';
export { cookieDemand, invalidIkeSpi, invalidMajorVersion } from './messages/refusal.ts';
export { claimsOf, noClaims, type SpiClaims } from './owners/claims.ts';
export {
  ownerLineCharactersMax,
  readMemberMessage,
  readRegistryMessage,
  singleSpisMax,
  writeMemberMessage,
} from './owners/messages.ts';
export {
  type OwnerIdentity,
  OwnerRegistry,
  type RegistryInput,
  type RegistryOutput,
} from './owners/owner-registry.ts';
export type { SpiOwner } from './owners/owner-table.ts';
export { OwnerView, ownershipIn, type SpiOwnership, soleOwnership } from './owners/owner-view.ts';
export { type NotAnswerable, unanswerableAddresses } from './verdict/answerable.ts';
export { type BootEpoch, bootEpochRecordKey, inRebootWindow, nextBootEpoch } from './verdict/boot-epoch.ts';
export * from './verdict/esp-verdict.ts';
export * from './verdict/ike-verdict.ts';
export {
  type ReplyRate,
  type UnknownSpiPolicy,
  type UnknownSpiPolicyName,
  unknownSpiPolicy,
  unknownSpiPolicyNames,
} from './verdict/policy.ts';
