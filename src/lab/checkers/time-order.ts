// Time never goes back, and no host sleeps through its own deadline.
import type { LabEvent, Observer } from '../events.ts';
import { InvariantViolation } from './invariant-violation.ts';

export class TimeOrder implements Observer {
  #last = 0;

  observe(event: LabEvent): void {
    if (event.at < this.#last) {
      throw new InvariantViolation('time-order', event.at, `${event.kind} happened after ${this.#last} ms`);
    }
    this.#last = event.at;
    if (event.kind !== 'settled') return;
    const deadline = event.host.deadline();
    if (deadline === undefined || deadline >= event.at) return;
    const detail = `${event.host.name} was due at ${deadline} ms and did nothing`;
    throw new InvariantViolation('time-order', event.at, detail);
  }
}
