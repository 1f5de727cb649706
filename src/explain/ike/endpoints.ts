// Where the two ends of an IKE SA are, and when that changes: NAT traversal, a NAT that forgot, MOBIKE.
import { type Endpoint, formatEndpoint } from '#sa';
import type { Sighting } from '../story.ts';
import type { IkeRole, TrackedIkeSa } from './tracked-ike-sa.ts';

/** RFC 7296 2.23: with a NAT in between, IKE leaves port 500 for 4500. */
function floats(from: Endpoint, to: Endpoint): boolean {
  return from.address === to.address && (from.port === 500 || to.port === 4500);
}

export function followEndpoint(sa: TrackedIkeSa, role: IkeRole, now: Endpoint, at: Sighting): void {
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
}
