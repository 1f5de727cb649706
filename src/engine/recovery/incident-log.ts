// The last incidents in the order in which they happened, for whoever asks why.
import type { Endpoint } from '#sa';

/** One thing that happened about an SPI or a peer, told whole in one line. Times are wall-clock milliseconds. */
export interface Incident {
  readonly atMs: number;
  /** ESP or AH SPIs that it is about. */
  readonly spis: readonly number[];
  readonly connection?: string;
  readonly remote?: Endpoint;
  /** `verdict`, `hint`, `token`, `rung` or `answer`. */
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
  readonly incident: Incident;
}

/** Two rings, so that strangers cannot make us forget what happened to our own connections. */
export class IncidentLog {
  readonly #known: Numbered[] = [];
  readonly #strangers: Numbered[] = [];
  #count = 0;

  add(incident: Incident): void {
    const known = incident.connection !== undefined;
    const ring = known ? this.#known : this.#strangers;
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
