// Where a peer is, and from which address it is reached, as a host finds out.
import type { EngineInput, EngineOutput } from '#engine';
import { type IpAddress, isIpv6, parseAddress } from '#sa';
import type { HostWorld } from './host.ts';

type Request = Extract<EngineOutput, { readonly kind: 'resolve' }>;
type Result = Extract<EngineInput, { readonly kind: 'resolved' }>['result'];

/** @param own the address of the host; `undefined`: it is on no network */
export function lookUp(
  name: string,
  { host, local }: Request,
  own: IpAddress | undefined,
  world: Pick<HostWorld, 'lookUp' | 'fault'>,
): Result {
  const remote = parseAddress(host) ?? world.lookUp(name, host);
  const from = local ?? own;
  if (from === undefined) return { ok: false, detail: `there is no route to ${host}` };
  if (remote === undefined) {
    world.fault('lookup-failed', `${host} for ${name}`);
    return { ok: false, detail: `${host} cannot be looked up` };
  }
  if (isIpv6(remote) !== isIpv6(from)) return { ok: false, detail: `no route to ${remote}` };
  return { ok: true, local: from, remote };
}
