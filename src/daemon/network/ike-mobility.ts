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

export interface IkeMove {
  readonly ikeId: number;
  readonly local: IpAddress;
  readonly remote: IpAddress;
}

export interface IkeMobilityPorts {
  mobileIkeSas(): readonly MobileIkeSa[];
  /** Addresses of this machine that are not inside of tunnels. */
  ownAddresses(): ReadonlySet<IpAddress>;
  /** From where the kernel would send to a peer; `undefined`: it has no way there. */
  sourceFor(remote: Endpoint): IpAddress | undefined;
  tell(own: ReadonlySet<IpAddress>): void;
  /** All that move at once; never none. */
  move(moves: readonly IkeMove[]): void;
}

export class IkeMobility {
  readonly #ports: IkeMobilityPorts;
  readonly #settling = new Settling(() => this.look());
  /** Those of the last look. */
  #own: ReadonlySet<IpAddress> | undefined;
  /** Addresses that are gone, and that IKE SAs had when they were looked at last. */
  #gone: ReadonlySet<IpAddress> = new Set();
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
    const before = this.#own;
    const same = before !== undefined && before.size === own.size && [...own].every((one) => before.has(one));
    // Routes come and go all day on some machines; they matter to whoever waits for one.
    if (same && !this.#stranded) return;
    if (!same) this.#ports.tell(own);
    this.#own = own;
    // A machine may send from addresses that it does not list. What there was before the start nobody knows.
    const wasOurs = (address: IpAddress): boolean =>
      before === undefined || before.has(address) || this.#gone.has(address);
    const leaving = this.#ports
      .mobileIkeSas()
      .filter(({ local: { address } }) => !own.has(address) && wasOurs(address));
    const moves = leaving.flatMap((sa) => this.#moveOf(sa, own) ?? []);
    this.#gone = new Set(leaving.map(({ local }) => local.address));
    this.#stranded = moves.length < leaving.length;
    if (moves.length > 0) this.#ports.move(moves);
  }

  /** Where the peer is known to be comes first. `undefined`: there is no way to it. */
  #moveOf(
    { ikeId, local, remote, client, peerAddresses }: MobileIkeSa,
    own: ReadonlySet<IpAddress>,
  ): IkeMove | undefined {
    for (const address of client ? [remote.address, ...peerAddresses] : [remote.address]) {
      const from = this.#ports.sourceFor({ address, port: remote.port });
      if (from === undefined || !own.has(from) || from === local.address || !sameFamily(from, address))
        continue;
      return { ikeId, local: from, remote: address };
    }
    return undefined;
  }

  stop(): void {
    this.#settling.stop();
  }
}
