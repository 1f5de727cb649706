// Associations whose address of ours is gone go on from another one (RFC 8046 3.2).
import type { HipAssociationStatus } from '#hip';
import type { Endpoint, IpAddress } from '#sa';

/** Addresses come and go in groups. */
const settleMs = 10;

export interface HipMobilityPorts {
  associations(): readonly HipAssociationStatus[];
  /** All addresses of this machine. */
  ownAddresses(): ReadonlySet<IpAddress>;
  /** From where the kernel would send to a peer; `undefined`: it has no way there. */
  sourceFor(remote: Endpoint): IpAddress | undefined;
  move(from: IpAddress, to: IpAddress): void;
}

export class HipMobility {
  readonly #ports: HipMobilityPorts;
  #timer: NodeJS.Timeout | undefined;

  constructor(ports: HipMobilityPorts) {
    this.#ports = ports;
  }

  /** Something about addresses or routes is not as it was. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.look();
    }, settleMs);
  }

  /** Without a way to the peer an association stays where it was until the next change. */
  look(): void {
    const associations = this.#ports.associations();
    if (associations.length === 0) return;
    const own = this.#ports.ownAddresses();
    const moved = new Set<IpAddress>();
    for (const { path } of associations) {
      const from = path.local.address;
      if (own.has(from) || moved.has(from)) continue;
      const to = this.#ports.sourceFor(path.remote);
      if (to === undefined || !own.has(to)) continue;
      moved.add(from);
      this.#ports.move(from, to);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
