// The daemon's vici socket: the service of room `control` behind the server of room `vici`.
import { machine, release, type } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostDefaults } from '#config';
import { type IkeMessageSeen, type ViciHost, ViciService, viciEvents } from '#control';
import { distinguishedNameToText, parseCertificate } from '#crypto';
import {
  type CommandResult,
  type Engine,
  type EngineCommand,
  type EngineConfiguration,
  type EngineEvent,
  eventText,
} from '#engine';
import { monotonicMs } from '#linux';
import type { SaCounters, SaDirection } from '#sa';
import { listenVici, type ViciListener, ViciServer } from '#vici';
import { type ViciMessage, WireError } from '#wire';
import { configurationPorts } from '../configuration/load-configuration-file.ts';
import type { Log } from '../logs/log.ts';
import { keyIdentifier } from './key-identifier.ts';

export interface ViciOptions {
  readonly path: string;
  /** Files named by what clients load are looked up beside this one. */
  readonly configurationFile: string;
  readonly connectionDefaults: HostDefaults;
  /** Reads the settings of the whole host again; a text says why not. */
  readonly reloadSettings: () => Partial<EngineConfiguration> | string;
}

/** What a daemon lends to its vici socket. */
export interface ViciDaemon {
  readonly engine: Engine;
  readonly log: Log;
  readonly version: string;
  command(command: EngineCommand): Promise<CommandResult>;
  counters(direction: SaDirection, spi: number): SaCounters | undefined;
}

export class ViciEndpoint {
  readonly #options: ViciOptions;
  readonly #service: ViciService;
  readonly #server: ViciServer;
  #listener: ViciListener | undefined;

  constructor(options: ViciOptions, configuration: EngineConfiguration, daemon: ViciDaemon) {
    this.#options = options;
    this.#service = new ViciService(this.#host(daemon), configuration);
    this.#server = new ViciServer({
      commands: this.#service.commands,
      events: viciEvents,
      onMistake: (commandOrEvent, error) => {
        // What fits no packet may be a stranger's doing, and is no matter of our code.
        const detail = error instanceof Error && !(error instanceof WireError) ? error.stack : error;
        daemon.log.line('error', `vici: ${commandOrEvent}: ${detail}`);
      },
      onRegister: (event) => this.#service.registered(event),
      onDisconnect: (detail) => daemon.log.line('warn', `vici: a client was disconnected: ${detail}`),
    });
  }

  /** @throws ViciError with the code `socket` */
  async listen(): Promise<void> {
    this.#listener = await listenVici(this.#options.path, this.#server);
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  configurationReplaced(configuration: EngineConfiguration): void {
    this.#service.configurationReplaced(configuration);
  }

  event(event: EngineEvent): void {
    this.#service.event(event);
  }

  message(direction: 'in' | 'out', seen: IkeMessageSeen): void {
    this.#service.message(direction, seen);
  }

  #host(daemon: ViciDaemon): ViciHost {
    const { configurationFile, connectionDefaults, reloadSettings } = this.#options;
    return {
      version: {
        daemon: 'wayward',
        version: daemon.version,
        sysname: type(),
        release: release(),
        machine: machine(),
      },
      startedAtMs: Date.now(),
      command: (command) => daemon.command(command),
      status: () => daemon.engine.status(monotonicMs()),
      ikeSaStatus: (ikeId) => daemon.engine.ikeSaStatus(ikeId),
      counters: (direction, spi) => daemon.counters(direction, spi),
      monotonicMs,
      delay: async (ms, signal) => {
        await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
      },
      memoryBytes: () => {
        const { rss, heapUsed, external } = process.memoryUsage();
        return { total: rss, used: heapUsed + external };
      },
      configurationPorts,
      configurationFile,
      connectionDefaults,
      keyIdentifier,
      certificateSubject: (der) => distinguishedNameToText(parseCertificate(der).subject.der),
      reloadSettings,
      describe: eventText,
      warn: (text) => daemon.log.line('warn', text),
      isAwaited: (event) => this.#server.isAwaited(event),
      raise: (event: string, message: ViciMessage) => this.#server.raise(event, message),
    };
  }
}
