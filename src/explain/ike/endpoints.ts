// Where the two ends of an IKE SA are, and when that changes: NAT traversal, a NAT that forgot, MOBIKE.
import { type Endpoint, formatEndpoint } from '#sa';
import type { Conversation } from '../conversation.ts';
import type { Sighting } from '../story.ts';
import { type IkeRole, otherRole, type TrackedIkeSa } from './tracked-ike-sa.ts';

/** RFC 7296 2.23: with a NAT in between, IKE leaves port 500 for 4500. */
function floats(from: Endpoint, to: Endpoint): boolean {
  return from.address === to.address && (from.port === 500 || to.port === 4500);
}

/** @param here between whose ends the message passed */
export function followEndpoint(
  sa: TrackedIkeSa,
  role: IkeRole,
  now: Endpoint,
  { at, here }: { readonly at: Sighting; readonly here: Conversation },
): void {
  const before = sa.endpoints[role];
  if (before.address === now.address && before.port === now.port) return;
  sa.endpoints[role] = now;
  // The NAT has another mapping for the new port: as good as no change.
  if (floats(before, now) || (sa.state === 'half-open' && before.address === now.address)) return;
  const { events, findings } = sa.conversation;
  const [was, is] = [formatEndpoint(before), formatEndpoint(now)];
  events.tell(at, 'address-changed', `${sa.name}: the ${role} is at ${is} instead of ${was}`);
  findings.find(at, {
    code: 'address-changed',
    severity: 'notice',
    about: `${sa.name} ${role}`,
    what: `the ${role} of ${sa.name} moved from ${was} to ${is}`,
    why: `frame ${at.frame} is the first that shows it`,
    advice:
      before.address === now.address
        ? 'A NAT made a new mapping: keepalives more often than its timeout would keep the old one.'
        : 'MOBIKE (RFC 4555), a NAT with several addresses, or a capture on several devices.',
  });
  if (before.address !== now.address) depart(sa, role, before, { at, here });
}

/** What is sent to where it was is no sign of silence, and its SPIs are known where it is. */
function depart(
  sa: TrackedIkeSa,
  role: IkeRole,
  before: Endpoint,
  { at, here }: { readonly at: Sighting; readonly here: Conversation },
): void {
  const home = sa.conversation;
  const other = sa.address(otherRole(role));
  const left = home.family.find(
    ({ peers }) => peers.includes(before.address) && peers.some((one) => one === other),
  );
  if (left !== undefined)
    left.departure = {
      side: left.sideOf(before.address),
      at: { frame: at.frame, atUs: at.atUs },
      to: sa.endpoints[role].address,
    };
  here.departure = undefined;
  if (here === home) return;
  if (!here.family.includes(home))
    here.events.tell(
      at,
      'ike-sa-moved',
      `${sa.name} goes on here, which was between ${home.peers.join(' and ')}`,
    );
  home.relate(here);
}
