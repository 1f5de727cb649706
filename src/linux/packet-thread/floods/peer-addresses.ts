// Where our SAs lead: what comes from there goes before what strangers send.
import type { IpAddress, SaCommand, SaProtocol } from '#sa';

/** Follows the commands for inbound SAs, whose SPIs are ours and so name one SA each. */
export class PeerAddresses {
  readonly #bySa = new Map<string, IpAddress>();
  readonly #counts = new Map<IpAddress, number>();

  has(address: IpAddress): boolean {
    return this.#counts.has(address);
  }

  /** A command that was carried out. */
  follow(command: SaCommand): void {
    switch (command.kind) {
      case 'install':
        if (command.sa.direction === 'inbound')
          this.note(command.sa.protocol, command.sa.spi, command.sa.remote);
        break;
      case 'update-addresses':
        if (command.direction === 'inbound') this.note(command.protocol, command.spi, command.remote.address);
        break;
      case 'remove':
        if (command.direction === 'inbound') this.note(command.protocol, command.spi, undefined);
        break;
    }
  }

  /** @param to where packets of an inbound SA come from now; undefined: the SA is gone */
  note(protocol: SaProtocol, spi: number, to: IpAddress | undefined): void {
    const sa = `${protocol} ${spi}`;
    const from = this.#bySa.get(sa);
    if (from !== undefined) {
      const left = (this.#counts.get(from) ?? 0) - 1;
      if (left > 0) this.#counts.set(from, left);
      else this.#counts.delete(from);
    }
    if (to === undefined) {
      this.#bySa.delete(sa);
      return;
    }
    this.#bySa.set(sa, to);
    this.#counts.set(to, (this.#counts.get(to) ?? 0) + 1);
  }
}
