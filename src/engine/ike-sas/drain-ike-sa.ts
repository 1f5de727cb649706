// After an IKE SA was given something: its outputs become the engine's, its events are acted upon, its timer is set.
import type { IkeSaOutput } from '#ike';
import type { Endpoint } from '#sa';
import { rekeyOnceKnown } from '../checkpoint/adopt-checkpoint.ts';
import type { EngineState } from '../engine-state.ts';
import { forgetIkeSa } from '../recovery/ike-sa-ended.ts';
import type { IkeEntry } from './ike-sa-registry.ts';
import { reactToIkeEvent } from './react-to-ike-event.ts';

/** Takes everything an IKE SA has to say, then forgets it if it has ended. */
export function drainIkeSa(state: EngineState, entry: IkeEntry): void {
  state.checkpoint.drained(entry);
  for (let output = entry.sa.poll(); output !== undefined; output = entry.sa.poll())
    forward(state, entry, output);
  if (entry.sa.phase === 'ended') {
    retire(state, entry);
    return;
  }
  state.registry.follow(entry);
  state.deadlines.set(`ike ${entry.ikeId}`, entry.sa.deadline());
}

function forward(state: EngineState, entry: IkeEntry, output: IkeSaOutput): void {
  state.checkpoint.note(entry);
  switch (output.kind) {
    case 'transmit':
      if (isElsewhere(entry, output.remote) && !state.answersElsewhere.take(state.at)) break;
      entry.lastTransmitAt = state.at;
      if (entry.withheld !== undefined) entry.withheld.push(output);
      else if (!state.checkpoint.hold(entry, output)) {
        state.transmit(output.local, output.remote, output.octets);
      }
      break;
    case 'sa-command':
      // A restart must know of the numbers before they are used.
      if (output.command.kind === 'extend-reservation' && state.checkpoint.hold(entry, output)) break;
      if (output.command.kind === 'install-policy') {
        state.leadingPolicies.add(output.command.policy);
      } else if (output.command.kind === 'remove-policy') {
        state.leadingPolicies.remove(output.command.policyId);
      }
      entry.lastCommandId = state.awaitResult(entry.ikeId, output.id);
      state.outputs.push({ kind: 'sa-command', id: entry.lastCommandId, command: output.command });
      break;
    case 'compute':
      state.outputs.push({ ...output, id: state.awaitResult(entry.ikeId, output.id) });
      break;
    case 'ticket':
      state.clientTickets.keep(output.ticket);
      break;
    case 'key-log':
      state.outputs.push(output);
      break;
    case 'event':
      reactToIkeEvent(state, entry, output.event);
      break;
  }
}

/** Nobody is authenticated, and only a message that may be forged says that there is who began: a NAT may have moved him. */
function isElsewhere({ halfOpenSource }: IkeEntry, { address }: Endpoint): boolean {
  return halfOpenSource !== undefined && halfOpenSource !== address;
}

function retire(state: EngineState, entry: IkeEntry): void {
  if (!state.registry.has(entry.ikeId)) return;
  if (entry.halfOpenSource !== undefined) state.halfOpen.remove(entry.halfOpenSource);
  entry.halfOpenSource = undefined;
  state.registry.remove(entry);
  for (const heir of entry.offspring) {
    heir.parent = undefined;
    if (heir.rekeysOnceKnown) rekeyOnceKnown(state, heir);
  }
  const siblings = entry.parent?.offspring;
  if (siblings?.includes(entry)) siblings.splice(siblings.indexOf(entry), 1);
  state.deadlines.set(`ike ${entry.ikeId}`, undefined);
  state.deadlines.set(`keepalive ${entry.ikeId}`, undefined);
  state.deadlines.set(`duplicate ${entry.ikeId}`, undefined);
  state.deadlines.set(`refused ${entry.ikeId}`, undefined);
  state.pending.ikeEnded(entry.ikeId);
  forgetIkeSa(state, entry);
}
