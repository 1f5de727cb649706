// What people ask of HIP: associate, close, rekey, check, move.
import { hitAddress } from '#sa';
import { type Hit, zeroHit } from '#wire';
import type { EngineState } from '../engine-state.ts';
import type { HipEngineCommand } from '../interface.ts';
import type { HipSide } from './hip-side.ts';

export function executeHipCommand(state: EngineState, id: number, command: HipEngineCommand): void {
  const { hip } = state;
  if (hip === undefined) {
    state.answer(id, { ok: false, code: 'not-found', detail: 'this host has no Host Identity' });
    return;
  }
  if (command.kind === 'hip-move') {
    hip.command({ kind: 'move', from: command.from, to: command.to });
    state.answer(id, { ok: true, count: hip.status().length });
    return;
  }
  if (command.kind === 'hip-addresses') {
    hip.command({ kind: 'addresses', own: command.own });
    state.answer(id, { ok: true, count: command.own.size });
    return;
  }
  if (command.kind === 'hip-associate') {
    associate(state, hip, id, command.peer);
    return;
  }
  const chosen = hip
    .status()
    .filter(({ childId }) => childId !== undefined)
    .filter(({ peer, remote }) => command.peer === peer || command.peer === remote);
  for (const { local, remote } of chosen) {
    if (command.kind === 'hip-close') hip.command({ kind: 'close', local, remote, reason: 'asked to' });
    else if (command.kind === 'hip-rekey') hip.command({ kind: 'rekey', local, remote });
    else hip.command({ kind: 'check', local, remote, reason: 'asked to' });
  }
  state.answer(
    id,
    chosen.length > 0
      ? { ok: true, count: chosen.length }
      : { ok: false, code: 'not-found', detail: `no HIP association with ${asWritten(command.peer)}` },
  );
}

/** A HIT as people write it; names are their own. */
function asWritten(peer: string): string {
  return /^[0-9a-f]{32}$/.test(peer) ? hitAddress(peer as Hit) : peer;
}

function associate(state: EngineState, hip: HipSide, id: number, name: string): void {
  const peer = hip.configuration.peers.find((one) => one.name === name || one.hit === name);
  if (peer === undefined) {
    state.answer(id, { ok: false, code: 'not-found', detail: `no HIP peer is called ${asWritten(name)}` });
    return;
  }
  const remote: Hit = peer.hit ?? zeroHit;
  if (!hip.call(peer, remote, 'asked to')) {
    state.answer(id, { ok: false, code: 'no-address', detail: `${asWritten(name)} has no address` });
    return;
  }
  hip.awaitAssociation(remote, id);
}
