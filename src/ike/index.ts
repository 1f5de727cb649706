// Room `ike`: IKEv2 (RFC 7296), one IKE SA at a time.
export { wantsCertificate } from './authentication/certificate-request.ts';
export type { GuessPort, SecretTry, TryAdmission } from './authentication/guesses.ts';
export {
  exactMatch,
  identityKey,
  identityOfAddress,
  matchIdentity,
  sameIdentity,
} from './authentication/identity-match.ts';
export {
  formatIdentity,
  formatIdentityPattern,
  IdentityError,
  identityFromText,
  identityPatternFromText,
} from './authentication/identity-text.ts';
export {
  adoptIkeSa,
  type InitiateOptions,
  initiateIkeSa,
  type RespondOptions,
  type RespondOutcome,
  type ResumeOptions,
  respondToInit,
  respondToResume,
  resumeIkeSa,
} from './begin-ike-sa.ts';
export {
  type ChildSaSnapshot,
  type IkeSaSnapshot,
  wipeIkeSaSnapshot,
} from './checkpoint/snapshot.ts';
export { decodeIkeSaSnapshot, encodeIkeSaSnapshot } from './checkpoint/snapshot-codec.ts';
export { kernelTiesOfPolicy } from './child-sas/kernel-ties.ts';
export { retransmitBudgetMs } from './clocks/retransmission.ts';
export * from './configuration.ts';
export { compareNonces } from './exchanges/nonces.ts';
export {
  type AdoptOptions,
  type ChildSaStatus,
  IkeSa,
  type MobilityStatus,
  type OutstandingSummary,
} from './ike-sa.ts';
export type { IkeRole, IkeSaStatistics, NatTraversalPorts } from './ike-sa-state.ts';
export * from './interface.ts';
export { subnetAttribute } from './payloads/configuration-payload.ts';
export { CookieIssuer, type CookieSubject } from './payloads/cookie.ts';
export type { NatVerdict } from './payloads/nat-detection.ts';
export type { IkeSpis } from './phase.ts';
export {
  type ClientTicket,
  decodeClientTicket,
  encodeClientTicket,
  ticketOutlives,
  wipeClientTicket,
} from './resumption/client-ticket.ts';
export { type TicketContent, ticketLifetimeMsMax } from './resumption/ticket-content.ts';
export {
  isTicketRecord,
  TicketIssuer,
  type TicketIssuerOptions,
  type TicketRecord,
} from './resumption/ticket-issuer.ts';
export type { TicketKeyPolicy } from './resumption/ticket-keys.ts';
export type { TicketPort, TicketVerdict } from './resumption/ticket-port.ts';
