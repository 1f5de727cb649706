// Where a daemon's files and sockets are unless it is told otherwise, and how a command ends.
import { charonSocketPath } from '#vici';

export const defaultConfigurationPath = '/etc/swanctl/swanctl.conf';
export const defaultSocketPath = '/run/wayward.sock';

/**
 * Where plain `swanctl` looks for a daemon; a second daemon, with a control socket of its own, has its vici socket beside
 * that one.
 */
export function defaultViciPath(socketPath: string): string {
  return socketPath === defaultSocketPath ? charonSocketPath : `${socketPath}.vici`;
}

/** Each daemon has a folder of its own: two that share one would answer for each other's SPIs. */
export function defaultStatePath(socketPath: string): string {
  return socketPath === defaultSocketPath ? '/var/lib/wayward' : `${socketPath}.state`;
}

export interface RunOptions {
  readonly configurationPath: string;
  readonly socketPath: string;
  /** Absent: vici is not served. */
  readonly viciPath?: string;
  readonly keyLogPath?: string;
  /** Absent: text. */
  readonly logFormat?: 'text' | 'json';
  /** A folder for what must survive a crash. */
  readonly statePath: string;
}

/** Exit statuses of `wayward`. */
export const ExitStatus = { ok: 0, failed: 1, usage: 2 } as const;
