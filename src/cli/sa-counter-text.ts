// How much one direction of a pair of SAs has carried.
import type { DaemonStatus } from '#daemon';
import type { Spi } from '#sa';

export function saCounterText(status: DaemonStatus, spi: Spi, direction: 'in ' | 'out'): string {
  const counters = status.counters.find(
    (one) => one.spi === spi && one.direction === (direction === 'out' ? 'outbound' : 'inbound'),
  )?.counters;
  return `${counters?.bytes ?? 0} octets, ${counters?.packets ?? 0} packets`;
}
