// The addresses of this machine as IKE has to know them; and from where an IKE SA goes on whose address is gone (RFC 4555 3.5).
import { type Endpoint, type IpAddress, sameFamily } from '#sa';
import { Settling } from './settling.ts';

/** An IKE SA whose two ends agreed that they may move. */
export interface MobileIkeSa {
  readonly ikeId: number;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Whether we choose among the addresses of the peer, too, and which others it has. */
  readonly client: boolean;
  readonly peerAddresses: readonly IpAddress[];
}

export interface IkeMobilityPorts {
  mobileIkeSas(): readonly MobileIkeSa[];
  /** Addresses of this machine that are not inside of tunnels. */
  ownAddresses(): ReadonlySet<IpAddress>;
  /** From where the kernel would send to a peer; `undefined`: it has no way there. */
  sourceFor(remote: Endpoint): IpAddress | undefined;
  tell(own: ReadonlySet<IpAddress>): void;
  move(ikeId: number, local: IpAddress, remote: IpAddress): void;
}

export class IkeMobility {
  readonly #ports: IkeMobilityPorts;
  readonly #settling = new Settling(() => this.look());
  #told: string | undefined;
  /** An IKE SA had nowhere to go. */
  #stranded = false;

  constructor(ports: IkeMobilityPorts) {
    this.#ports = ports;
  }

  /** Something about addresses or routes is not as it was. */
  changed(): void {
    this.#settling.changed();
  }

  /** Without a way to the peer an IKE SA stays where it was until the next change. */
  look(): void {
    const own = this.#ports.ownAddresses();
    const all = [...own].sort().join(' ');
    // Routes come and go all day on some machines; they matter to whoever waits for one.
    if (all === this.#told && !this.#stranded) return;
    if (all !== this.#told) this.#ports.tell(own);
    this.#told = all;
    this.#stranded = false;
    for (const sa of this.#ports.mobileIkeSas()) {
      if (!own.has(sa.local.address) && !this.#move(sa, own)) this.#stranded = true;
    }
  }

  /** Where the peer is known to be comes first. False: there is no way to it. */
  #move({ ikeId, local, remote, client, peerAddresses }: MobileIkeSa, own: ReadonlySet<IpAddress>): boolean {
    for (const address of client ? [remote.address, ...peerAddresses] : [remote.address]) {
      const from = this.#ports.sourceFor({ address, port: remote.port });
      if (from === undefined || !own.has(from) || from === local.address || !sameFamily(from, address))
        continue;
      this.#ports.move(ikeId, from, address);
      return true;
    }
    return false;
  }

  stop(): void {
    this.#settling.stop();
  }
}
