// What is known of one or several hosts now, and who follows it.
import type { HostSnapshot, Incident, ServerEvents, Snapshot, UnknownSpi } from '../api/index.ts';

export interface Follower {
  told<Name extends keyof ServerEvents>(name: Name, data: ServerEvents[Name]): void;
}

export interface BoardOptions {
  readonly demonstration: boolean;
  readonly wallClock: () => number;
  /** Looks at the one host whose board this is; a snapshot of many tunnels is not made for nobody. */
  readonly look?: () => HostSnapshot;
}

/** A host crashes, and goes on as another process: what it said before is not forgotten with it. */
const incidentsMax = 64;
const unknownSpisMax = 128;

/** What is known of one host or of several, for whoever asks once or follows. */
export class Board {
  readonly #hosts = new Map<string, HostSnapshot>();
  readonly #incidents = new Map<string, Incident>();
  readonly #unknownSpis = new Map<string, UnknownSpi>();
  readonly #followers = new Set<Follower>();
  readonly #options: BoardOptions;

  constructor(options: BoardOptions) {
    this.#options = options;
  }

  /** What a host in another process says of itself. */
  host(snapshot: HostSnapshot): void {
    this.#hosts.set(snapshot.name, snapshot);
    this.tick();
  }

  /** Tells whoever follows how things are now. */
  tick(): void {
    if (this.#followers.size > 0) this.#tell('snapshot', this.snapshot());
  }

  /** Its process has ended. */
  down(name: string): void {
    const last = this.#hosts.get(name);
    if (last !== undefined) this.host({ ...last, state: 'down', atMs: this.#options.wallClock() });
  }

  incident(incident: Incident): void {
    keep(this.#incidents, incident, incidentsMax, ({ state }) => state === 'peer-alive');
    this.#tell('incident', incident);
  }

  unknownSpi(row: UnknownSpi): void {
    keep(this.#unknownSpis, row, unknownSpisMax, ({ owner }) => owner === undefined);
    this.#tell('unknown-spi', row);
  }

  snapshot(): Snapshot {
    const { demonstration, wallClock, look } = this.#options;
    const seen = look?.();
    if (seen !== undefined) this.#hosts.set(seen.name, seen);
    return {
      atMs: wallClock(),
      hosts: [...this.#hosts.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
      demonstration,
    };
  }

  /** The newest first. */
  incidents(): readonly Incident[] {
    return [...this.#incidents.values()].sort((a, b) => b.startedAtMs - a.startedAtMs);
  }

  incidentById(id: string): Incident | undefined {
    return this.#incidents.get(id);
  }

  /** The latest first. */
  unknownSpis(): readonly UnknownSpi[] {
    return [...this.#unknownSpis.values()].sort((a, b) => b.lastAtMs - a.lastAtMs);
  }

  /** Returns what ends it. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #tell<Name extends keyof ServerEvents>(name: Name, data: ServerEvents[Name]): void {
    for (const follower of this.#followers) follower.told(name, data);
  }
}

/** What changed last is forgotten last, and what is of little weight first. */
function keep<One extends { readonly id: string }>(
  all: Map<string, One>,
  one: One,
  max: number,
  isLight: (one: One) => boolean,
): void {
  all.delete(one.id);
  all.set(one.id, one);
  if (all.size <= max) return;
  const [oldest] = all.values();
  const goes = [...all.values()].find(isLight) ?? oldest;
  if (goes !== undefined) all.delete(goes.id);
}
