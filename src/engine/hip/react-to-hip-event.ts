// What the rest of the host does when something happens to a HIP association.
import type { HipEvent } from '#hip';
import type { EngineState } from '../engine-state.ts';
import { noteHipEvent } from './hip-recovery.ts';
import type { HipSide } from './hip-side.ts';

export function reactToHipEvent(state: EngineState, hip: HipSide, event: HipEvent): void {
  noteHipEvent(state, event);
  state.event({ kind: 'hip', event });
  hip.registrations.note(state, hip, event);
  if (event.kind === 'identified') hip.identify(event.context.remote);
  else if (event.kind === 'established') hip.settle(event.context.remote);
  else if (event.kind === 'failed') hip.settle(event.context.remote, event.reason);
}
