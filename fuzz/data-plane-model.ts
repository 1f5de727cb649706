// What a data plane knows of the SAs that it was told of: it refuses what it must, and an engine never tells it nonsense.
import type { SaCommand, SaDirection, SaResult, Spi } from '#sa';

interface NameOfSa {
  readonly protocol: string;
  readonly direction: SaDirection;
  readonly spi: Spi;
  readonly childId: number;
}

export class DataPlaneModel {
  /** Names of SAs, and the address at which an outbound one has its SPI to itself. */
  readonly #installed = new Map<string, string>();
  /** What was refused, until it is removed: nobody may use it. */
  readonly #refused = new Set<string>();
  readonly #policies = new Map<number, number | undefined>();
  /** Pairs that send to another address than before, and that address, since this was emptied. */
  readonly moved: { readonly childId: number; readonly to: string }[] = [];
  readonly #broken: (promise: string) => never;

  constructor(broken: (promise: string) => never) {
    this.#broken = broken;
  }

  get sas(): readonly string[] {
    return [...this.#installed.keys()];
  }

  get policies(): readonly number[] {
    return [...this.#policies.keys()];
  }

  /** Of one pair, and its policy. */
  ofChild(childId: number): readonly string[] {
    const own = this.sas.filter((name) => name.endsWith(` of ${childId}`));
    return [...own, ...(this.#policies.has(childId) ? ['policy'] : [])].sort();
  }

  apply(command: SaCommand): SaResult {
    switch (command.kind) {
      case 'install': {
        const { sa } = command;
        return this.#install(sa, sa.remote);
      }
      case 'use-outbound':
        return this.#known({ ...command, direction: 'outbound' }, 'is to send');
      case 'extend-reservation':
        return this.#known(command, 'gets numbers');
      case 'update-addresses': {
        const result = this.#known(command, 'moves');
        return result.ok ? this.#move(command, command.remote.address) : result;
      }
      case 'remove': {
        const name = nameOf(command);
        if (!this.#installed.delete(name) && !this.#refused.delete(name)) {
          this.#broken(`what is removed was installed: ${name}`);
        }
        return { ok: true };
      }
      case 'install-policy':
        this.#policies.set(command.policy.policyId, command.policy.childId);
        return { ok: true };
      case 'remove-policy':
        if (!this.#policies.delete(command.policyId)) this.#broken('a policy that is removed was installed');
        return { ok: true };
    }
  }

  #install(sa: NameOfSa, remote: string): SaResult {
    const name = nameOf(sa);
    const place = placeOf(sa, remote);
    if ([...this.#installed.values()].includes(place)) {
      // A peer may name an SPI twice; ours are our own choice.
      if (sa.direction === 'inbound') this.#broken(`an SPI of ours is given out once: ${name}`);
      if (!this.#installed.has(name)) this.#refused.add(name);
      return { ok: false, code: 'exists', detail: 'the outbound SPI is taken' };
    }
    this.#installed.set(name, place);
    return { ok: true };
  }

  #move(sa: NameOfSa, remote: string): SaResult {
    const name = nameOf(sa);
    const place = placeOf(sa, remote);
    const taken = [...this.#installed].some(([other, at]) => other !== name && at === place);
    if (taken) return { ok: false, code: 'exists', detail: 'the outbound SPI is taken at the new address' };
    if (sa.direction === 'outbound' && this.#installed.get(name) !== place)
      this.moved.push({ childId: sa.childId, to: remote });
    this.#installed.set(name, place);
    return { ok: true };
  }

  #known(sa: NameOfSa, what: string): SaResult {
    const name = nameOf(sa);
    if (this.#installed.has(name)) return { ok: true };
    if (!this.#refused.has(name)) this.#broken(`what ${what} was installed: ${name}`);
    return { ok: false, code: 'missing', detail: 'there is no such SA' };
  }
}

function nameOf({ direction, protocol, spi, childId }: NameOfSa): string {
  return `${direction} ${protocol} ${spi} of ${childId}`;
}

/** RFC 4301 4.1: an inbound SA is found by its SPI, an outbound one is the peer's at its address. */
function placeOf({ direction, protocol, spi }: NameOfSa, remote: string): string {
  return direction === 'inbound' ? `inbound ${protocol} ${spi}` : `outbound ${protocol} ${spi} ${remote}`;
}
