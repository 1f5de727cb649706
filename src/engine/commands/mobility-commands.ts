// This host is elsewhere: its IKE SAs that may move follow, and their peers are told (RFC 4555).
import type { ConnectionConfiguration, IkeSaCommand } from '#ike';
import { type IpAddress, isIpv6, isUnicast, sameFamily } from '#sa';
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import type { MobilityCommand } from '../interface.ts';
import { beginAgain } from './initiate-connection.ts';

export function executeMobilityCommand(state: EngineState, id: number, command: MobilityCommand): void {
  if (command.kind === 'own-addresses') {
    const told = knowAddresses(state, command.own);
    state.answer(id, { ok: true, count: told });
    return;
  }
  const entry = state.registry.byId(command.ikeId);
  if (entry?.sa.mobility === undefined) {
    const detail = `no IKE SA ${command.ikeId} that may move`;
    state.answer(id, { ok: false, code: 'not-found', detail });
    return;
  }
  const remote = command.remote ?? entry.sa.remote.address;
  const local = localFor(state, entry.sa.connection, command.local, remote);
  if (local === undefined) {
    const family = isIpv6(remote) ? 'IPv6' : 'IPv4';
    const detail = `local_addrs of ${entry.sa.connection.name} has no address of ${family} that this host has`;
    state.answer(id, { ok: false, code: 'no-address', detail });
    return;
  }
  handle(state, entry, { kind: 'move', local, remote });
  state.answer(id, { ok: true, count: 1 });
}

function handle(state: EngineState, entry: IkeEntry, command: IkeSaCommand): void {
  entry.sa.handle({ kind: 'command', at: state.at, command });
  state.touch(entry);
}

/** The address that the kernel would send from, if the configuration lets it; else the first of ours that it does. */
function localFor(
  state: EngineState,
  connection: ConnectionConfiguration,
  preferred: IpAddress,
  remote: IpAddress,
): IpAddress | undefined {
  const all = state.addressesFor(connection, [preferred, ...state.ownAddresses]);
  return all.find((address) => sameFamily(address, remote));
}

/** @returns how many gateways' clients are told */
function knowAddresses(state: EngineState, own: ReadonlySet<IpAddress>): number {
  const inside = new Set(state.registry.all().flatMap(({ virtualAddresses }) => virtualAddresses));
  const before = state.ownAddresses;
  // Nobody can be reached by an address that a tunnel gave us, or that is good on one link only.
  state.ownAddresses = [...own]
    .filter((one) => isUnicast(one) && !inside.has(one) && !isLinkLocal(one))
    .sort();
  if (before.join(' ') === state.ownAddresses.join(' ')) return 0;
  const gone = new Set(before.filter((one) => !state.ownAddresses.includes(one)));
  beginElsewhere(state, gone);
  noteLost(state, gone);
  let told = 0;
  for (const entry of state.registry.all()) {
    const { mobility, connection, phase, local } = entry.sa;
    if (mobility === undefined || mobility.client || (phase !== 'established' && phase !== 'rekeying'))
      continue;
    // From there nothing can be sent any more, and it is told when the IKE SA leaves it.
    if (gone.has(local.address)) continue;
    const allowed = (all: readonly IpAddress[]): string => state.addressesFor(connection, all).join(' ');
    if (allowed(before) === allowed(state.ownAddresses)) continue;
    handle(state, entry, { kind: 'announce-addresses' });
    told++;
  }
  return told;
}

/** What is only being made cannot move: its peer does not know yet whose it is. */
function beginElsewhere(state: EngineState, gone: ReadonlySet<IpAddress>): void {
  for (const initiation of [...state.initiations.all()]) {
    const { phase } = initiation;
    const sa = phase.name === 'connecting' ? state.registry.byId(phase.ikeId)?.sa : undefined;
    if (sa !== undefined && gone.has(sa.local.address))
      beginAgain(state, initiation, `${sa.local.address} is no address of this host any more`);
  }
}

/** A host may send from addresses that it was never told of: those are not lost. */
function noteLost(state: EngineState, gone: ReadonlySet<IpAddress>): void {
  const { ownAddresses, lostAddresses } = state;
  const used = state.registry.all().map(({ sa }) => sa.local.address);
  state.lostAddresses = new Set(
    used.filter((one) => (gone.has(one) || lostAddresses.has(one)) && !ownAddresses.includes(one)),
  );
}

/** RFC 3927, RFC 4291 2.5.6 */
function isLinkLocal(address: IpAddress): boolean {
  return isIpv6(address) ? /^fe[89ab]/.test(address) : address.startsWith('169.254.');
}
