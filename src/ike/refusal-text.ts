// What a refusal means, in words for people: which side wanted what.
import { formatProposal } from '#sa';
import { NotifyType, type WireProposal } from '#wire';
import { formatIdentity, formatIdentityPattern } from './authentication/identity-text.ts';
import type { ConnectionConfiguration, Identity } from './configuration.ts';
import { proposalFromWire } from './negotiation/proposals.ts';
import { notifyName } from './payloads/notify.ts';

/** A stranger's offer may be long: this much of it is told. */
const proposalsMax = 4;
const transformsMax = 24;

/** Why the peer may have answered IKE_SA_INIT with an error. */
export function initRefusalText(notifyType: number): string {
  if (notifyType !== NotifyType.NO_PROPOSAL_CHOSEN) return `the peer sent ${notifyName(notifyType)}`;
  return 'the peer accepts none of our IKE proposals, or has no connection for us (NO_PROPOSAL_CHOSEN)';
}

/** Why the peer may have answered IKE_AUTH with an error. */
export function authRefusalText(
  notifyType: number,
  connection: ConnectionConfiguration,
  localIdentity: Identity,
): string {
  if (notifyType !== NotifyType.AUTHENTICATION_FAILED) return `the peer sent ${notifyName(notifyType)}`;
  const { identity } = connection.remote;
  const other = identity.kind === 'any' ? '' : `, or is not ${formatIdentityPattern(identity)}`;
  const us = formatIdentity(localIdentity);
  if (connection.local.method === 'eap') {
    return `the peer has no connection with EAP for us as ${us}${other} (AUTHENTICATION_FAILED)`;
  }
  return `the peer does not accept us as ${us}${other}: identity, secret or certificate differ (AUTHENTICATION_FAILED)`;
}

/** Why the peer may have refused a Child SA. */
export function childRefusalText(notifyType: number): string {
  switch (notifyType) {
    case NotifyType.NO_PROPOSAL_CHOSEN:
      return 'the peer accepts none of our proposals for the Child SA (NO_PROPOSAL_CHOSEN)';
    case NotifyType.TS_UNACCEPTABLE:
      return 'the peer accepts none of our traffic selectors (TS_UNACCEPTABLE)';
    default:
      return `the peer sent ${notifyName(notifyType)}`;
  }
}

/** What an initiator offers, as swanctl.conf would write it. */
export function offeredText(offered: readonly WireProposal[]): string {
  const texts = offered.slice(0, proposalsMax).map((wire) => {
    const proposal = wire.transforms.length > transformsMax ? undefined : proposalFromWire(wire);
    return proposal === undefined ? `proposal ${wire.number} is not understood` : formatProposal(proposal);
  });
  return [...texts, ...(offered.length > proposalsMax ? ['more'] : [])].join(', ');
}
