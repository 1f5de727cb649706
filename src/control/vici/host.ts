// What the vici service needs of the daemon that it serves, and what it gives to whoever speaks the protocol.
import type { ConfigurationPorts, HostDefaults } from '#config';
import type {
  CommandResult,
  EngineCommand,
  EngineConfiguration,
  EngineEvent,
  EngineStatus,
  IkeSaStatus,
} from '#engine';
import type { SaCounters, SaDirection } from '#sa';
import type { ViciMessage } from '#wire';

/** The daemon's side. */
export interface ViciHost {
  readonly version: {
    readonly daemon: string;
    readonly version: string;
    readonly sysname: string;
    readonly release: string;
    readonly machine: string;
  };
  /** Wall-clock milliseconds. */
  readonly startedAtMs: number;
  command(command: EngineCommand): Promise<CommandResult>;
  status(): EngineStatus;
  ikeSaStatus(ikeId: number): IkeSaStatus | undefined;
  /** The latest that the data plane told of an SA. */
  counters(direction: SaDirection, spi: number): SaCounters | undefined;
  monotonicMs(): number;
  /** Resolves after a while, or early when `signal` is aborted. */
  delay(ms: number, signal: AbortSignal): Promise<void>;
  /** Octets of memory: taken from the system, and in use. */
  memoryBytes(): { readonly total: number; readonly used: number };
  /** For what is loaded apart from text. */
  readonly configurationPorts: ConfigurationPorts;
  readonly configurationFile: string;
  readonly connectionDefaults: HostDefaults;
  /** SHA-1 of the public key in a DER SubjectPublicKeyInfo, as charon identifies keys. */
  keyIdentifier(spki: Uint8Array): Uint8Array;
  /** Subject of a DER certificate, as text. */
  certificateSubject(der: Uint8Array): string;
  /** Reads the settings of the whole host again; connections and credentials stay. A text says why not. */
  reloadSettings(): Partial<EngineConfiguration> | string;
  /** A line for people, of the level that the log gives it. */
  describe(event: EngineEvent): {
    readonly level: 'error' | 'warn' | 'info' | 'debug';
    readonly text: string;
  };
  /** For the daemon's own log. */
  warn(text: string): void;
  /** Whether any client registered for the event. */
  isAwaited(event: string): boolean;
  raise(event: string, message: ViciMessage): void;
}

/** One client's command. */
export interface ViciCommandCall {
  readonly signal: AbortSignal;
  send(event: string, message: ViciMessage): Promise<void>;
}

export type ViciCommand = (request: ViciMessage, call: ViciCommandCall) => ViciMessage | Promise<ViciMessage>;

/** Why a command was not carried out: the client reads it as `errmsg`. */
export class CommandRefused extends Error {
  override readonly name = 'CommandRefused';
  readonly code = 'command-refused' as const;
}

export const success: ViciMessage = { success: 'yes' };
