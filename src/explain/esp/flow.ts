// The packets of one SPI in one direction.
import { type Endpoint, formatSpi, type IpAddress } from '#sa';
import type { FlowOrigin, FlowRow, Sighting } from '../story.ts';
import type { EspOpener } from './esp-opener.ts';
import { InnerTraffic } from './inner-traffic.ts';
import { SequenceTracker } from './sequence-tracker.ts';

export class Flow {
  readonly protocol: 'esp' | 'ah';
  readonly spi: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly first: Sighting;
  readonly sequence: SequenceTracker;
  last: Sighting;
  lastPort: Endpoint;
  encapsulated: boolean;
  packets = 0;
  octets = 0;
  origin: FlowOrigin = 'unknown';
  /** Whether its beginning is told already. */
  told = false;
  /** Absent: no key for it. */
  opener: EspOpener | undefined;
  readonly inner: InnerTraffic = new InnerTraffic();
  verified = 0;
  forged = 0;
  largestGapAt: Sighting | undefined;
  /** A Delete of it was read. */
  deleted: Sighting | undefined;

  constructor(
    protocol: 'esp' | 'ah',
    spi: number,
    source: Endpoint,
    destination: Endpoint,
    at: Sighting,
    sequence: number,
  ) {
    this.protocol = protocol;
    this.spi = spi;
    this.source = source.address;
    this.destination = destination.address;
    this.first = { frame: at.frame, atUs: at.atUs };
    this.last = this.first;
    this.lastPort = source;
    this.encapsulated = false;
    this.sequence = new SequenceTracker(sequence, at.atUs);
  }

  get name(): string {
    return `${this.protocol.toUpperCase()} SPI ${formatSpi(this.spi)}`;
  }

  row(): FlowRow {
    const { sequence } = this;
    return {
      protocol: this.protocol,
      spi: formatSpi(this.spi),
      source: this.source,
      destination: this.destination,
      encapsulated: this.encapsulated,
      origin: this.origin,
      packets: this.packets,
      octets: this.octets,
      first: this.first,
      last: this.last,
      firstSequence: sequence.first,
      lastSequence: sequence.highest,
      missing: sequence.missing,
      reordered: sequence.reordered,
      replayed: sequence.replayed,
      ...(this.opener === undefined
        ? {}
        : { verified: this.verified, forged: this.forged, carries: this.inner.told() }),
    };
  }
}
