// What a host tells its engine once it has noticed which address it has, as the daemon does.
import type { EngineCommand, EngineStatus } from '#engine';
import type { IpAddress } from '#sa';

/**
 * @param address `undefined`: the host is on no network
 * @param status asked for after the commands before were given
 */
export function* addressCommands(
  address: IpAddress | undefined,
  hip: boolean,
  status: () => EngineStatus | undefined,
): Iterable<EngineCommand> {
  const own = new Set(address === undefined ? [] : [address]);
  yield { kind: 'own-addresses', own };
  for (const { ikeId, local, remote, mobility } of status()?.ikeSas ?? []) {
    if (mobility === undefined || address === undefined || local.address === address) continue;
    yield { kind: 'move-ike', ikeId, local: address, remote: remote.address };
  }
  if (!hip) return;
  yield { kind: 'hip-addresses', own };
  if (address === undefined) return;
  const before = new Set(status()?.hip.map(({ path }) => path.local.address));
  for (const from of before) if (from !== address) yield { kind: 'hip-move', from, to: address };
}
