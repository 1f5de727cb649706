// Policies and packets so small that a search by hand decides about them: the model for the SPD.
import fc from 'fast-check';
import { address, type PolicyAction, type PolicyParameters, type TrafficSelector } from '#sa';
import { ipPacket } from './fixtures.ts';

/** A packet as the naive model sees it. Addresses are 10.9.0.n or 2001:db8::n. */
export interface Flow {
  readonly v6: boolean;
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly laterFragment: boolean;
}

export interface Side {
  readonly v6: boolean;
  readonly first: number;
  readonly last: number;
  readonly protocol: number;
  readonly startPort: number;
  readonly endPort: number;
}

const host = (v6: boolean, n: number): string => (v6 ? `2001:db8::${n.toString(16)}` : `10.9.0.${n}`);
const small = fc.integer({ min: 1, max: 6 });
const protocols = fc.constantFrom(6, 17);

export const flows: fc.Arbitrary<Flow> = fc
  .record({
    v6: fc.boolean(),
    source: small,
    destination: small,
    protocol: protocols,
    sourcePort: small,
    destinationPort: small,
    laterFragment: fc.boolean(),
  })
  .map((one) => ({ ...one, laterFragment: one.laterFragment && !one.v6 }));

export const sides: fc.Arbitrary<Side> = fc
  .record({
    v6: fc.boolean(),
    range: fc.tuple(small, small),
    protocol: fc.constantFrom(0, 6, 17),
    ports: fc.oneof(
      fc.constant([0, 65535] as const),
      fc.constant([65535, 0] as const),
      fc.tuple(small, small).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
    ),
  })
  .map(({ v6, range, protocol, ports }) => ({
    v6,
    first: Math.min(...range),
    last: Math.max(...range),
    protocol,
    startPort: ports[0],
    endPort: ports[1],
  }));

export interface ModelPolicy {
  readonly action: PolicyAction;
  readonly priority: number;
  readonly local: readonly Side[];
  readonly remote: readonly Side[];
}

const actions = fc.constantFrom<PolicyAction>('protect', 'bypass', 'discard', 'trap');
export const policies: fc.Arbitrary<ModelPolicy[]> = fc.array(
  fc.record({
    action: actions,
    priority: fc.integer({ min: 0, max: 2 }),
    local: fc.array(sides, { minLength: 1, maxLength: 2 }),
    remote: fc.array(sides, { minLength: 1, maxLength: 2 }),
  }),
  { maxLength: 6 },
);

export function sideMatches(side: Side, flow: Flow, n: number, port: number): boolean {
  if (side.v6 !== flow.v6 || n < side.first || n > side.last) return false;
  if (side.protocol !== 0 && side.protocol !== flow.protocol) return false;
  const any = side.startPort === 0 && side.endPort === 65535;
  if (flow.laterFragment) return any || side.startPort > side.endPort;
  return any || (port >= side.startPort && port <= side.endPort);
}

export function modelDecision(
  all: readonly ModelPolicy[],
  flow: Flow,
  crossing: 'outbound' | 'inbound',
): number | undefined {
  const near = crossing === 'outbound' ? flow.source : flow.destination;
  const far = crossing === 'outbound' ? flow.destination : flow.source;
  const nearPort = crossing === 'outbound' ? flow.sourcePort : flow.destinationPort;
  const farPort = crossing === 'outbound' ? flow.destinationPort : flow.sourcePort;
  let best: number | undefined;
  for (const [i, policy] of all.entries()) {
    const matches =
      policy.local.some((side) => sideMatches(side, flow, near, nearPort)) &&
      policy.remote.some((side) => sideMatches(side, flow, far, farPort));
    if (matches && (best === undefined || policy.priority < all[best]!.priority)) best = i;
  }
  return best;
}

export function selectorOf(side: Side): TrafficSelector {
  return {
    protocol: side.protocol,
    startPort: side.startPort,
    endPort: side.endPort,
    start: address(host(side.v6, side.first)),
    end: address(host(side.v6, side.last)),
  };
}

export function parametersOf(policy: ModelPolicy, policyId: number): PolicyParameters {
  return {
    policyId,
    action: policy.action,
    priority: policy.priority,
    mode: 'tunnel',
    childId: policyId,
    selectors: { local: policy.local.map(selectorOf), remote: policy.remote.map(selectorOf) },
  };
}

export function packetOf(flow: Flow): Uint8Array {
  return ipPacket({
    source: host(flow.v6, flow.source),
    destination: host(flow.v6, flow.destination),
    protocol: flow.protocol,
    sourcePort: flow.sourcePort,
    destinationPort: flow.destinationPort,
    fragmentOffset: flow.laterFragment ? 64 : 0,
  });
}
