// Host Identity Tags as people write them: the IPv6 address that upper layers see (RFC 7401 3.1).
import { hitSuiteProfile } from '#crypto';
import { hitFromAddress, parseAddress } from '#sa';
import { type Hit, hitSuiteOf } from '#wire';
import { BadValue } from './bad-value.ts';

/** @throws BadValue also for an ORCHID of no HIT Suite of RFC 7401, whose owner could not be talked to */
export function parseHit(text: string): Hit {
  const address = parseAddress(text);
  const hit = address === undefined ? undefined : hitFromAddress(address);
  if (hit === undefined || hitSuiteProfile(hitSuiteOf(hit) ?? 0) === undefined) {
    throw new BadValue('a HIT: an IPv6 address in 2001:21::/32, 2001:22::/32 or 2001:23::/32');
  }
  return hit;
}
