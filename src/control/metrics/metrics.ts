// Prometheus metrics of one host. Names and labels are an interface (docs/metrics.md): labels take their values from the
// configuration and from fixed sets of words, never from what strangers send.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineEvent, EngineStatus } from '#engine';
import { exchangeTypeName } from '#wire';
import type { IncidentOutcome } from '../api/index.ts';
import type { IkeMessageSeen } from '../observe/ike-message-seen.ts';
import type { Ended } from '../observe/incident-book.ts';
import type { NamedCount } from '../observe/tunnel-traffic.ts';
import { knownWord } from './words.ts';

export interface MetricsSource {
  readonly version: string;
  readonly startedAtMs: number;
  status(): EngineStatus;
  traffic(): readonly NamedCount[];
  /** Packets of the data plane, by what became of them. */
  verdicts(): Readonly<Record<string, number>>;
  openIncidents(): number;
  /** Lines that a flood kept out of the log. */
  linesLeftOut(): number;
}

const rttBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const recoveryBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 60, 180];

const incidentOutcomes: Readonly<Record<IncidentOutcome, 0>> = {
  'traffic-back': 0,
  'sa-stands': 0,
  'child-replaced': 0,
  'peer-alive': 0,
  'given-up': 0,
  faded: 0,
};

export class Metrics {
  readonly #registry = new Registry();
  readonly #source: MetricsSource;
  #statusNow: EngineStatus | undefined;
  readonly #messages: Counter<'exchange' | 'role' | 'direction'>;
  readonly #retransmissions: Counter;
  readonly #steps: Counter<'rung' | 'step'>;
  readonly #incidents: Counter<'outcome'>;
  readonly #recovery: Histogram<'rung'>;
  readonly #rtt: Histogram;
  readonly #established: Counter<'how'>;
  readonly #failures: Counter<'connection'>;
  readonly #rekeyings: Counter<'what'>;

