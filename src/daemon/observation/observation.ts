// Looks at a running host: feeds what it hears to an observer, and tells whoever follows the board.
import type { HttpListen } from '#config';
import { Board, type IkeMessageSeen, Observer } from '#control';
import type { Metrics, MetricsSource } from '#control/metrics';
import type { EngineEvent, EngineStatus } from '#engine';
import { monotonicMs, type SaReport } from '#linux';
import type { Endpoint } from '#sa';
import { HttpEndpoint } from '../endpoints/http-endpoint.ts';
import { openApiDocument, pageAssets, tokenCheck } from '../page.ts';

export interface ObservationOptions {
  /** Of the host, where there are several. */
  readonly name?: string;
  readonly version: string;
  /** How often counters are looked at, and over how long a rate is taken: of whole reports of the data plane. */
  readonly sampleMs?: number;
  readonly rateWindowMs?: number;
  readonly status: () => EngineStatus;
  /** Packets of the data plane, by what became of them. */
  readonly verdicts: () => Readonly<Record<string, number>>;
  readonly linesLeftOut: () => number;
  /** Lines of `wayward why`. */
  readonly why: (subject: number | 'last') => readonly string[];
}

/** Where the page, the API and the metrics are served. */
export interface HttpOptions {
  readonly listen: HttpListen;
  /** Not asked for on a Unix socket. */
  readonly token: string;
}

/** What happens at once is told at once, but together. */
const gatherMs = 40;

export class Observation {
  readonly board: Board;
  /** Absent: nobody can ask for them. */
  #metrics: Metrics | undefined;
  readonly #source: MetricsSource;
  readonly #observer: Observer;
  readonly #sampleMs: number;
  readonly #why: ObservationOptions['why'];
  #http: HttpEndpoint | undefined;
  #token = '';
  #sampler: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: ObservationOptions) {
    const { sampleMs = 500, rateWindowMs = 1_000, name = '', version, status } = options;
    const startedAtMs = Date.now();
    this.#sampleMs = sampleMs;
    this.#why = options.why;
    this.#observer = new Observer({
      name,
      version,
      pid: process.pid,
      startedAtMs,
      wallClockOffsetMs: Date.now() - monotonicMs(),
      sampleMs,
      rateWindowMs,
      incidentEnded: (ended) => this.#metrics?.incidentEnded(ended),
    });
    this.#source = {
      version,
      startedAtMs,
      status,
      traffic: () => this.#observer.traffic(),
      verdicts: options.verdicts,
      openIncidents: () => this.#observer.openIncidents,
      linesLeftOut: options.linesLeftOut,
    };
    this.board = new Board({
      demonstration: false,
      wallClock: Date.now,
      look: () => this.#observer.snapshot(monotonicMs(), status()),
    });
  }

  start(): void {
    this.#sampler = setInterval(() => {
      this.#observer.sample(monotonicMs());
      this.#tellChanges();
      this.board.tick();
    }, this.#sampleMs).unref();
  }

  /** @throws ControlSocketError, or the system's error with its `code` */
  async serve({ listen, token }: HttpOptions): Promise<void> {
    this.#token = token;
    const { Metrics } = await import('#control/metrics');
    const metrics = new Metrics(this.#source);
    this.#metrics = metrics;
    this.#http = await HttpEndpoint.open(listen, {
      board: this.board,
      ...(listen.kind === 'path' ? {} : { isToken: tokenCheck(token) }),
      assets: pageAssets(),
      openApi: openApiDocument(),
      metrics: () => metrics.text(),
      why: async (_host, subject) => this.#why(subject),
    });
  }

  get pageUrl(): string | undefined {
    const url = this.#http?.url;
    return url === undefined ? undefined : `${url}#token=${this.#token}`;
  }

  async stop(): Promise<void> {
    clearInterval(this.#sampler);
    clearTimeout(this.#gathering);
    this.#tellChanges();
    await this.#http?.close();
  }

  /** @returns the id of the incident that it belongs to */
  event(at: number, event: EngineEvent): string | undefined {
    this.#metrics?.event(event);
    const incident = this.#observer.event(at, event);
    this.#gathering ??= setTimeout(() => this.#tellChanges(), gatherMs).unref();
    return incident;
  }

  message(direction: 'in' | 'out', remote: Endpoint, seen: IkeMessageSeen): void {
    this.#metrics?.message(direction, seen);
    this.#observer.message(monotonicMs(), direction, remote, seen);
  }

  reports(reports: readonly SaReport[]): void {
    this.#observer.reports(reports);
  }

  #tellChanges(): void {
    this.#gathering = undefined;
    const { incidents, unknownSpis } = this.#observer.takeChanges();
    for (const incident of incidents) this.board.incident(incident);
    for (const row of unknownSpis) this.board.unknownSpi(row);
  }
}
