// What is told of one pair of addresses, within bounds: its events, and its findings with those of a kind as one.
import { explainLimits } from './limits.ts';
import type { Finding, Severity, Sighting, StoryEvent } from './story.ts';

/** Keeps the first events and the last ones. */
export class EventLog {
  readonly #first: StoryEvent[] = [];
  readonly #last: StoryEvent[] = [];
  leftOut = 0;

  tell(at: Sighting, code: string, text: string): void {
    const event = { frame: at.frame, atUs: at.atUs, code, text };
    if (this.#first.length < explainLimits.eventsKept) this.#first.push(event);
    else this.#last.push(event);
    // Dropped in bulk, so that each event costs the same on average.
    if (this.#last.length === 2 * explainLimits.eventsKept) {
      this.#last.splice(0, explainLimits.eventsKept);
      this.leftOut += explainLimits.eventsKept;
    }
  }

  /** In the order of their frames: an event may be understood later than it happened. */
  all(): StoryEvent[] {
    return [...this.#first, ...this.#last].sort((a, b) => a.frame - b.frame);
  }
}

export interface FoundNow {
  readonly code: string;
  readonly severity: Severity;
  readonly what: string;
  readonly why: string;
  readonly advice: string;
  /** Findings of one code about the same subject are one. */
  readonly about?: string;
}

export class FindingLog {
  readonly #findings = new Map<string, Finding>();
  leftOut = 0;

  /** @returns whether it is the first of its kind */
  find(at: Sighting, { about, ...found }: FoundNow): boolean {
    const key = `${found.code} ${about ?? ''}`;
    const { frame, atUs } = at;
    const known = this.#findings.get(key);
    if (known !== undefined) {
      // The newest words, which know most, with the first sighting.
      const { count } = known;
      const first = { frame: known.frame, atUs: known.atUs };
      this.#findings.set(key, { ...found, ...first, count: count + 1, last: { frame, atUs } });
      return false;
    }
    if (this.#findings.size < explainLimits.findings) {
      this.#findings.set(key, { ...found, frame, atUs, count: 1, last: { frame, atUs } });
      return true;
    }
    this.leftOut++;
    return false;
  }

  /** The most severe first, each kind in the order of their frames. */
  all(): Finding[] {
    const rank: Readonly<Record<Severity, number>> = { problem: 0, notice: 1, note: 2 };
    return [...this.#findings.values()].sort(
      (a, b) => rank[a.severity] - rank[b.severity] || a.frame - b.frame,
    );
  }
}
