// What a host holds stays within bounds, whatever is done to it.
import type { TableSizes } from '#engine';
import type { LabEvent, Observer } from '../events.ts';
import { InvariantViolation } from './invariant-violation.ts';

/** Largest sizes that the scenario can explain. */
export type TableLimits = Readonly<Partial<Record<keyof TableSizes, number>>>;

export class BoundedState implements Observer {
  readonly #limits: TableLimits;

  constructor(limits: TableLimits) {
    this.#limits = limits;
  }

  observe(event: LabEvent): void {
    if (event.kind !== 'settled' || !event.keying) return;
    const tables = event.host.tables();
    if (tables === undefined) return;
    for (const [table, limit] of Object.entries(this.#limits) as [keyof TableSizes, number][]) {
      if (tables[table] <= limit) continue;
      const detail = `${event.host.name} has ${tables[table]} ${table}, more than ${limit}`;
      throw new InvariantViolation('bounded-state', event.at, detail);
    }
  }
}
