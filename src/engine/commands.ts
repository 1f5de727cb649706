// What people and control protocols ask of a host.
import type { ChildConfiguration, ConnectionConfiguration } from '#ike';
import type { EngineConfiguration } from './configuration.ts';
import type { EngineState } from './engine-state.ts';
import type { IkeEntry } from './ike-sa-registry.ts';
import { followConfiguration, initiateChild } from './initiate-connection.ts';
import type { EngineCommand } from './interface.ts';

/** Carries a command out; its result comes as an output, at once or later. */
export function executeCommand(state: EngineState, id: number, command: EngineCommand): void {
  if (state.shuttingDown && command.kind !== 'terminate') {
    state.answer(id, { ok: false, code: 'shutting-down', detail: 'the daemon is shutting down' });
    return;
  }
  switch (command.kind) {
    case 'load':
      load(state, command.configuration);
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
    case 'shutdown':
      shutDown(state, id);
      break;
  }
}

/** Applies `start_action` of every child of the configuration. */
export function startConnections(state: EngineState): void {
  for (const connection of state.configuration.connections) {
    for (const configuration of connection.children) {
      if (configuration.startAction === 'trap') state.setTrap(connection, configuration);
      if (configuration.startAction !== 'start' || isUp(state, connection.name, configuration.name)) continue;
      const refusal = initiateChild(state, connection, { configuration }, { persistent: true });
      if (refusal !== undefined) {
        state.event({ kind: 'connect-failed', connection: connection.name, detail: refusal });
      }
    }
  }
}

/** A reload keeps SAs that stand: they end by their lifetimes or by a command, as operators know it from charon. */
function load(state: EngineState, configuration: EngineConfiguration): void {
  for (const trap of state.traps.all()) {
    const connection = configuration.connections.find(({ name }) => name === trap.connection.name);
    const child = connection?.children.find(({ name }) => name === trap.child.name);
    const same =
      child !== undefined &&
      child.startAction === 'trap' &&
      JSON.stringify([child.localSelectors, child.remoteSelectors, child.mode]) ===
        JSON.stringify([trap.child.localSelectors, trap.child.remoteSelectors, trap.child.mode]);
    if (!same) state.removeTrap(trap);
  }
  state.configuration = configuration;
  state.pools.configure(configuration.pools);
  for (const initiation of state.initiations.all()) followConfiguration(state, initiation);
  state.clientTickets.retain(new Set(configuration.connections.map(({ name }) => name)));
  startConnections(state);
}

function isUp(state: EngineState, connection: string, child: string): boolean {
  return state.registry
    .ofConnection(connection)
    .some(({ sa }) => sa.children.some(({ name }) => name === child));
}

interface Selection {
  readonly connection: ConnectionConfiguration;
  readonly children: readonly ChildConfiguration[];
}

/** The configured children that a command names. A child's name alone means its first connection. */
function select(
  state: EngineState,
  named: { readonly connection?: string; readonly child?: string },
): Selection | undefined {
  for (const connection of state.configuration.connections) {
    if (named.connection !== undefined && connection.name !== named.connection) continue;
    const children = connection.children.filter(
      ({ name }) => named.child === undefined || name === named.child,
    );
    if (children.length > 0) return { connection, children };
  }
  return undefined;
}

function described(named: { readonly connection?: string; readonly child?: string }): string {
  const parts = [
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
  const missing = selection.children.filter(({ name }) => !isUp(state, connection.name, name));
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

function terminate(
  state: EngineState,
  id: number,
  command: { readonly connection?: string; readonly child?: string; readonly ikeId?: number },
): void {
  if (command.child !== undefined) {
    terminateChildren(state, id, command.child, command.connection);
    return;
  }
  const entries = state.registry
    .all()
    .filter(
      ({ ikeId, sa }) =>
        sa.phase !== 'ended' &&
        (command.ikeId === undefined || ikeId === command.ikeId) &&
        (command.connection === undefined || sa.connection.name === command.connection),
    );
  const cancelled =
    command.connection !== undefined && state.initiations.get(command.connection) !== undefined;
  if (cancelled && command.connection !== undefined) {
    state.initiations.end(command.connection);
    state.pending.initiationFailed(command.connection, undefined, 'terminated by command');
  }
  if (entries.length === 0) {
    state.answer(
      id,
      cancelled
        ? { ok: true, count: 0 }
        : { ok: false, code: 'not-found', detail: `no IKE SA of ${described(command)}` },
    );
    return;
  }
  const ikeIds = entries.map(({ ikeId }) => ikeId);
  state.pending.awaitEnd(id, ikeIds, []);
  for (const entry of entries) deleteIkeSa(state, entry, 'terminated by command');
}

function terminateChildren(
  state: EngineState,
  id: number,
  name: string,
  connection: string | undefined,
): void {
  const found = state.registry
    .all()
    .filter(({ sa }) => connection === undefined || sa.connection.name === connection)
    .flatMap((entry) =>
      entry.sa.children.filter((child) => child.name === name).map(({ childId }) => ({ entry, childId })),
    );
  if (found.length === 0) {
    state.answer(id, { ok: false, code: 'not-found', detail: `no Child SA named ${name}` });
    return;
  }
  state.pending.awaitEnd(
    id,
    [],
    found.map(({ childId }) => childId),
  );
  for (const { entry, childId } of found) {
    entry.sa.handle({ kind: 'command', at: state.at, command: { kind: 'delete-child', childId } });
    state.touch(entry);
  }
}

function deleteIkeSa(state: EngineState, entry: IkeEntry, reason: string): void {
  entry.sa.handle({ kind: 'command', at: state.at, command: { kind: 'delete', reason } });
  state.touch(entry);
}

function rekey(
  state: EngineState,
  id: number,
  command: { readonly connection?: string; readonly child?: string },
): void {
  let count = 0;
  for (const entry of state.registry.all()) {
    const { sa } = entry;
    if (sa.phase !== 'established') continue;
    if (command.connection !== undefined && sa.connection.name !== command.connection) continue;
    if (command.child === undefined) {
      sa.handle({ kind: 'command', at: state.at, command: { kind: 'rekey-ike' } });
      count++;
    } else {
      for (const { name, childId } of sa.children) {
        if (name !== command.child) continue;
        sa.handle({ kind: 'command', at: state.at, command: { kind: 'rekey-child', childId } });
        count++;
      }
    }
    state.touch(entry);
  }
  state.answer(
    id,
    count > 0
      ? { ok: true, count }
      : { ok: false, code: 'not-found', detail: `no SA of ${described(command)}` },
  );
}

function shutDown(state: EngineState, id: number): void {
  state.shuttingDown = true;
  for (const { connection } of state.initiations.all()) state.initiations.end(connection.name);
  for (const trap of state.traps.all()) state.removeTrap(trap);
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
