// Where our SAs lead: what comes from there goes before what strangers send.
import type { IpAddress, SaCommand } from '#sa';

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
          this.#move(`${command.sa.protocol} ${command.sa.spi}`, command.sa.remote);
        break;
      case 'update-addresses':
        if (command.direction === 'inbound')
          this.#move(`${command.protocol} ${command.spi}`, command.remote.address);
        break;
      case 'remove':
        if (command.direction === 'inbound') this.#move(`${command.protocol} ${command.spi}`, undefined);
        break;
    }
  }

  #move(sa: string, to: IpAddress | undefined): void {
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