  constructor(source: MetricsSource) {
    // A scrape looks at one status, however many of its numbers come from there.
    this.#source = { ...source, status: () => this.#statusNow ?? source.status() };
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
      new Counter({ name, help, labelNames, registers });
    this.#messages = counter(
      'wayward_ike_messages_total',
      'IKE messages on our ports, repetitions included.',
      ['exchange', 'role', 'direction'],
    );
    this.#retransmissions = counter('wayward_ike_retransmissions_total', 'Requests of ours sent again.', []);
    this.#steps = counter('wayward_recovery_steps_total', 'Steps on the recovery ladder.', ['rung', 'step']);
    this.#incidents = counter('wayward_incidents_total', 'Incidents that have ended.', ['outcome']);
    this.#established = counter('wayward_ike_sas_established_total', 'IKE SAs that came to stand.', ['how']);
    const status = (): EngineStatus => this.#source.status();
    this.#failures = new Counter({
      name: 'wayward_connect_failures_total',
      help: 'Tries of ours to connect that failed.',
      labelNames: ['connection'],
      registers,
      collect() {
        for (const { name } of status().connections) this.inc({ connection: name }, 0);
      },
    });
    this.#rekeyings = counter('wayward_rekeyings_total', 'SAs replaced by rekeying.', ['what']);
    // Prometheus takes what it first sees with 1 for something that has not grown.
    for (const outcome of Object.keys(incidentOutcomes)) this.#incidents.inc({ outcome }, 0);
    for (const how of ['in-full', 'resumed']) this.#established.inc({ how }, 0);
    for (const what of ['ike', 'child']) this.#rekeyings.inc({ what }, 0);
    this.#recovery = new Histogram({
      name: 'wayward_recovery_seconds',
      help: 'From the first sign of a loss until traffic is back.',
      labelNames: ['rung'],
      buckets: recoveryBuckets,
      registers,
    });
    this.#rtt = new Histogram({
      name: 'wayward_ike_rtt_seconds',
      help: 'Round trips of liveness checks.',
      buckets: rttBuckets,
      registers,
    });
    this.#registerState();
    this.#registerTraffic();
    this.#registerStrangers();
  }

  /** What is looked up when it is asked for. */
  #gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    collect: (gauge: Gauge<Label>, source: MetricsSource) => void,
  ): void {
    const source = this.#source;
    new Gauge<Label>({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        collect(this, source);
      },
    });
  }

  /** A counter that is kept elsewhere. */
  #counted<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    collect: (counter: Counter<Label>, source: MetricsSource) => void,
  ): void {
    const source = this.#source;
    new Counter<Label>({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        collect(this, source);
      },
    });
  }

  #registerState(): void {
    this.#gauge('wayward_build_info', 'Always 1.', ['version'], (gauge, { version }) =>
      gauge.set({ version }, 1),
    );
    this.#gauge('wayward_start_time_seconds', 'When this process started.', [], (gauge, { startedAtMs }) =>
      gauge.set(startedAtMs / 1_000),
    );
    this.#gauge('wayward_boot_epoch', 'How often this host has started.', [], (gauge, source) =>
      gauge.set(source.status().bootEpoch),
    );
    this.#gauge('wayward_ike_sas', 'IKE SAs by phase.', ['phase'], (gauge, source) => {
      for (const { phase } of source.status().ikeSas) gauge.inc({ phase });
    });
    this.#gauge('wayward_hip_associations', 'HIP associations by state.', ['state'], (gauge, source) => {
      for (const { state } of source.status().hip) gauge.inc({ state });
    });
    this.#gauge(
      'wayward_child_sas',
      'Child SAs that stand, by their configured names.',
      ['connection', 'child'],
      (gauge, source) => {
        const { ikeSas, connections } = source.status();
        for (const { name, children } of connections)
          for (const child of children) gauge.set({ connection: name, child }, 0);
        for (const { connection, children } of ikeSas)
          for (const { name, phase } of children)
            if (phase === 'installed') gauge.inc({ connection, child: name });
      },
    );
    this.#gauge('wayward_connecting', 'Connections on their way up.', [], (gauge, source) =>
      gauge.set(source.status().connecting.length),
    );
    this.#gauge('wayward_incidents_open', 'Incidents that go on.', [], (gauge, source) =>
      gauge.set(source.openIncidents()),
    );
    this.#gauge('wayward_pool_addresses', 'Virtual addresses of a pool.', ['pool'], (gauge, source) => {
      for (const { name, size } of source.status().pools) gauge.set({ pool: name }, Number(size));
    });
    this.#gauge('wayward_pool_addresses_used', 'Those that peers have.', ['pool'], (gauge, source) => {
      for (const { name, online } of source.status().pools) gauge.set({ pool: name }, online);
    });
  }

  #registerTraffic(): void {
    const labels = ['connection', 'child', 'direction'] as const;
    for (const [field, name, help] of [
      ['bytes', 'wayward_esp_bytes_total', 'Octets under protection that tunnels carried.'],
      ['packets', 'wayward_esp_packets_total', 'Packets that tunnels carried.'],
      ['refused', 'wayward_esp_refused_total', 'Packets with failed integrity, replayed or malformed.'],
    ] as const) {
      this.#counted(name, help, labels, (counter, source) => {
        for (const count of source.traffic()) {
          const { connection, child, direction } = count;
          counter.inc({ connection, child, direction }, count[field]);
        }
      });
    }
    this.#counted(
      'wayward_packets_total',
      'Packets that the data plane read, by what became of them.',
      ['verdict'],
      (counter, source) => {
        for (const [verdict, times] of Object.entries(source.verdicts())) counter.inc({ verdict }, times);
      },
    );
  }

  #registerStrangers(): void {
    const counts = (
      name: string,
      help: string,
      kind: string,
      labelNames: readonly [string] | readonly [string, string],
    ): void => {
      this.#counted(name, help, labelNames, (counter, source) => {
        for (const [words, times] of Object.entries(source.status().counts)) {
          const [first, ...rest] = words.split(' ');
          if (first !== kind || rest.length !== labelNames.length) continue;
          counter.inc(Object.fromEntries(labelNames.map((label, i) => [label, rest[i] ?? ''])), times);
        }
      });
    };
    counts('wayward_unknown_spi_packets_total', 'ESP and AH packets of no SA.', 'unknown-spi', [
      'reason',
      'outcome',
    ]);
    counts('wayward_unknown_ike_messages_total', 'IKE messages of no IKE SA.', 'unknown-ike-message', [
      'reason',
      'outcome',
    ]);
    counts('wayward_hints_total', 'Word that a peer may have lost its state.', 'hint', ['hint', 'outcome']);
    counts(
      'wayward_path_mtu_changes_total',
      'Times that packets to a peer had to become smaller.',
      'path-mtu',
      ['outcome'],
    );
    counts('wayward_datagrams_ignored_total', 'Datagrams that reached no IKE SA.', 'datagram-ignored', [
      'reason',
    ]);
    counts(
      'wayward_guesses_braked_total',
      'Passwords and pre-shared keys that were not judged at once, since many wrong ones came before.',
      'guess-braked',
      ['by', 'outcome'],
    );
    this.#counted(
      'wayward_cookies_demanded_total',
      'Initiators that had to return a COOKIE.',
      [],
      (counter, source) => counter.inc(source.status().counts['cookie-demanded'] ?? 0),
    );
    this.#counted(
      'wayward_unauthenticated_bytes_total',
      'IP octets of unauthenticated messages, and of the replies to them.',
      ['direction'],
      (counter, source) => {
        const { receivedBytes, sentBytes } = source.status().replies;
        counter.inc({ direction: 'in' }, receivedBytes);
        counter.inc({ direction: 'out' }, sentBytes);
      },
    );
    this.#counted('wayward_replies_refused_total', 'Replies held back.', ['budget'], (counter, source) => {
      for (const [budget, times] of Object.entries(source.status().replies.refused))
        counter.inc({ budget }, times);
    });
    this.#gauge('wayward_budget_used', 'How much of a budget is used.', ['budget'], (gauge, source) => {
      for (const { name, used } of source.status().budgets) gauge.set({ budget: name }, used);
    });
    this.#gauge('wayward_budget_limit', 'And of how much.', ['budget'], (gauge, source) => {
      for (const { name, limit } of source.status().budgets) gauge.set({ budget: name }, limit);
    });
    this.#counted(
      'wayward_log_lines_left_out_total',
      'Lines that floods kept out of the log.',
      [],
      (counter, source) => counter.inc(source.linesLeftOut()),
    );
  }

  event(event: EngineEvent): void {
    if (event.kind === 'recovery') this.#steps.inc({ rung: event.rung, step: event.step });
    if (event.kind === 'connect-failed') this.#failures.inc({ connection: event.connection });
    if (event.kind !== 'ike') return;
    const { event: inner } = event;
    switch (inner.kind) {
      case 'ike-established':
        this.#established.inc({ how: inner.resumed ? 'resumed' : 'in-full' });
        break;
      case 'ike-rekeyed':
        this.#rekeyings.inc({ what: 'ike' });
        break;
      case 'child-rekeyed':
        this.#rekeyings.inc({ what: 'child' });
        break;
      case 'retransmitting':
        this.#retransmissions.inc();
        break;
      case 'liveness-confirmed':
        this.#rtt.observe(inner.rttMs / 1_000);
        break;
      default:
        break;
    }
  }

  message(direction: 'in' | 'out', { header }: IkeMessageSeen): void {
    const { exchangeType, response } = header;
    const exchange = knownWord(exchangeTypeName(exchangeType));
    this.#messages.inc({ exchange, role: response ? 'response' : 'request', direction });
  }

  incidentEnded({ outcome, rung, durationMs }: Ended): void {
    this.#incidents.inc({ outcome });
    if (outcome === 'traffic-back') this.#recovery.observe({ rung: rung ?? 'none' }, durationMs / 1_000);
  }

  async text(): Promise<{ readonly type: string; readonly text: string }> {
    this.#statusNow = this.#source.status();
    try {
      return { type: this.#registry.contentType, text: await this.#registry.metrics() };
    } finally {
      this.#statusNow = undefined;
    }
  }
}
