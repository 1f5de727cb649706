// The real daemon: a configuration file, the kernel's sockets and TUN device, signals.
import { dirname, resolve } from 'node:path';
import type { HostSettings } from '#config';
import { leaveKernel } from '#linux';
import { readConfiguration, warningLines } from './configuration/read-configuration.ts';
import { RunningConfiguration } from './configuration/running-configuration.ts';
import { Daemon } from './daemon.ts';
import { planeOf } from './data-plane-choice.ts';
import { KernelEnds, socketMark } from './kernel-ends.ts';
import { KeyLogFile } from './logs/key-log-file.ts';
import { Log } from './logs/log.ts';
import { logFormat } from './logs/log-format.ts';
import { keptToken } from './page.ts';
import { refusalText } from './refusal-text.ts';
import { ExitStatus, type RunOptions } from './run-options.ts';
import { HangUp } from './service/hang-up.ts';
import { ServiceManager, takeServiceEnvironment } from './service/service-manager.ts';
import { checkpointOf } from './state/checkpoint-at-start.ts';
import { readCredential, readRecordKey } from './state/record-key.ts';
import { RecordStore } from './state/record-store.ts';

/** @throws RecordKeyError */
function recordKeyOf({ recordKeyPath }: HostSettings, options: RunOptions): Uint8Array | undefined {
  if (recordKeyPath !== undefined) {
    return readRecordKey(resolve(dirname(options.configurationPath), recordKeyPath), options.statePath);
  }
  return readCredential(process.env['CREDENTIALS_DIRECTORY']);
}

/** Runs until SIGTERM or SIGINT. Returns the exit status. */
export async function runDaemon(options: RunOptions, print: (line: string) => void): Promise<number> {
  const { configurationPath, statePath, viciPath, keyLogPath } = options;
  const hangUp = new HangUp();
  const loaded = readConfiguration(configurationPath);
  if (!('configuration' in loaded)) {
    for (const line of loaded) print(line);
    return ExitStatus.usage;
  }
  for (const line of warningLines(loaded)) print(line);
  const { host } = loaded;
  const log = new Log(host.logLevel, {
    format: logFormat(options.logFormat ?? host.logFormat, process.env['JOURNAL_STREAM'] !== undefined),
  });
  let keyLog: KeyLogFile | undefined;
  let dead: (() => void) | undefined;
  let started = false;
  let service: ServiceManager | undefined;
  try {
    service = new ServiceManager(takeServiceEnvironment());
    keyLog = keyLogPath === undefined ? undefined : new KeyLogFile(keyLogPath);
    const recordKey = recordKeyOf(host, options);
    const plane = planeOf(loaded);
    const packetThreads = plane === 'userspace' ? host.packetThreads : 1;
    const running = new RunningConfiguration(configurationPath, loaded, plane, log);
    const ownerName = resolve(statePath);
    const notKept = ({ message }: Error): void => log.line('error', `a record could not be kept: ${message}`);
    const store = new RecordStore(statePath, notKept);
    const { checkpoint } = checkpointOf(host, recordKey, statePath, plane, packetThreads, log);
    // Only once the state folder is locked: nobody else of this name runs.
    if (plane === 'userspace') leaveKernel(ownerName);
    const ends = new KernelEnds(
      { loaded, plane, packetThreads, statePath, ownerName, checkpoint, log },
      service,
    );
    const daemon = new Daemon({
      store,
      ...(recordKey === undefined ? {} : { recordKey }),
      ...(checkpoint === undefined ? {} : { checkpoint }),
      ...(host.http === undefined
        ? {}
        : { http: { listen: host.http, token: keptToken(statePath, notKept) } }),
      configuration: running.atStart,
      log,
      mark: socketMark,
      packetThreads,
      socketPath: options.socketPath,
      ownerName,
      ...(keyLog === undefined ? {} : { keyLog }),
      ...(viciPath === undefined
        ? {}
        : {
            vici: {
              path: viciPath,
              configurationFile: resolve(configurationPath),
              connectionDefaults: loaded.connectionDefaults,
              reloadSettings: () => running.readSettingsAgain(),
            },
          }),
      openPacketIo: (listener) => ends.openPacketIo(listener),
      openNetwork: (io) => ends.openNetwork(io),
      reload: () => running.readAgain(),
      onEvent: (event) => {
        if (event.kind === 'child-up' || event.kind === 'child-down') service?.changed();
      },
      onDeath: (error) => {
        log.line('error', `the packet thread died: ${error.message}`);
        dead?.();
      },
    });
    const starting = daemon.start();
    // A signal may come while the daemon still starts: it is heard, and followed once the daemon runs.
    const ending = new Promise<number>((resolve) => {
      process.once('SIGTERM', () => resolve(ExitStatus.ok));
      process.once('SIGINT', () => resolve(ExitStatus.ok));
      dead = () => resolve(ExitStatus.failed);
    });
    await starting;
    started = true;
    const protectedBy = plane === 'kernel' ? 'the kernel' : 'this process';
    log.line('info', `packets are protected by ${protectedBy}`);
    log.line('info', `wayward is running, ${loaded.configuration.connections.length} connections loaded`);
    ends.keepSockets(service);
    service.ready(daemon);
    hangUp.listen(() => {
      service?.reloading();
      daemon.reload();
      service?.reloaded();
    });
    const status = await ending;
    // If its packet thread has died, its SAs are still in the kernel, for a process after this one.
    if (status === ExitStatus.ok) service.forgetKept();
    service.stopping();
    await daemon.stop();
    log.line('info', 'wayward has ended');
    return status;
  } catch (error) {
    if (!started) keyLog?.discard();
    const text = refusalText(error);
    if (text === undefined) throw error;
    print(text);
    return ExitStatus.failed;
  } finally {
    service?.close();
  }
}
