// What is compared: incidents, what the hosts know of recovery, and how far apart they are.

export const recoveryScenarioNames = [
  'responder-restarts',
  'responder-restarts-cookie',
  'responder-restarts-loss',
  'initiator-restarts',
  'both-restart',
  'sibling-takes-over',
  'long-outage',
  'nat-rebinding',
  'forged-hints-on-path',
  'forged-hints-off-path',
  'esp-flood',
] as const;
export type RecoveryScenarioName = (typeof recoveryScenarioNames)[number];

export const recoveryPolicyNames = [
  'silent',
  'invalid-spi',
  'qcd',
  'qcd-resumption',
  'full-ladder',
  'checkpoint',
  'legacy-peer',
] as const;
export type RecoveryPolicyName = (typeof recoveryPolicyNames)[number];

/** One way of an incident for one equipment of the hosts, and one distance between them. */
export interface RecoveryCell {
  readonly scenario: RecoveryScenarioName;
  readonly policy: RecoveryPolicyName;
  /** Of the path between the hosts; the hosts' own time comes on top. */
  readonly rttMs: number;
}

/** An attacker is all that happens: nothing may change, so there is nothing to recover from. */
export function isAttack(scenario: RecoveryScenarioName): boolean {
  return (
    scenario === 'forged-hints-on-path' || scenario === 'forged-hints-off-path' || scenario === 'esp-flood'
  );
}

/** Round trips that the engine's designers allow themselves with everything on; `undefined`: no promise is made. */
export function promisedRoundTrips(cell: RecoveryCell): number | undefined {
  const promises =
    cell.policy === 'full-ladder' ||
    // Its own rekeyings meet the loss as well.
    (cell.policy === 'checkpoint' && cell.scenario !== 'responder-restarts-loss');
  if (!promises || isAttack(cell.scenario)) return undefined;
  return cell.scenario === 'responder-restarts-cookie' ? 5 : 4;
}

export function cellName({ scenario, policy, rttMs }: RecoveryCell): string {
  return `${scenario}, ${policy}, ${rttMs} ms`;
}
