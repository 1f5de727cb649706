// Which LSI stands for which peer on this host (RFC 5338 3.2): the configured one, or one that follows from the HIT.
import { hitAddress, type IpAddress, type LsiPeer, type LsiTable, parseAddress } from '#sa';
import type { Hit } from '#wire';
import type { HipConfiguration } from './configuration.ts';

/** What this host is called by its own IPv4 applications. */
export const ownLsi: IpAddress = parseAddress('1.0.0.1')!;

const lsiBits = 24;

/** Neither a network's address, nor ours, nor a broadcast. */
function isFree(value: number, taken: ReadonlySet<IpAddress>): boolean {
  const last = value & 0xff;
  return last !== 0 && last !== 0xff && !taken.has(lsiOf(value));
}

/** 1.0.0.0/8 and these bits. */
function lsiOf(value: number): IpAddress {
  return parseAddress(`1.${value >>> 16}.${(value >>> 8) & 0xff}.${value & 0xff}`)!;
}

/**
 * The last 24 bits of the HIT, or the next that are free: a peer keeps its LSI when others come and go, unless two of them
 * collide.
 */
function derived(hit: Hit, taken: ReadonlySet<IpAddress>): IpAddress | undefined {
  const first = Number.parseInt(hit.slice(-6), 16);
  for (let i = 0; i < 1 << 16; i++) {
    const value = (first + i) % 2 ** lsiBits;
    if (isFree(value, taken)) return lsiOf(value);
  }
  return undefined;
}

/** Peers without a HIT have no LSI: nobody knows them before they answer. */
export function lsiTableOf({ identities, peers }: HipConfiguration): LsiTable {
  const taken = new Set<IpAddress>([ownLsi]);
  for (const { lsi } of peers) if (lsi !== undefined) taken.add(lsi);
  const table: LsiPeer[] = [];
  for (const { hit, localHit, lsi } of peers) {
    const own = localHit ?? identities[0]?.identity.hit;
    if (hit === undefined || own === undefined) continue;
    const chosen = lsi ?? derived(hit, taken);
    if (chosen === undefined) continue;
    taken.add(chosen);
    table.push({ lsi: chosen, localHit: hitAddress(own), remoteHit: hitAddress(hit) });
  }
  return { own: ownLsi, peers: table };
}
