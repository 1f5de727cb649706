// This host is somewhere else now, and its peers are told (RFC 8046 3.2.1).
import { type IpAddress, sameFamily } from '#sa';
import type { HipHostState } from '../host-state.ts';
import { callFrom } from '../initiator/call-from.ts';
import { usePath } from '../locators/use-path.ts';

/** RFC 8046 6.4: to no address that the operator has not named, if any. */
export function move(state: HipHostState, from: IpAddress, to: IpAddress): void {
  const { addresses } = state.configuration;
  if (addresses.length > 0 && !addresses.includes(to)) return;
  for (const association of state.associations.all()) {
    const { path, standing, attempt } = association;
    if (path.local.address !== from || !sameFamily(to, path.remote.address)) continue;
    const moved = { ...path, local: { address: to, port: path.local.port } };
    if (attempt !== undefined) callFrom(state, association, attempt, moved.local);
    if (standing === undefined) state.associations.move(association, moved);
    else usePath(state, association, standing, moved);
  }
}
