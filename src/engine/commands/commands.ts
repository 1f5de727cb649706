// What people and control protocols ask of a host.
import type { ChildConfiguration, ConnectionConfiguration } from '#ike';
import type { EngineConfiguration } from '../configuration.ts';
import type { EngineState } from '../engine-state.ts';
import { startHip } from '../hip/drive-hip.ts';
import { executeHipCommand } from '../hip/hip-commands.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import type { EngineCommand, SaChoice } from '../interface.ts';
import { followConfiguration, initiateChild, initiateNoMore } from './initiate-connection.ts';
import { executeMobilityCommand } from './mobility-commands.ts';

/** Carries a command out; its result comes as an output, at once or later. */
export function executeCommand(state: EngineState, id: number, command: EngineCommand): void {
  if (state.shuttingDown && command.kind !== 'terminate') {
    state.answer(id, { ok: false, code: 'shutting-down', detail: 'the daemon is shutting down' });
    return;
  }
  switch (command.kind) {
    case 'load':
      load(state, command.configuration, command.start);
      state.answer(id, { ok: true, count: command.configuration.connections.length });
      break;
    case 'initiate':
      initiate(state, id, command);
      break;
    case 'terminate':
      terminate(state, id, command);
      break;
    case 'rekey':
      rekey(state, id, command);
      break;
    case 'install':
      install(state, id, command);
      break;
    case 'uninstall':
      uninstall(state, id, command);
      break;
    case 'hip-associate':
    case 'hip-close':
    case 'hip-rekey':
    case 'hip-check':
    case 'hip-move':
    case 'hip-addresses':
      executeHipCommand(state, id, command);
      break;
    case 'own-addresses':
    case 'move-ike':
      executeMobilityCommand(state, id, command);
      break;
    case 'shutdown':
      shutDown(state, id);
      break;
  }
}

/** Applies `start_action` of every child of the named connections, or of all. */
export function startConnections(state: EngineState, names?: readonly string[]): void {
  for (const connection of state.configuration.connections) {
    if (names !== undefined && !names.includes(connection.name)) continue;
    for (const configuration of connection.children) {
      if (configuration.startAction === 'trap') state.setTrap(connection, configuration);
      if (
        configuration.startAction !== 'start' ||
        state.registry.carries(connection.name, configuration.name)
      )
        continue;
      const refusal = initiateChild(state, connection, { configuration }, { persistent: true });
      if (refusal !== undefined) {
        state.event({ kind: 'connect-failed', connection: connection.name, detail: refusal });
      }
    }
  }
}

/** A reload keeps SAs that stand: they end by their lifetimes or by a command, as operators know it from charon. */
function load(
  state: EngineState,
  configuration: EngineConfiguration,
  start: readonly string[] | undefined,
): void {
  state.configuration = configuration;
  for (const trap of state.traps.all()) {
    const connection = state.connections.named(trap.connection.name);
    const child = connection?.children.find(({ name }) => name === trap.child.name);
    const same =
      child !== undefined &&
      (child.startAction === 'trap' || trap.onRequest) &&
      JSON.stringify([child.localSelectors, child.remoteSelectors, child.mode]) ===
        JSON.stringify([trap.child.localSelectors, trap.child.remoteSelectors, trap.child.mode]);
    if (!same) state.removeTrap(trap);
  }
  state.pools.configure(configuration.pools);
  for (const initiation of state.initiations.all()) followConfiguration(state, initiation);
  const names = new Set(configuration.connections.map(({ name }) => name));
  state.clientTickets.retain(names);
  state.restarts.retain(names);
  startHip(state);
  startConnections(state, start);
}

interface Selection {
  readonly connection: ConnectionConfiguration;
  readonly children: readonly ChildConfiguration[];
}

/** The configured children that a command names. A child's name alone means its first connection. */
function select(
  { connections, configuration }: EngineState,
  named: { readonly connection?: string; readonly child?: string },
): Selection | undefined {
  const { connection: name, child } = named;
  const connection =
    name !== undefined
      ? connections.named(name)
      : child !== undefined
        ? connections.withChild(child)
        : configuration.connections.find(({ children }) => children.length > 0);
  const children = connection?.children.filter((one) => child === undefined || one.name === child) ?? [];
  return connection === undefined || children.length === 0 ? undefined : { connection, children };
}

function described(named: SaChoice): string {
  const parts = [
    ...(named.ikeId === undefined ? [] : [`IKE SA ${named.ikeId}`]),
    ...(named.childId === undefined ? [] : [`Child SA ${named.childId}`]),
    ...(named.connection === undefined ? [] : [`connection ${named.connection}`]),
    ...(named.child === undefined ? [] : [`child ${named.child}`]),
  ];
  return parts.join(', ') || 'nothing';
}

function initiate(
  state: EngineState,
  id: number,
  command: { readonly connection?: string; readonly child?: string },
): void {
  const selection = select(state, command);
  if (selection === undefined) {
    state.answer(id, { ok: false, code: 'not-found', detail: `no configured ${described(command)}` });
    return;
  }
  const { connection } = selection;
  const missing = selection.children.filter(({ name }) => !state.registry.carries(connection.name, name));
  if (missing.length === 0) {
    state.answer(id, { ok: true, count: 0 });
    return;
  }
  state.pending.awaitChildren(
    id,
    connection.name,
    missing.map(({ name }) => name),
  );
  for (const configuration of missing) {
    const refusal = initiateChild(state, connection, { configuration }, { persistent: false });
    if (refusal !== undefined) state.pending.initiationFailed(connection.name, configuration.name, refusal);
  }
}

