// The last incidents in the order in which they happened, for whoever asks why.
import type { Endpoint } from '#sa';

/** One thing that happened about an SPI or a peer, told whole in one line. Times are wall-clock milliseconds. */
export interface Incident {
  readonly atMs: number;
  /** How often it happened in a row, and when last. Absent: once. */
  readonly count?: number;
  readonly lastAtMs?: number;
  /** ESP or AH SPIs that it is about. */
  readonly spis: readonly number[];
  readonly connection?: string;
  readonly remote?: Endpoint;
  readonly what: 'verdict' | 'hint' | 'token' | 'rung';
  /** Stable words for programs. */
  readonly reason: string;
  /** For people. */
  readonly detail: string;
}

const knownMax = 512;
const strangersMax = 128;

interface Numbered {
  readonly number: number;
  incident: Incident;
}

function isSame(a: Incident, b: Incident): boolean {
  return (
    a.what === b.what &&
    a.reason === b.reason &&
    a.detail === b.detail &&
    a.connection === b.connection &&
    a.remote?.address === b.remote?.address
  );
}

/** Two rings, so that strangers cannot make us forget what happened to our own connections. */
export class IncidentLog {
  readonly #known: Numbered[] = [];
  readonly #strangers: Numbered[] = [];
  #count = 0;

  add(incident: Incident): void {
    const known = incident.connection !== undefined;
    const ring = known ? this.#known : this.#strangers;
    const last = ring.at(-1);
    // A flow of packets says the same many times: it must not push out how it began.
    if (last !== undefined && isSame(last.incident, incident)) {
      const count = (last.incident.count ?? 1) + (incident.count ?? 1);
      last.incident = { ...last.incident, count, lastAtMs: incident.atMs };
      return;
    }
    ring.push({ number: this.#count++, incident });
    if (ring.length > (known ? knownMax : strangersMax)) ring.shift();
  }

  /** About an SPI, or about a connection, oldest first. */
  about(subject: { readonly spi?: number; readonly connection?: string | undefined }): readonly Incident[] {
    const { spi, connection } = subject;
    return [...this.#known, ...this.#strangers]
      .filter(
        ({ incident }) =>
          (spi !== undefined && incident.spis.includes(spi)) ||
          (connection !== undefined && incident.connection === connection),
      )
      .sort((a, b) => a.number - b.number)
      .map(({ incident }) => incident);
  }

  /** The last one about a connection of ours, or else about anybody. */
  last(): Incident | undefined {
    return (this.#known.at(-1) ?? this.#strangers.at(-1))?.incident;
  }
}
