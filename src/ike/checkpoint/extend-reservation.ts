// More sequence numbers for an SA, before it has used up those that are reserved.
import type { SaDirection, SequenceNumber } from '#sa';
import type { ChildSa } from '../child-sas/child-sa.ts';
import type { IkeSaState } from '../ike-sa-state.ts';
import { extendedReservation } from './reservations.ts';

/** Tells the data plane how far the reservation of an SA goes now. */
export function announceReservation(state: IkeSaState, child: ChildSa, direction: SaDirection): void {
  const { agreement, retained } = child;
  if (retained === undefined) return;
  state.command({
    kind: 'extend-reservation',
    protocol: agreement.protocol,
    direction,
    spi: direction === 'inbound' ? agreement.inboundSpi : agreement.outboundSpi,
    childId: agreement.childId,
    limit: retained[direction].reserved.limit,
  });
}

/** The data plane has got to `last` and will need more. */
export function extendReservation(
  state: IkeSaState,
  child: ChildSa,
  direction: SaDirection,
  last: SequenceNumber,
): void {
  const { retained, agreement } = child;
  if (retained === undefined) return;
  const { keys, reserved } = retained[direction];
  const more = extendedReservation(direction, reserved, last, state.at, agreement.suite.esn);
  retained[direction] = { keys, reserved: more };
  announceReservation(state, child, direction);
}
