// Inputs of the engine that are about HIP find their way to it.
import { hipDefaults } from '#hip';
import type { EngineState } from '../engine-state.ts';
import type { EngineInput } from '../interface.ts';
import { HipSide } from './hip-side.ts';

/** With an identity in the configuration; at the start of the host, or at the reload that brings one. */
export function startHip(state: EngineState): void {
  const { hip: configuration } = state.configuration;
  if (state.hip !== undefined) {
    // Without identities nothing is answered any more; what stands comes to its end by itself.
    state.hip.load(configuration ?? { ...hipDefaults, identities: [], peers: [] });
    return;
  }
  if (configuration === undefined || configuration.identities.length === 0) return;
  state.hip = new HipSide(state, configuration, state.recovery.boot.epoch);
  state.hip.traps.follow(state, configuration);
  state.hip.registrations.follow(state, configuration);
}

export function resultForHip(
  state: EngineState,
  input: Extract<EngineInput, { kind: 'sa-result' | 'computed' }>,
): void {
  const id = state.takeAwaitedByHip(input.id);
  if (id === undefined) return;
  if (input.kind === 'sa-result') state.hip?.handle({ kind: 'sa-result', id, result: input.result });
  else if (input.result.kind === 'search-puzzle')
    state.hip?.handle({ kind: 'computed', id, result: input.result });
}

/** A packet to a HIT came out of a trap. */
export function acquireByHip(state: EngineState, policyId: number): void {
  const trap = state.hip?.traps.byPolicy(policyId);
  if (trap === undefined) return;
  // It may have met the trap before the policy of an association that stands by now: that one goes on.
  state.hip?.call(trap.peer, trap.remote, 'a packet is for it', true);
}
