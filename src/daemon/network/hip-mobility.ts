// The addresses of this machine as HIP has to know them; and where an association goes on whose address is gone (RFC 8046 3.2.4, RFC 8047 4.2.7).
import type { HipAssociationStatus } from '#hip';
import type { Endpoint, IpAddress } from '#sa';
import { Settling } from './settling.ts';

export interface HipMobilityPorts {
  associations(): readonly HipAssociationStatus[];
  /** All addresses of this machine. */
  ownAddresses(): ReadonlySet<IpAddress>;
  /** From where the kernel would send to a peer; `undefined`: it has no way there. */
  sourceFor(remote: Endpoint): IpAddress | undefined;
  tell(own: ReadonlySet<IpAddress>): void;
  move(from: IpAddress, to: IpAddress): void;
}

export class HipMobility {
  readonly #ports: HipMobilityPorts;
  readonly #settling = new Settling(() => this.look());
  #told = '';

  constructor(ports: HipMobilityPorts) {
    this.#ports = ports;
  }

  /** Something about addresses or routes is not as it was. */
  changed(): void {
    this.#settling.changed();
  }

  /** Whoever was told has forgotten it, or was not there yet. */
  begin(): void {
    this.#told = '';
    this.look();
  }

  /** Without a way to the peer an association stays where it was until the next change. */
  look(): void {
    const own = this.#ports.ownAddresses();
    const all = [...own].sort().join(' ');
    if (all !== this.#told) this.#ports.tell(own);
    this.#told = all;
    const moved = new Set<IpAddress>();
    for (const { path } of this.#ports.associations()) {
      const from = path.local.address;
      if (own.has(from) || moved.has(from)) continue;
      const to = this.#ports.sourceFor(path.remote);
      if (to === undefined || !own.has(to)) continue;
      moved.add(from);
      this.#ports.move(from, to);
    }
  }

  stop(): void {
    this.#settling.stop();
  }
}
