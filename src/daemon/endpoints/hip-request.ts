// What `wayward hip` asks a daemon for -> the engine's command.
import type { HipEngineCommand } from '#engine';
import { hitFromAddress, parseAddress } from '#sa';
import type { HipAction } from './control-protocol.ts';

const kinds = {
  up: 'hip-associate',
  down: 'hip-close',
  rekey: 'hip-rekey',
  check: 'hip-check',
} as const satisfies Record<HipAction, HipEngineCommand['kind']>;

/** @param peer its name, or its HIT as an address */
export function hipCommandOf(action: HipAction, peer: string): HipEngineCommand {
  const address = parseAddress(peer);
  const hit = address === undefined ? undefined : hitFromAddress(address);
  return { kind: kinds[action], peer: hit ?? peer };
}
