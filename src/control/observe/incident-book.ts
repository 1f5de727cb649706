// Which events and messages belong together: evidence, verdict, hint, rung and what came of it, under one id.
import type { EngineEvent } from '#engine';
import type { Endpoint } from '#sa';
import type { Incident, IncidentOutcome } from '../api/index.ts';
import { type Awaited, OpenIncident } from './incident.ts';
import { entriesOf } from './incident-entries.ts';
import { MessageTrace, type TracedMessage } from './message-trace.ts';

/** Incidents that go on, one per connection at most; the one that was silent longest gives way. */
const openMax = 64;
const closedMax = 32;
/** A message that brings word of a loss comes right before the event about it. */
const lookBackMs = 20;
const fadeMs = 600_000;

/** How an incident ended, for whoever counts. */
export interface Ended {
  readonly outcome: IncidentOutcome;
  readonly rung: string | undefined;
  readonly durationMs: number;
}

export interface IncidentBookOptions {
  readonly host: string;
  readonly wallClockOffsetMs: number;
  readonly ended: (ended: Ended) => void;
}

const acted: ReadonlySet<string> = new Set(['check', 'proven', 'replacing-child', 'probe-outstanding']);
/** Steps with which nothing begins. */
const lastSteps: ReadonlySet<string> = new Set(['stands', 'back', 'answered', 'moved', 'given-up']);

export class IncidentBook {
  readonly #options: IncidentBookOptions;
  readonly #open = new Map<string, OpenIncident>();
  readonly #closed: OpenIncident[] = [];
  readonly #trace = new MessageTrace();
  readonly #changed = new Set<OpenIncident>();
  /** Messages that may have led to an incident whose peer is not known yet. */
  readonly #before = new WeakMap<OpenIncident, readonly TracedMessage[]>();
  #startedAt = Number.NEGATIVE_INFINITY;
  #bootEpoch = 0;
  #next = 1;

  constructor(options: IncidentBookOptions) {
    this.#options = options;
  }

