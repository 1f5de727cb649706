// Which packets of which flow arrived, and when they had been sent: the measure of liveness.
import type { LabEvent, Observer } from '../events.ts';
import { readInnerPacket } from '../inner-packet.ts';
import type { FlowScenario } from '../scenario.ts';

interface FlowRecord {
  /** When each packet was sent; sequence numbers count from 1. */
  readonly sentAt: number[];
  readonly arrived: Set<number>;
  /** When the newest packet that arrived had been sent. */
  newestSentAt: number;
}

export class Delivery implements Observer {
  readonly #flows: readonly FlowScenario[];
  readonly #records: FlowRecord[];

  constructor(flows: readonly FlowScenario[]) {
    this.#flows = flows;
    this.#records = flows.map(() => ({ sentAt: [], arrived: new Set(), newestSentAt: -1 }));
  }

  observe(event: LabEvent): void {
    if (event.kind === 'packet-sent') {
      this.#records[event.flowIndex]!.sentAt[event.sequence] = event.at;
    } else if (event.kind === 'delivered') {
      const label = readInnerPacket(event.packet);
      const record = label === undefined ? undefined : this.#records[label.flowIndex];
      if (label === undefined || record === undefined) return;
      record.arrived.add(label.sequence);
      record.newestSentAt = Math.max(record.newestSentAt, record.sentAt[label.sequence] ?? -1);
    }
  }

  /** Packets of all flows that arrived. */
  get count(): number {
    return this.#records.reduce((sum, { arrived }) => sum + arrived.size, 0);
  }

  /** Flows of which nothing arrived that was sent at `at` or later. */
  silentSince(at: number): readonly FlowScenario[] {
    return this.#flows.filter((flow, i) => flow.stray !== true && this.#records[i]!.newestSentAt < at);
  }

  /** Packets sent from `from` to `to` that did not arrive. */
  lost(from: number, to: number): number {
    let lost = 0;
    for (const [i, flow] of this.#flows.entries()) {
      if (flow.stray === true) continue;
      const { sentAt, arrived } = this.#records[i]!;
      for (const [sequence, at] of sentAt.entries()) {
        if (at !== undefined && at >= from && at <= to && !arrived.has(sequence)) lost++;
      }
    }
    return lost;
  }
}
