// All checkers for a scenario.
import type { Observer } from '../events.ts';
import type { Scenario } from '../scenario.ts';
import { BoundedState } from './bounded-state.ts';
import { KeyAgreement } from './key-agreement.ts';
import { MessageIds } from './message-ids.ts';
import { NonceUniqueness } from './nonce-uniqueness.ts';
import { SaAccounting } from './sa-accounting.ts';
import { TimeOrder } from './time-order.ts';
import { TrafficIntegrity } from './traffic-integrity.ts';
import { UnauthenticatedInput } from './unauthenticated-input.ts';

export { Delivery } from './delivery.ts';
export { InvariantViolation } from './invariant-violation.ts';

/** IKE SAs that two hosts may need at once: one, its successors in a collision, and those that are being closed. */
const ikeSasMax = 24;

/** Checkers share no code with the engine: they read commands, headers and packets for themselves. */
export function checkersFor(scenario: Scenario): Observer[] {
  const connections = scenario.hosts.flatMap(({ configuration }) => configuration.connections);
  const windowSizeMax = Math.max(1, ...connections.map(({ windowSize }) => windowSize));
  const halfOpenMax = Math.max(
    ...scenario.hosts.map(({ configuration }) => configuration.halfOpen.halfOpenMax),
  );
  const known = scenario.hosts.flatMap(({ address, laterAddresses, nat }) => [
    address,
    ...(laterAddresses ?? []),
    ...(nat?.publicAddresses ?? []),
  ]);
  return [
    new TimeOrder(),
    new KeyAgreement(),
    new TrafficIntegrity(scenario.flows),
    new SaAccounting(),
    new MessageIds(windowSizeMax),
    new NonceUniqueness(),
    new BoundedState({
      ikeSas: ikeSasMax + halfOpenMax,
      halfOpen: halfOpenMax,
      reservedSpis: 4 * ikeSasMax,
      awaitedResults: 64,
      pendingCommands: 16,
      initiations: connections.length,
      deadlines: 3 * (ikeSasMax + halfOpenMax),
    }),
    new UnauthenticatedInput(new Set(known)),
  ];
}
