// Other keying daemons on this host: what they hold, and what that means for us.
import { type Check, check } from './check.ts';

export interface Neighbour {
  readonly name: string;
  readonly pid: number;
}

export function checkNeighbours(neighbours: readonly Neighbour[]): Check {
  if (neighbours.length === 0) return check('other-daemons', 'ok', 'no other keying daemon runs');
  const list = neighbours.map(({ name, pid }) => `${name} (process ${pid})`).join(', ');
  return check(
    'other-daemons',
    'note',
    `${list}: its SPIs cannot be read, so native ESP with unknown SPIs is not answered`,
    'stop it, for example systemctl disable --now strongswan',
  );
}
