// Exchanges that begin an IKE SA, and have no encryption yet.
import { ExchangeType } from '#wire';

export function isInit(exchangeType: number): boolean {
  return exchangeType === ExchangeType.IKE_SA_INIT || exchangeType === ExchangeType.IKE_SESSION_RESUME;
}