function terminate(state: EngineState, id: number, choice: SaChoice): void {
  if (choice.child !== undefined || choice.childId !== undefined) {
    terminateChildren(state, id, choice);
    return;
  }
  const entries = chosenIkeSas(state, choice);
  const cancelled = choice.connection !== undefined && state.initiations.get(choice.connection) !== undefined;
  if (cancelled && choice.connection !== undefined) {
    state.initiations.end(choice.connection);
    state.pending.initiationFailed(choice.connection, undefined, 'terminated by command');
  }
  if (entries.length === 0) {
    state.answer(
      id,
      cancelled
        ? { ok: true, count: 0 }
        : { ok: false, code: 'not-found', detail: `no IKE SA of ${described(choice)}` },
    );
    return;
  }
  const ikeIds = entries.map(({ ikeId }) => ikeId);
  state.pending.awaitEnd(id, ikeIds, []);
  for (const entry of entries) deleteIkeSa(state, entry, 'terminated by command');
}

function chosenIkeSas(state: EngineState, { connection, ikeId }: SaChoice): readonly IkeEntry[] {
  const { registry } = state;
  const named = connection === undefined ? registry.all() : [...registry.allOfConnection(connection)];
  return named.filter(({ sa, ikeId: own }) => sa.phase !== 'ended' && (ikeId === undefined || own === ikeId));
}

function isChosenChild({ child, childId }: SaChoice, one: { name: string; childId: number }): boolean {
  return (child === undefined || one.name === child) && (childId === undefined || one.childId === childId);
}

function terminateChildren(state: EngineState, id: number, choice: SaChoice): void {
  const found = new Map<number, IkeEntry>();
  for (const entry of chosenIkeSas(state, choice)) {
    for (const child of entry.sa.children) if (isChosenChild(choice, child)) found.set(child.childId, entry);
  }
  const { child, childId, connection } = choice;
  const cancelled = child !== undefined && childId === undefined && initiateNoMore(state, child, connection);
  if (found.size === 0) {
    state.answer(
      id,
      cancelled
        ? { ok: true, count: 0 }
        : { ok: false, code: 'not-found', detail: `no Child SA of ${described(choice)}` },
    );
    return;
  }
  state.pending.awaitEnd(id, [], [...found.keys()]);
  for (const [childId, entry] of found) {
    entry.sa.handle({ kind: 'command', at: state.at, command: { kind: 'delete-child', childId } });
    state.touch(entry);
  }
}

function deleteIkeSa(state: EngineState, entry: IkeEntry, reason: string): void {
  entry.sa.handle({ kind: 'command', at: state.at, command: { kind: 'delete', reason } });
  state.touch(entry);
}

function rekey(state: EngineState, id: number, choice: SaChoice): void {
  const ofChildren = choice.child !== undefined || choice.childId !== undefined;
  let count = 0;
  for (const entry of chosenIkeSas(state, choice)) {
    const { sa } = entry;
    if (sa.phase !== 'established') continue;
    if (ofChildren) {
      for (const child of sa.children) {
        if (child.phase !== 'installed' || !isChosenChild(choice, child)) continue;
        const { childId } = child;
        sa.handle({ kind: 'command', at: state.at, command: { kind: 'rekey-child', childId } });
        count++;
      }
    } else {
      sa.handle({ kind: 'command', at: state.at, command: { kind: 'rekey-ike' } });
      count++;
    }
    state.touch(entry);
  }
  state.answer(
    id,
    count > 0
      ? { ok: true, count }
      : { ok: false, code: 'not-found', detail: `no SA of ${described(choice)}` },
  );
}

function install(
  state: EngineState,
  id: number,
  named: { readonly connection?: string; readonly child: string },
): void {
  const selection = select(state, named);
  const configuration = selection?.children[0];
  if (selection === undefined || configuration === undefined) {
    state.answer(id, { ok: false, code: 'not-found', detail: `no configured ${described(named)}` });
    return;
  }
  const before = state.traps.all().length;
  state.setTrap(selection.connection, configuration, true);
  const count = state.traps.all().length - before;
  const stands = state.traps
    .all()
    .some(
      ({ connection, child }) => connection.name === selection.connection.name && child.name === named.child,
    );
  state.answer(
    id,
    stands
      ? { ok: true, count }
      : {
          ok: false,
          code: 'failed',
          detail: `${described(named)} has no selectors that traffic could match`,
        },
  );
}

function uninstall(
  state: EngineState,
  id: number,
  named: { readonly connection?: string; readonly child: string },
): void {
  const traps = state.traps
    .all()
    .filter(
      ({ connection, child }) =>
        child.name === named.child &&
        (named.connection === undefined || connection.name === named.connection),
    );
  for (const trap of traps) state.removeTrap(trap);
  state.answer(
    id,
    traps.length > 0
      ? { ok: true, count: traps.length }
      : { ok: false, code: 'not-found', detail: `no trap policy of ${described(named)}` },
  );
}

function shutDown(state: EngineState, id: number): void {
  state.shuttingDown = true;
  for (const { connection } of state.initiations.all()) {
    state.initiations.end(connection.name);
    state.pending.initiationFailed(connection.name, undefined, 'the daemon is shutting down');
  }
  for (const trap of state.traps.all()) state.removeTrap(trap);
  state.hip?.shutDown();
  const entries = state.registry.all();
  state.pending.awaitEnd(
    id,
    entries.map(({ ikeId }) => ikeId),
    [],
  );
  // RFC 5723 6.2: every IKE SA is deleted, and no ticket outlives that.
  state.clientTickets.retain(new Set());
  state.tickets.destroy();
  for (const entry of entries) deleteIkeSa(state, entry, 'the daemon is shutting down');
}
