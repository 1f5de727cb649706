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

const incidentsMax = 512;

/** A ring: the oldest gives way. */
export class IncidentLog {
  readonly #incidents: Incident[] = [];

  add(incident: Incident): void {
    this.#incidents.push(incident);
    if (this.#incidents.length > incidentsMax) this.#incidents.shift();
  }

  /** About an SPI, or about a connection, oldest first. */
  about(subject: { readonly spi?: number; readonly connection?: string | undefined }): readonly Incident[] {
    const { spi, connection } = subject;
    return this.#incidents.filter(
      (one) =>
        (spi !== undefined && one.spis.includes(spi)) ||
        (connection !== undefined && one.connection === connection),
    );
  }

  /** The SPI or connection of the last incident. */
  last(): Incident | undefined {
    return this.#incidents.at(-1);
  }
}
