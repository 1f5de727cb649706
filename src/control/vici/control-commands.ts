// Commands that act on SAs: initiate, terminate, rekey, install and uninstall, with the log of what they do.
import type { CommandResult, EngineCommand, SaChoice } from '#engine';
import { type ViciMessage, viciText } from '#wire';
import type { ChildNumbers } from './child-numbers.ts';
import type { ConfigurationStore } from './configuration-store.ts';
import { CommandRefused, success, type ViciCommand, type ViciCommandCall, type ViciHost } from './host.ts';
import type { LogLine, LogLines } from './log-lines.ts';
import { isYes, optionalNumber, requiredText } from './request.ts';

export interface ControlCommandsInput {
  readonly host: ViciHost;
  readonly store: ConfigurationStore;
  readonly numbers: ChildNumbers;
  readonly lines: LogLines;
}

export function controlCommands(input: ControlCommandsInput): Readonly<Record<string, ViciCommand>> {
  return {
    initiate: (request, call) => initiate(input, request, call),
    terminate: (request, call) => terminate(input, request, call),
    rekey: (request) => rekey(input, request),
    redirect: () => {
      throw new CommandRefused('redirect is not supported (RFC 5685)');
    },
    install: (request) => install(input, request),
    uninstall: (request) => uninstall(input, request),
  };
}

/** Runs a command while its client reads the log lines about one connection, or about all. */
async function logged(
  { host, lines }: ControlCommandsInput,
  command: EngineCommand,
  request: ViciMessage,
  call: ViciCommandCall,
  connection: string | undefined,
): Promise<CommandResult | 'timeout'> {
  const timeoutMs = optionalNumber(request, 'timeout') ?? 0;
  const level = optionalNumber(request, 'loglevel') ?? 1;
  let sent: Promise<void> = Promise.resolve();
  const stop = lines.follow((line) => {
    if (line.level > level || (connection !== undefined && line.connection !== connection)) return;
    sent = sent.then(() => call.send('control-log', logMessage(line)));
  });
  const over = new AbortController();
  const leave = (): void => over.abort();
  call.signal.addEventListener('abort', leave);
  try {
    const result = host.command(command);
    if (timeoutMs < 0) return 'timeout';
    if (timeoutMs === 0) return await result;
    const late = host.delay(timeoutMs, over.signal).then(() => 'timeout' as const);
    return await Promise.race([result, late]);
  } finally {
    call.signal.removeEventListener('abort', leave);
    over.abort();
    stop();
    await sent;
  }
}

export function logMessage({ group, level, connection, ikeId, text }: LogLine): ViciMessage {
  return {
    group,
    level: String(level),
    ...(connection === undefined ? {} : { 'ikesa-name': connection }),
    ...(ikeId === undefined ? {} : { 'ikesa-uniqueid': String(ikeId) }),
    msg: text,
  };
}

async function initiate(
  input: ControlCommandsInput,
  request: ViciMessage,
  call: ViciCommandCall,
): Promise<ViciMessage> {
  const child = viciText(request, 'child');
  const ike = viciText(request, 'ike');
  if (child === undefined && ike === undefined) throw new CommandRefused('missing configuration name');
  const connection = input.store.current.connections.find(
    ({ name, children }) =>
      (ike === undefined || name === ike) &&
      (child === undefined || children.some((one) => one.name === child)),
  );
  const what = child === undefined ? `IKE_SA '${ike}'` : `CHILD_SA '${child}'`;
  if (connection === undefined) throw new CommandRefused(what.replace(' ', ' config ').concat(' not found'));
  const command: EngineCommand = {
    kind: 'initiate',
    connection: connection.name,
    ...(child === undefined ? {} : { child }),
  };
  const result = await logged(input, command, request, call, connection.name);
  if (result === 'timeout') {
    const timeout = viciText(request, 'timeout');
    if (timeout?.startsWith('-') === true) return success;
    throw new CommandRefused(`${what} not established after ${timeout}ms`);
  }
  if (!result.ok) throw new CommandRefused(`establishing ${what} failed: ${result.detail}`);
  return success;
}

/** @throws CommandRefused with `missing` if nothing is chosen */
function choice({ numbers }: ControlCommandsInput, request: ViciMessage, verb: string): SaChoice {
  const child = viciText(request, 'child');
  const connection = viciText(request, 'ike');
  const ikeId = optionalNumber(request, 'ike-id');
  const number = optionalNumber(request, 'child-id');
  if (child === undefined && connection === undefined && ikeId === undefined && number === undefined) {
    throw new CommandRefused(`missing ${verb} selector`);
  }
  const childId = number === undefined ? undefined : numbers.childIdOf(number);
  if (number !== undefined && childId === undefined) throw noMatch(verb);
  return {
    ...(child === undefined ? {} : { child }),
    ...(connection === undefined ? {} : { connection }),
    ...(ikeId === undefined ? {} : { ikeId }),
    ...(childId === undefined ? {} : { childId }),
  };
}

function noMatch(verb: string): CommandRefused {
  return new CommandRefused(`no matching SAs to ${verb} found`);
}

async function terminate(
  input: ControlCommandsInput,
  request: ViciMessage,
  call: ViciCommandCall,
): Promise<ViciMessage> {
  const chosen = choice(input, request, 'terminate');
  if (isYes(request, 'force'))
    throw new CommandRefused('force is not supported: terminate waits for the peer');
  const result = await logged(input, { kind: 'terminate', ...chosen }, request, call, chosen.connection);
  if (result === 'timeout') {
    const timeout = viciText(request, 'timeout');
    if (timeout?.startsWith('-') === true) return success;
    throw new CommandRefused(`not terminated after ${timeout}ms`);
  }
  if (!result.ok)
    throw result.code === 'not-found' ? noMatch('terminate') : new CommandRefused(result.detail);
  return { ...success, matches: String(result.count), terminated: String(result.count) };
}

async function rekey(input: ControlCommandsInput, request: ViciMessage): Promise<ViciMessage> {
  const chosen = choice(input, request, 'rekey');
  if (isYes(request, 'reauth')) throw new CommandRefused('reauthentication on request is not supported');
  const result = await input.host.command({ kind: 'rekey', ...chosen });
  if (!result.ok) throw result.code === 'not-found' ? noMatch('rekey') : new CommandRefused(result.detail);
  return { ...success, matches: String(result.count) };
}

async function install(input: ControlCommandsInput, request: ViciMessage): Promise<ViciMessage> {
  const child = requiredText(request, 'child', 'missing configuration name');
  const connection = viciText(request, 'ike');
  const named = connection === undefined ? { child } : { child, connection };
  const result = await input.host.command({ kind: 'install', ...named });
  if (result.ok) return success;
  throw new CommandRefused(
    result.code === 'not-found'
      ? 'configuration name not found'
      : `installing policy '${child}' failed: ${result.detail}`,
  );
}

async function uninstall(input: ControlCommandsInput, request: ViciMessage): Promise<ViciMessage> {
  const child = requiredText(request, 'child', 'missing configuration name');
  const connection = viciText(request, 'ike');
  const named = connection === undefined ? { child } : { child, connection };
  const result = await input.host.command({ kind: 'uninstall', ...named });
  if (!result.ok) throw new CommandRefused(`policy '${child}' not found`);
  return success;
}
