// Where a host name leads, and from which of our addresses the kernel would go there.
import { lookup } from 'node:dns/promises';
import type { EngineOutput, Resolution } from '#engine';
import { sourceAddressFor } from '#linux';
import { isIpv6, parseAddress } from '#sa';

type ResolveRequest = Extract<EngineOutput, { kind: 'resolve' }>;

/** Answers an engine's `resolve`; never rejects. @param mark SO_MARK of our sockets */
export async function resolveHost(request: ResolveRequest, mark: number): Promise<Resolution> {
  const literal = parseAddress(request.host);
  const addresses = literal === undefined ? await lookUp(request) : [literal];
  if (typeof addresses === 'string') return { ok: false, detail: addresses };
  for (const remote of addresses) {
    if (request.local !== undefined && isIpv6(request.local) !== isIpv6(remote)) continue;
    const local = request.local ?? sourceAddressFor({ address: remote, port: request.port }, mark);
    if (local !== undefined) return { ok: true, local, remote };
  }
  return { ok: false, detail: `there is no route to ${request.host}` };
}

async function lookUp({
  host,
  family,
}: ResolveRequest): Promise<NonNullable<ReturnType<typeof parseAddress>>[] | string> {
  try {
    const found = await lookup(host, { all: true, ...(family === undefined ? {} : { family }) });
    return found.flatMap(({ address }) => parseAddress(address) ?? []);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return `the name ${host} cannot be looked up (${code})`;
  }
}
