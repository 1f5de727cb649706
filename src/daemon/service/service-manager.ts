// What systemd is told of this service (sd_notify(3)): ready, reloading, ending, how it is, and that it is alive.
import { ClosingPipe, closeDescriptor, LocalDatagrams, monotonicMs } from '#linux';
import { type KeptEnvironment, keptDescriptors, waitUntilFree } from './kept-sockets.ts';

/** Environment variables by which systemd says that it listens, and how often it wants to hear. */
export interface ServiceEnvironment extends KeptEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  /** The process that WATCHDOG_USEC is meant for. */
  readonly WATCHDOG_PID?: string | undefined;
}

/** What is to be told of a daemon. */
export interface Service {
  /** Moves as long as packets can be handled; `undefined`: there is no thread of its own for them. */
  readonly beats: number | undefined;
  /** One line for `systemctl status`. */
  describe(): string;
}

/** Changes within this time are told as one. */
const statusDelayMs = 500;
/** Longer than systemd ever takes to give up what it has kept. */
const barrierMsMax = 2_000;

export class ServiceManager {
  readonly #datagrams: LocalDatagrams | undefined;
  readonly #watchdogMs: number | undefined;
  readonly #monotonicMs: () => number;
  /** What systemd has given back, or has got of us, by name. */
  #kept: ReadonlyMap<string, number>;
  #service: Service | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #statusTimer: NodeJS.Timeout | undefined;

  /** Without NOTIFY_SOCKET nobody is told anything. @throws SystemCallError if the socket is not there */
  constructor(environment: ServiceEnvironment, monotonic: () => number = monotonicMs) {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: interval, WATCHDOG_PID: pid } = environment;
    this.#monotonicMs = monotonic;
    this.#kept = keptDescriptors(environment);
    if (socket === undefined || socket === '') return;
    this.#datagrams = new LocalDatagrams(socket);
    const microseconds = Number(interval);
    if (microseconds > 0 && (pid === undefined || pid === String(process.pid))) {
      this.#watchdogMs = microseconds / 1000;
    }
  }

  /**
   * What systemd has kept for us: all of these file descriptors, in this order, or none. Others are closed, and when this
   * returns systemd has given them up as well, and their ports can be bound.
   */
  takeKept(names: readonly string[]): readonly number[] | undefined {
    const kept = this.#kept;
    if (kept.size === 0) return undefined;
    const wanted = names.flatMap((name) => kept.get(name) ?? []);
    if (wanted.length === names.length && names.length === kept.size) return wanted;
    for (const fd of kept.values()) closeDescriptor(fd);
    this.forgetKept();
    const pipe = new ClosingPipe();
    this.#tellWith([pipe.fd], 'BARRIER=1');
    pipe.wait(barrierMsMax);
    // It has given them to a thread of its own to close.
    waitUntilFree(kept.keys());
    return undefined;
  }

  /** Has file descriptors kept for a process after ours, if this one dies. Without `FileDescriptorStoreMax=` none is. */
  keep(descriptors: ReadonlyMap<string, number>): void {
    this.#kept = descriptors;
    // They stay whatever there is to read from them.
    for (const [name, fd] of descriptors) this.#tellWith([fd], 'FDSTORE=1', `FDNAME=${name}`, 'FDPOLL=0');
  }

  /** No process after ours is to go on with them. */
  forgetKept(): void {
    for (const name of this.#kept.keys()) this.#tell('FDSTOREREMOVE=1', `FDNAME=${name}`);
    this.#kept = new Map();
  }

  ready(service: Service): void {
    this.#service = service;
    this.#tell('READY=1', `STATUS=${service.describe()}`);
    this.#watch(service);
  }

  /** `reloaded` follows. The time is for Type=notify-reload. */
  reloading(): void {
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${Math.floor(this.#monotonicMs() * 1000)}`);
  }

  reloaded(): void {
    this.#tell('READY=1');
  }

  stopping(): void {
    this.#stopWatching();
    clearTimeout(this.#statusTimer);
    this.#tell('STOPPING=1', 'STATUS=deleting all SAs');
  }

  /** `describe` would say something else now. */
  changed(): void {
    if (this.#datagrams === undefined || this.#service === undefined || this.#statusTimer !== undefined)
      return;
    this.#statusTimer = setTimeout(() => {
      this.#statusTimer = undefined;
      this.#tell(`STATUS=${this.#service?.describe() ?? ''}`);
    }, statusDelayMs);
    this.#statusTimer.unref();
  }

  close(): void {
    this.#stopWatching();
    clearTimeout(this.#statusTimer);
    this.#datagrams?.close();
  }

  /** Twice in each interval, as sd_watchdog_enabled(3) advises; never while the packet thread stands still. */
  #watch(service: Service): void {
    if (this.#watchdogMs === undefined) return;
    let last: number | undefined;
    const beat = (): void => {
      const { beats } = service;
      if (beats === undefined || beats !== last) this.#tell('WATCHDOG=1');
      last = beats;
    };
    beat();
    this.#watchdog = setInterval(beat, this.#watchdogMs / 2);
    this.#watchdog.unref();
  }

  #stopWatching(): void {
    clearInterval(this.#watchdog);
    this.#watchdog = undefined;
  }

  /** What cannot be told now is not told: systemd is no peer that we could wait for. */
  #tell(...assignments: readonly string[]): void {
    this.#tellWith([], ...assignments);
  }

  #tellWith(descriptors: readonly number[], ...assignments: readonly string[]): void {
    this.#datagrams?.send(new TextEncoder().encode(assignments.join('\n')), descriptors);
  }
}

/** Takes the variables out of our environment, so that no program that we start takes them for its own. */
export function takeServiceEnvironment(environment: NodeJS.ProcessEnv = process.env): ServiceEnvironment {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = environment;
  const taken = { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES };
  for (const name of Object.keys(taken)) delete environment[name];
  return taken;
}
