// Proposals of an SA payload: ours onto the wire, and how one is chosen from a peer's (RFC 7296 2.7, 3.3).
import type { ChildSuite, IkeSuite, Proposal } from '#sa';
import type { WireProposal } from '#wire';

const todo = (): never => {
  throw new Error('not written yet');
};

/** In which exchange the SA payload travels; IKE_AUTH has no key exchange of its own (RFC 7296 1.2). */
export type ProposalExchange = 'IKE_SA_INIT' | 'IKE_AUTH' | 'CREATE_CHILD_SA';

/** Whose order decides, and which group the initiator already sent a KE payload for (saves a round trip). */
export interface SelectionPreference {
  readonly order: 'configured' | 'offered';
  readonly keyExchangeGroup?: number | undefined;
}

/** A chosen IKE suite; `reply` is the one proposal of our SA payload. */
export interface SelectedIkeSuite {
  readonly suite: IkeSuite;
  readonly proposalNumber: number;
  /** The initiator's SPI for the new IKE SA (8 octets, rekeying), empty in IKE_SA_INIT. */
  readonly peerSpi: Uint8Array;
  readonly reply: WireProposal;
}

/** A chosen ESP or AH suite; `peerSpi` has 4 octets. */
export interface SelectedChildSuite {
  readonly suite: ChildSuite;
  readonly proposalNumber: number;
  readonly peerSpi: Uint8Array;
  readonly reply: WireProposal;
}

/**
 * Our proposals in order, numbered from 1. A proposal that mixes combined-mode and other ciphers becomes two (RFC 7296 3.3).
 * KE transforms of ESP and AH are left out in IKE_AUTH.
 * @param spi empty (IKE_SA_INIT), 8 octets (IKE rekeying) or 4 octets (ESP, AH)
 */
export function proposalsToWire(
  _proposals: readonly Proposal[],
  _spi: Uint8Array,
  _exchange: ProposalExchange,
): WireProposal[] {
  return todo();
}

/** The acceptable alternatives of a received proposal; `undefined` if the proposal as a whole is unacceptable (3.3.6). */
export function proposalFromWire(_wire: WireProposal): Proposal | undefined {
  return todo();
}

/** Responder, IKE_SA_INIT and IKE rekeying. `undefined`: NO_PROPOSAL_CHOSEN. `spi` is ours for the reply. */
export function selectIkeSuite(
  _offered: readonly WireProposal[],
  _configured: readonly Proposal[],
  _preferred: SelectionPreference,
  _spi?: Uint8Array,
): SelectedIkeSuite | undefined {
  return todo();
}

/** Responder, IKE_AUTH and CREATE_CHILD_SA. `undefined`: NO_PROPOSAL_CHOSEN. `spi` is ours, 4 octets. */
export function selectChildSuite(
  _offered: readonly WireProposal[],
  _configured: readonly Proposal[],
  _preferred: SelectionPreference,
  _exchange: 'IKE_AUTH' | 'CREATE_CHILD_SA',
  _spi: Uint8Array,
): SelectedChildSuite | undefined {
  return todo();
}

/** Initiator: the responder's answer, which must be made of exactly what was offered. `undefined`: it is not. */
export function ikeSuiteFromReply(
  _reply: readonly WireProposal[],
  _offered: readonly WireProposal[],
): { readonly suite: IkeSuite; readonly peerSpi: Uint8Array } | undefined {
  return todo();
}

/** Like `ikeSuiteFromReply`, for ESP and AH. */
export function childSuiteFromReply(
  _reply: readonly WireProposal[],
  _offered: readonly WireProposal[],
): { readonly suite: ChildSuite; readonly peerSpi: Uint8Array } | undefined {
  return todo();
}
