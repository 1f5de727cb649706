// The configuration of a daemon that runs, and its file, read again.
import type { LoadedConfiguration } from '#config';
import type { EngineConfiguration } from '#engine';
import { hasHostIdentity, withoutCredit } from '../data-plane-choice.ts';
import type { Log } from '../logs/log.ts';
import { readConfiguration, warningLines } from './read-configuration.ts';
import { reloadable } from './reloadable.ts';
import { withoutDevices } from './without-devices.ts';

export class RunningConfiguration {
  readonly #path: string;
  /** What the daemon has started with: some of it stays until it ends. */
  readonly #loaded: LoadedConfiguration;
  readonly #plane: 'kernel' | 'userspace';
  readonly #log: Log;

  /** Warns of what this data plane does not do. */
  constructor(path: string, loaded: LoadedConfiguration, plane: 'kernel' | 'userspace', log: Log) {
    this.#path = path;
    this.#loaded = loaded;
    this.#plane = plane;
    this.#log = log;
    this.#warnOfDevices(loaded);
  }

  get atStart(): EngineConfiguration {
    return this.#fitting(this.#loaded.configuration);
  }

  /** What of the file can be had without another start, or everything that is wrong with it. */
  readAgain(): EngineConfiguration | readonly string[] {
    const next = readConfiguration(this.#path);
    if (!('configuration' in next)) return next;
    const warn = (line: string): void => this.#log.line('warn', line);
    for (const line of warningLines(next)) warn(line);
    this.#warnOfDevices(next);
    this.#log.level = next.host.logLevel;
    const { configuration, waiting } = reloadable(this.#loaded, next);
    for (const option of waiting) warn(`wayward.${option} changes at the next start`);
    if (hasHostIdentity(next) && !hasHostIdentity(this.#loaded))
      warn('hip: its first identity waits for the next start');
    return this.#fitting(configuration);
  }

  /** Of the file only its `wayward` section, or what is wrong. */
  readSettingsAgain(): Partial<EngineConfiguration> | string {
    const next = readConfiguration(this.#path);
    if (!('configuration' in next)) return next.join('; ');
    this.#log.level = next.host.logLevel;
    const { halfOpen, natKeepaliveMs } = next.configuration;
    return { halfOpen, natKeepaliveMs };
  }

  #fitting(wanted: EngineConfiguration): EngineConfiguration {
    return this.#plane === 'kernel' ? withoutCredit(wanted) : wanted;
  }

  /** Who asks for the data plane of this process by name has been told already. */
  #warnOfDevices({ host: { dataPlane }, configuration }: LoadedConfiguration): void {
    if (this.#plane === 'kernel' || dataPlane === 'userspace') return;
    for (const line of withoutDevices(configuration)) this.#log.line('warn', line);
  }
}
