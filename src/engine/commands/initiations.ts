// Connections that we bring up ourselves, and how far each has come.
import type { ChildConfiguration, ConnectionConfiguration } from '#ike';
import type { TrafficSelector } from '#sa';

/** A Child SA that is wanted, and the packet that asked for it, if one did. */
export interface WantedChild {
  readonly configuration: ChildConfiguration;
  readonly acquired?: { readonly local: TrafficSelector; readonly remote: TrafficSelector };
}

export type InitiationPhase =
  | { readonly name: 'resolving'; readonly resolveId: number }
  | { readonly name: 'connecting'; readonly ikeId: number; readonly byTicket: boolean }
  /** Until the next try. */
  | { readonly name: 'waiting' };

/** One connection on its way up. */
export interface Initiation {
  readonly connection: ConnectionConfiguration;
  readonly wanted: Map<string, WantedChild>;
  /** Children that the IKE SA under way was made for. */
  given: ReadonlySet<string>;
  /** Tries that failed in a row. */
  failures: number;
  /** Those of them that sent something: `keyingTries` counts no failed look-up. */
  exchangesFailed: number;
  /** How often an IKE_AUTH request is repeated before the answer to IKE_SA_INIT is doubted, if there were two. */
  patience: number;
  /** A new IKE SA even if the connection has one. */
  anew: boolean;
  /** Goes on after a failure: nobody waits who could be told. */
  persistent: boolean;
  /** No ticket is to be presented: a fresh authentication is due, or a ticket has just failed. */
  inFull: boolean;
  /** `Initiations.enter` changes it. */
  readonly phase: InitiationPhase;
}

const retryDelayMsMin = 1_000;
const retryDelayMsMax = 60_000;

/** How long to wait after the n-th failure in a row: a second, doubling up to a minute. */
export function retryDelayMs(failures: number): number {
  return Math.min(retryDelayMsMax, retryDelayMsMin * 2 ** Math.min(16, Math.max(0, failures - 1)));
}

/** All connections on their way up, one initiation each. */
export class Initiations {
  readonly #byConnection = new Map<string, Initiation>();
  /** By what is waited for. After a restart thousands begin at once. */
  readonly #byResolve = new Map<number, Initiation>();
  readonly #byIke = new Map<number, Initiation>();

  get size(): number {
    return this.#byConnection.size;
  }

  get(connection: string): Initiation | undefined {
    return this.#byConnection.get(connection);
  }

  begin(connection: ConnectionConfiguration): Initiation {
    const initiation: Initiation = {
      connection,
      wanted: new Map(),
      given: new Set(),
      failures: 0,
      exchangesFailed: 0,
      patience: 1,
      anew: false,
      persistent: false,
      inFull: false,
      phase: { name: 'waiting' },
    };
    this.#byConnection.set(connection.name, initiation);
    return initiation;
  }

  enter(initiation: Initiation, phase: InitiationPhase): void {
    this.#leave(initiation);
    (initiation as { phase: InitiationPhase }).phase = phase;
    if (phase.name === 'resolving') this.#byResolve.set(phase.resolveId, initiation);
    else if (phase.name === 'connecting') this.#byIke.set(phase.ikeId, initiation);
  }

  byResolve(resolveId: number): Initiation | undefined {
    return this.#byResolve.get(resolveId);
  }

  byIke(ikeId: number): Initiation | undefined {
    return this.#byIke.get(ikeId);
  }

  end(connection: string): void {
    const initiation = this.#byConnection.get(connection);
    if (initiation === undefined) return;
    this.#leave(initiation);
    this.#byConnection.delete(connection);
  }

  #leave({ phase }: Initiation): void {
    if (phase.name === 'resolving') this.#byResolve.delete(phase.resolveId);
    else if (phase.name === 'connecting') this.#byIke.delete(phase.ikeId);
  }

  all(): readonly Initiation[] {
    return [...this.#byConnection.values()];
  }
}
