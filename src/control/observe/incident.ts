// One incident as it grows: entries in the order of time, what is the same again folded, and how it comes to an end.
import type { Endpoint } from '#sa';
import { formatEndpoint } from '#sa';
import type { Incident, IncidentEntry, IncidentOutcome } from '../api/index.ts';
import type { TracedMessage } from './message-trace.ts';

type Told = Omit<IncidentEntry, 'afterMs' | 'lastAfterMs' | 'count'>;

/** What brings it to its end, beside traffic that is back and a peer that answers. */
export type Awaited = 'child' | 'liveness' | 'replacement' | 'traffic';

const entriesMax = 96;
/** A packet and what was decided about it repeat in turns. */
const repeatingMax = 3;

export class OpenIncident {
  readonly id: string;
  readonly connection: string;
  readonly #host: string;
  #startedAt: number;
  readonly #wallClockOffsetMs: number;
  #entries: IncidentEntry[] = [];
  #omitted = 0;
  #rttMs: number | undefined;
  #exchanges = 0;
  readonly #requests = new Map<string, TracedMessage>();
  #ended: { readonly at: number; readonly outcome: IncidentOutcome } | undefined;
  remote: Endpoint | undefined;
  rung: string | undefined;
  awaits: Awaited;
  /** Monotonic milliseconds of the last entry. */
  lastAt: number;

  constructor(fields: {
    readonly id: string;
    readonly host: string;
    readonly connection: string;
    readonly at: number;
    readonly wallClockOffsetMs: number;
    readonly awaits: Awaited;
  }) {
    this.id = fields.id;
    this.connection = fields.connection;
    this.#host = fields.host;
    this.#startedAt = fields.at;
    this.lastAt = fields.at;
    this.#wallClockOffsetMs = fields.wallClockOffsetMs;
    this.awaits = fields.awaits;
  }

  get open(): boolean {
    return this.#ended === undefined;
  }

  get durationMs(): number {
    return (this.#ended?.at ?? this.lastAt) - this.#startedAt;
  }

  get outcome(): IncidentOutcome | undefined {
    return this.#ended?.outcome;
  }

  tell(at: number, told: Told): void {
    this.lastAt = Math.max(this.lastAt, at);
    const afterMs = rounded(at - this.#startedAt);
    const again = this.#entries.findLastIndex(
      (entry, i) => i >= this.#entries.length - repeatingMax && isSame(entry, told),
    );
    const before = this.#entries[again];
    if (before !== undefined) {
      this.#entries[again] = { ...before, count: before.count + 1, lastAfterMs: afterMs };
      return;
    }
    // How it began stays, and how it ends is still told.
    if (this.#entries.length >= entriesMax) {
      this.#entries.splice(entriesMax / 2, 1);
      this.#omitted++;
    }
    // What was sent is told before what led to it: an engine's events carry the time of its input.
    const index = this.#entries.findLastIndex((entry) => entry.afterMs <= afterMs) + 1;
    this.#entries.splice(index, 0, { afterMs, lastAfterMs: afterMs, count: 1, ...told });
  }

  /** What came before the first sign, once it is known that it belongs here: it is where the time begins. */
  began(messages: readonly TracedMessage[]): void {
    const [first] = messages;
    if (first === undefined) return;
    this.firstSign(first.at);
    for (const message of messages) this.message(message);
  }

  /** Its time begins here, if that is earlier than was known. */
  firstSign(at: number): void {
    const earlierMs = this.#startedAt - at;
    if (earlierMs <= 0) return;
    this.#startedAt = at;
    this.#entries = this.#entries.map((entry) => ({
      ...entry,
      afterMs: rounded(entry.afterMs + earlierMs),
      lastAfterMs: rounded(entry.lastAfterMs + earlierMs),
    }));
  }

  message(message: TracedMessage): void {
    const { at, direction, title, lengthBytes, response, exchange } = message;
    this.remote ??= message.remote;
    if (!response) this.#requests.set(exchange, message);
    const request = response ? this.#requests.get(exchange) : undefined;
    if (request !== undefined && request.direction !== direction) {
      this.#requests.delete(exchange);
      this.#exchanges++;
      if (direction === 'in')
        this.#rttMs = Math.min(this.#rttMs ?? Number.POSITIVE_INFINITY, at - request.at);
    }
    this.tell(at, { kind: 'message', direction, title, detail: `${lengthBytes} octets` });
  }

  end(at: number, outcome: IncidentOutcome): void {
    this.#ended ??= { at, outcome };
    this.#requests.clear();
  }

  asData(): Incident {
    const ended = this.#ended;
    return {
      id: this.id,
      host: this.#host,
      connection: this.connection,
      ...(this.remote === undefined ? {} : { remote: formatEndpoint(this.remote) }),
      startedAtMs: Math.round(this.#startedAt + this.#wallClockOffsetMs),
      ...(ended === undefined ? {} : { endedAtMs: Math.round(ended.at + this.#wallClockOffsetMs) }),
      state: ended?.outcome ?? 'open',
      ...(this.rung === undefined ? {} : { rung: this.rung }),
      ...(this.#rttMs === undefined ? {} : { rttMs: rounded(this.#rttMs) }),
      exchanges: this.#exchanges,
      entries: [...this.#entries],
      omitted: this.#omitted,
    };
  }
}

function isSame(entry: IncidentEntry, told: Told): boolean {
  return (
    entry.kind === told.kind &&
    entry.direction === told.direction &&
    entry.title === told.title &&
    entry.detail === told.detail
  );
}

/** To a hundredth of a millisecond. */
function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
