// Everything between two addresses: what is told of it, its SAs and its packets.
import type { IpAddress } from '#sa';
import { BoundedTable } from './bounded-table.ts';
import type { Flow } from './esp/flow.ts';
import type { TrackedAssociation } from './hip-tracker.ts';
import type { TrackedIkeSa } from './ike/tracked-ike-sa.ts';
import { explainLimits } from './limits.ts';
import { EventLog, FindingLog } from './logs.ts';
import { SilenceWatch } from './silence/silence-watch.ts';
import type { Sighting } from './story.ts';

export type Side = 0 | 1;

/** A side of a conversation has moved. */
export interface Departure {
  readonly side: Side;
  readonly at: Sighting;
  readonly to: IpAddress;
}

export class Conversation {
  readonly peers: readonly [IpAddress, IpAddress];
  readonly events: EventLog = new EventLog();
  readonly findings: FindingLog = new FindingLog();
  readonly ikeSas: BoundedTable<string, TrackedIkeSa>;
  readonly flows: BoundedTable<string, Flow> = new BoundedTable<string, Flow>(
    explainLimits.flows,
    (flow) => flow.packets,
  );
  readonly hipAssociations: BoundedTable<string, TrackedAssociation> = new BoundedTable<
    string,
    TrackedAssociation
  >(explainLimits.hipAssociations, ({ packets }) => packets);
  readonly silence: SilenceWatch;
  packets = 0;
  /** Of the side that is elsewhere now (RFC 4555). */
  departure: Departure | undefined;
  readonly #relatives = new Set<Conversation>();
  /** The last exchange that may have made a Child SA and could not be read. */
  sealedNegotiation: Sighting | undefined;
  /** The last CREATE_CHILD_SA that could not be read. */
  sealedCreation: { readonly at: Sighting; readonly by: TrackedIkeSa } | undefined;

  /** @param forget called with an IKE SA that is given up */
  constructor(peers: readonly [IpAddress, IpAddress], forget: (sa: TrackedIkeSa) => void) {
    this.peers = peers;
    this.ikeSas = new BoundedTable<string, TrackedIkeSa>(
      explainLimits.ikeSas,
      ({ messages }) => messages,
      forget,
    );
    this.silence = new SilenceWatch(this);
  }

  /** Pairs of addresses between which the same IKE SAs are or were, this one first. */
  get family(): readonly Conversation[] {
    return [this, ...this.#relatives];
  }

  /** An IKE SA of one goes on in the other. */
  relate(other: Conversation): void {
    for (const [one, two] of [
      [this, other],
      [other, this],
    ] as const) {
      one.#relatives.add(two);
      const [oldest] = one.#relatives;
      if (one.#relatives.size > explainLimits.relatives && oldest !== undefined) one.#part(oldest);
    }
  }

  #part(other: Conversation): void {
    this.#relatives.delete(other);
    other.#relatives.delete(this);
  }

  /** There is no room for it any more. */
  leave(): void {
    for (const one of this.#relatives) this.#part(one);
  }

  sideOf(address: IpAddress): Side {
    return address === this.peers[0] ? 0 : 1;
  }
}
