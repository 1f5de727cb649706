// Exchanges that were opened with keys, each to the reader of its kind.
import { ExchangeType } from '#wire';
import type { IkeContext } from './ike-context.ts';
import type { Opened } from './opened.ts';
import { authentication } from './opened-auth.ts';
import { creation } from './opened-child.ts';
import { information } from './opened-information.ts';
import { otherRole, type TrackedExchange, type TrackedIkeSa } from './tracked-ike-sa.ts';

export function answeredOpened(context: IkeContext, sa: TrackedIkeSa, exchange: TrackedExchange): void {
  const opened: Opened = {
    sa,
    exchange,
    request: exchange.request?.payloads ?? [],
    response: exchange.response?.payloads ?? [],
    at: exchange.request?.first ?? exchange.response?.first ?? sa.last,
    asker: sa.address(exchange.requester),
    other: sa.address(otherRole(exchange.requester)),
  };
  switch (exchange.exchangeType) {
    case ExchangeType.IKE_AUTH:
      authentication(opened);
      return;
    case ExchangeType.CREATE_CHILD_SA:
      creation(context, opened);
      return;
    case ExchangeType.INFORMATIONAL:
      information(opened);
      return;
  }
}
