// What is seen of one host: its events and messages, and the counters of its SAs, into what operators look at.
import type { EngineEvent, EngineStatus, HipEvent } from '#engine';
import type { Endpoint } from '#sa';
import type { HostSnapshot, Incident, UnknownSpi } from '../api/index.ts';
import { associationName } from './associations.ts';
import { fromStatus } from './host-snapshot.ts';
import type { IkeMessageSeen } from './ike-message-seen.ts';
import { type Ended, IncidentBook } from './incident-book.ts';
import { SeenMessage } from './message-trace.ts';
import { type CounterReport, type NamedCount, TunnelTraffic } from './tunnel-traffic.ts';
import { UnknownSpiFeed } from './unknown-spi-feed.ts';

export interface ObserverOptions {
  /** Of the host; empty where there is only one. */
  readonly name: string;
  readonly version: string;
  readonly pid: number;
  /** Wall clock. */
  readonly startedAtMs: number;
  /** Wall clock less monotonic time. */
  readonly wallClockOffsetMs: number;
  /** How often `sample` is called, and over how long a rate is taken. */
  readonly sampleMs: number;
  readonly rateWindowMs: number;
  readonly incidentEnded?: (ended: Ended) => void;
}

/** `at` is monotonic milliseconds throughout. */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #incidents: IncidentBook;
  readonly #feed: UnknownSpiFeed;
  readonly #traffic: TunnelTraffic;
  #changedFeed = new Map<string, UnknownSpi>();

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#incidents = new IncidentBook({
      host: options.name,
      wallClockOffsetMs: options.wallClockOffsetMs,
      ended: (ended) => options.incidentEnded?.(ended),
    });
    this.#feed = new UnknownSpiFeed(options.name);
    this.#traffic = new TunnelTraffic(options.sampleMs, options.rateWindowMs);
  }

  /** @returns the id of the incident that it belongs to */
  event(at: number, event: EngineEvent): string | undefined {
    const incident = this.#incidents.event(at, event);
    switch (event.kind) {
      case 'unknown-spi':
      case 'unknown-ike-message': {
        const atMs = Math.round(at + this.#options.wallClockOffsetMs);
        const row = this.#feed.add(atMs, event, incident);
        this.#changedFeed.set(row.id, row);
        break;
      }
      case 'child-up':
        this.#traffic.childUp(event.child.childId, {
          connection: event.context.connection.name,
          child: event.child.name,
        });
        break;
      case 'child-down':
        this.#traffic.childDown(event.child.childId, event.child);
        break;
      case 'ike':
        if (event.event.kind === 'child-rekeyed')
          this.#traffic.rekeyed(event.event.child.childId, event.event.replaced);
        break;
      case 'hip':
        this.#hip(event.event);
        break;
      default:
        break;
    }
    return incident;
  }

  #hip(event: HipEvent): void {
    switch (event.kind) {
      case 'established':
        this.#traffic.childUp(event.childId, associationName(event.context));
        break;
      case 'ended':
        this.#traffic.childDown(event.childId, event);
        break;
      case 'rekeyed':
        this.#traffic.rekeyed(event.childId, {
          inboundSpi: event.replacedInboundSpi,
          outboundSpi: event.replacedOutboundSpi,
        });
        break;
      default:
        break;
    }
  }

  message(at: number, direction: 'in' | 'out', remote: Endpoint, seen: IkeMessageSeen): void {
    this.#incidents.message(new SeenMessage(at, direction, remote, seen));
  }

  reports(reports: readonly CounterReport[]): void {
    this.#traffic.reports(reports);
  }

  /** Takes rates; called at even times. */
  sample(at: number): void {
    this.#traffic.sample(at);
    this.#incidents.tick(at);
  }

  snapshot(at: number, status: EngineStatus): HostSnapshot {
    const { name, version, pid, startedAtMs, wallClockOffsetMs } = this.#options;
    const atMs = Math.round(at + wallClockOffsetMs);
    return {
      name,
      state: 'running',
      atMs,
      version,
      pid,
      startedAtMs,
      ...fromStatus(status, this.#traffic),
      traffic: this.#traffic.history(atMs),
      openIncidents: this.#incidents.openIds(),
    };
  }

  incidents(): readonly Incident[] {
    return this.#incidents.all();
  }

  unknownSpis(): readonly UnknownSpi[] {
    return this.#feed.all();
  }

  /** What has changed since the last call. */
  takeChanges(): { readonly incidents: readonly Incident[]; readonly unknownSpis: readonly UnknownSpi[] } {
    const unknownSpis = [...this.#changedFeed.values()];
    this.#changedFeed = new Map();
    return { incidents: this.#incidents.takeChanged(), unknownSpis };
  }

  get openIncidents(): number {
    return this.#incidents.openIds().length;
  }

  /** What tunnels have carried, by configured names. */
  traffic(): readonly NamedCount[] {
    return this.#traffic.named();
  }
}
