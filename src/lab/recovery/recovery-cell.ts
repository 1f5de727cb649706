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
  'hip-silent',
  'hip-parameter-problem',
  'hip-traps',
  'hip-full-ladder',
] as const;
export type RecoveryPolicyName = (typeof recoveryPolicyNames)[number];

/** One way of an incident for one equipment of the hosts, and one distance between them. */
export interface RecoveryCell {
  readonly scenario: RecoveryScenarioName;
  readonly policy: RecoveryPolicyName;
  /** Of the path between the hosts; the hosts' own time comes on top. */
  readonly rttMs: number;
}

/** HIP keys the SAs, not IKE. */
export function isHip(policy: RecoveryPolicyName): boolean {
  return policy.startsWith('hip-');
}

/** HIP has no COOKIE, no records to share, and here no NAT: incidents about these are IKE's. */
export function isPossible({ scenario, policy }: Pick<RecoveryCell, 'scenario' | 'policy'>): boolean {
  const ofIke: readonly RecoveryScenarioName[] = [
    'responder-restarts-cookie',
    'sibling-takes-over',
    'nat-rebinding',
  ];
  return !isHip(policy) || !ofIke.includes(scenario);
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
    (cell.policy === 'hip-full-ladder' &&
      // It takes a second until a lost I1 is repeated, and until one that had to be dropped is: of two that cross, the
      // greater HIT's (RFC 7401 4.4.3).
      cell.scenario !== 'responder-restarts-loss' &&
      cell.scenario !== 'both-restart') ||
    // Its own rekeyings meet the loss as well.
    (cell.policy === 'checkpoint' && cell.scenario !== 'responder-restarts-loss');
  if (!promises || isAttack(cell.scenario)) return undefined;
  return cell.scenario === 'responder-restarts-cookie' ? 5 : 4;
}

export function cellName({ scenario, policy, rttMs }: RecoveryCell): string {
  return `${scenario}, ${policy}, ${rttMs} ms`;
}
