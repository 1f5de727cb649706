// What proves that the peer has seen a request of ours, and so was where that went (RFC 4555 3.7).
import { NotifyType, type Payload } from '#wire';
import { returnsCookie2 } from '../../payloads/cookie2.ts';
import { findNotify } from '../../payloads/notify.ts';
import type { Exchange } from '../exchange.ts';

/** Nothing is proven by them, and nothing follows where they are said (3.5, 3.9). */
const refusals = [NotifyType.UNACCEPTABLE_ADDRESSES, NotifyType.UNEXPECTED_NAT_DETECTED] as const;

/** Who answers without the COOKIE2 has not seen the request, and lies. An update may be refused without it. */
export function lacksCookie2(exchange: Exchange, answer: readonly Payload[]): boolean {
  if (exchange.kind !== 'check-path' && exchange.kind !== 'update-addresses') return false;
  const { kind, cookie } = exchange;
  if (cookie === undefined || returnsCookie2(answer, cookie)) return false;
  const refused = refusals.some((type) => findNotify(answer, type) !== undefined);
  const absent = findNotify(answer, NotifyType.COOKIE2) === undefined;
  return !(kind === 'update-addresses' && refused && absent);
}
