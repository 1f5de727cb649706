// What the page knows, and who is told when that changes.
import { useEffect, useState } from 'preact/hooks';
import type { Incident, Snapshot, UnknownSpi } from '../../src/control/api/index.ts';
import { rememberToken, Server, TokenNeeded, tokenFromAddress } from './server.ts';

export type Link = 'connecting' | 'live' | 'lost' | 'token-needed';

const retryMs = 1_000;
const incidentsMax = 40;
const unknownSpisMax = 120;

export class Store {
  link: Link = 'connecting';
  snapshot: Snapshot | undefined;
  /** By id, in the order in which they began. */
  incidents: readonly Incident[] = [];
  /** The latest first. */
  unknownSpis: readonly UnknownSpi[] = [];
  /** What is read to those who do not see the page. */
  announcement = '';
  server: Server = new Server(tokenFromAddress());
  readonly #listeners = new Set<() => void>();

  constructor() {
    void this.#follow();
  }

  useToken(token: string): void {
    rememberToken(token);
    this.server = new Server(token);
    this.link = 'connecting';
    this.#changed();
    void this.#follow();
  }

  announce(text: string): void {
    this.announcement = text;
    this.#changed();
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #follow(): Promise<void> {
    for (;;) {
      try {
        await this.server.follow((name, data) => {
          if (name === 'snapshot') {
            this.snapshot = data as Snapshot;
            this.link = 'live';
          } else if (name === 'incident') this.#incident(data as Incident);
          else if (name === 'unknown-spi') this.#unknownSpi(data as UnknownSpi);
          this.#changed();
        }, new AbortController().signal);
      } catch (error) {
        if (error instanceof TokenNeeded) {
          this.link = 'token-needed';
          this.#changed();
          return;
        }
      }
      this.link = 'lost';
      this.#changed();
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  #incident(incident: Incident): void {
    const before = this.incidents.find(({ id }) => id === incident.id);
    this.incidents = [...this.incidents.filter(({ id }) => id !== incident.id), incident]
      .sort((a, b) => a.startedAtMs - b.startedAtMs)
      .slice(-incidentsMax);
    const fresh = Date.now() - incident.startedAtMs < 10_000;
    if (before === undefined && incident.state === 'open' && fresh)
      this.announcement = `${incident.connection} may have lost its peer; recovering`;
    else if (before?.state === 'open' && incident.state !== 'open')
      this.announcement = `${incident.connection}: ${incident.state.replace('-', ' ')}`;
  }

  #unknownSpi(row: UnknownSpi): void {
    this.unknownSpis = [row, ...this.unknownSpis.filter(({ id }) => id !== row.id)].slice(0, unknownSpisMax);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Renders again whenever the store has changed. */
export function useStore(store: Store): Store {
  const [, again] = useState(0);
  useEffect(() => {
    const changed = (): void => again((count) => count + 1);
    // It may have changed before anybody listened.
    changed();
    return store.listen(changed);
  }, [store]);
  return store;
}