  /** @returns the id of the incident that the event belongs to */
  event(at: number, event: EngineEvent): string | undefined {
    if (event.kind === 'started') {
      this.#bootEpoch = event.bootEpoch;
      this.#startedAt = at;
    }
    if ('context' in event) this.#trace.assign(event.context.initiatorSpi, event.context.connection.name);
    const connection = connectionOf(event);
    if (connection === undefined) return undefined;
    const awaits = beginning(event);
    const known = this.#open.get(connection);
    const incident =
      known ?? (awaits === undefined ? undefined : this.#begin(at, connection, awaits, remoteOf(event)));
    if (incident === undefined) return undefined;
    if (incident.remote === undefined) this.#locate(incident, remoteOf(event));
    if (awaits !== undefined && known !== undefined) incident.awaits = stronger(incident.awaits, awaits);
    if (event.kind === 'recovery') {
      incident.rung = event.rung;
      if (event.firstSignAt !== undefined) incident.firstSign(event.firstSignAt);
    }
    for (const entry of entriesOf(event)) incident.tell(at, entry);
    const outcome = endOf(event, incident.awaits);
    if (outcome !== undefined) this.#end(at, incident, outcome);
    this.#changed.add(incident);
    return incident.id;
  }

  message(message: TracedMessage): void {
    this.#trace.add(message);
    for (const incident of this.#open.values()) {
      if (!this.#trace.fits(message, incident.connection, incident.remote)) continue;
      incident.message(message);
      this.#changed.add(incident);
    }
  }

  /** Incidents of which nothing is heard any more fade. */
  tick(at: number): void {
    for (const incident of this.#open.values()) {
      if (at - incident.lastAt < fadeMs) continue;
      this.#end(at, incident, 'faded');
      this.#changed.add(incident);
    }
  }

  /** Those that have changed since the last call. */
  takeChanged(): readonly Incident[] {
    const changed = [...this.#changed].map((incident) => incident.asData());
    this.#changed.clear();
    return changed;
  }

  openIds(): readonly string[] {
    return [...this.#open.values()].map(({ id }) => id);
  }

  #begin(at: number, connection: string, awaits: Awaited, remote: Endpoint | undefined): OpenIncident {
    const { host, wallClockOffsetMs } = this.#options;
    const id = `${host === '' ? '' : `${host}-`}${this.#bootEpoch}-${this.#next++}`;
    const incident = new OpenIncident({ id, host, connection, at, wallClockOffsetMs, awaits });
    // What came while this host started waited for it.
    const fromAt = at - this.#startedAt < lookBackMs ? Number.NEGATIVE_INFINITY : at - lookBackMs;
    this.#before.set(incident, this.#trace.leadingTo(at, fromAt));
    this.#locate(incident, remote);
    if (this.#open.size >= openMax) {
      const oldest = [...this.#open.values()].reduce((a, b) => (b.lastAt < a.lastAt ? b : a));
      this.#end(at, oldest, 'faded');
      this.#changed.add(oldest);
    }
    this.#open.set(connection, incident);
    return incident;
  }

  /** It is known with whom: messages of before may belong to it. */
  #locate(incident: OpenIncident, remote: Endpoint | undefined): void {
    if (remote === undefined) return;
    incident.remote = remote;
    const before = this.#before.get(incident) ?? [];
    this.#before.delete(incident);
    incident.began(before.filter((message) => this.#trace.fits(message, incident.connection, remote)));
  }

  #end(at: number, incident: OpenIncident, outcome: IncidentOutcome): void {
    incident.end(at, outcome);
    this.#open.delete(incident.connection);
    this.#closed.push(incident);
    if (this.#closed.length > closedMax) {
      // Traffic that flows one way only is asked about again and again: such alarms go first.
      const falseAlarm = this.#closed.findIndex((one) => one.outcome === 'peer-alive');
      this.#closed.splice(Math.max(0, falseAlarm), 1);
    }
    this.#options.ended({ outcome, rung: incident.rung, durationMs: incident.durationMs });
  }

  /** The newest first. */
  all(): readonly Incident[] {
    return [...this.#closed, ...this.#open.values()].map((incident) => incident.asData()).reverse();
  }
}

function connectionOf(event: EngineEvent): string | undefined {
  if ('context' in event) return event.context.connection.name;
  if (event.kind === 'unknown-spi') return event.owner?.connection;
  return 'connection' in event ? event.connection : undefined;
}

function remoteOf(event: EngineEvent): Endpoint | undefined {
  if ('context' in event) return event.context.remote;
  return 'remote' in event ? event.remote : undefined;
}

/** Whether the event is the first sign of something, and then what would be its end. */
function beginning(event: EngineEvent): Awaited | undefined {
  switch (event.kind) {
    case 'unknown-spi':
      return event.outcome.startsWith('sent') ? 'child' : undefined;
    case 'unknown-ike-message':
      return event.outcome === 'sent' ? 'child' : undefined;
    case 'hint':
      if (!acted.has(event.outcome)) return undefined;
      if (event.outcome === 'replacing-child') return 'replacement';
      return event.outcome === 'proven' ? 'traffic' : 'liveness';
    case 'recovery':
      if (event.step === 'checking') return 'liveness';
      return lastSteps.has(event.step) ? undefined : 'traffic';
    default:
      return undefined;
  }
}

const strength: readonly Awaited[] = ['liveness', 'replacement', 'child', 'traffic'];

function stronger(a: Awaited, b: Awaited): Awaited {
  return strength.indexOf(a) >= strength.indexOf(b) ? a : b;
}

function endOf(event: EngineEvent, awaits: Awaited): IncidentOutcome | undefined {
  if (event.kind === 'recovery') {
    switch (event.step) {
      case 'back':
        return 'traffic-back';
      case 'answered':
        return 'peer-alive';
      case 'given-up':
        return 'given-up';
      default:
        return undefined;
    }
  }
  if (event.kind !== 'ike') return undefined;
  switch (event.event.kind) {
    case 'child-established':
      return awaits === 'child' ? 'sa-stands' : undefined;
    case 'child-rekeyed':
      return awaits === 'replacement' ? 'child-replaced' : undefined;
    case 'liveness-confirmed':
      return awaits === 'liveness' ? 'peer-alive' : undefined;
    default:
      return undefined;
  }
}
