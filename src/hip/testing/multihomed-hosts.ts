// Two hosts with two addresses each, on two links that can be cut.
import { address, type IpAddress } from '#sa';
import { type HipParameterOf, hipParameter } from '#wire';
import type { HipConfiguration } from '../configuration.ts';
import { decodeTransit, type TestHost, type Transit, TwoHosts } from './two-hosts.ts';

/** By host: the first address is that of the base exchange. */
export const links = {
  IPv4: {
    moon: ['192.0.2.1', '198.51.100.1'],
    sun: ['192.0.2.2', '198.51.100.2'],
  },
  /** The second link has IPv6 alone. */
  mixed: {
    moon: ['192.0.2.1', '2001:db8::1'],
    sun: ['192.0.2.2', '2001:db8::2'],
  },
} as const;

export interface MultihomedOptions {
  readonly on?: keyof typeof links;
  readonly moon?: Partial<HipConfiguration>;
  readonly sun?: Partial<HipConfiguration>;
  /** Has but one address, and names none. */
  readonly single?: 'moon' | 'sun';
}

export class MultihomedHosts extends TwoHosts {
  readonly places: Readonly<Record<'moon' | 'sun', readonly IpAddress[]>>;
  /** Nothing goes between these addresses. */
  readonly #cut = new Set<string>();

  constructor({ on = 'IPv4', moon, sun, single }: MultihomedOptions = {}) {
    const places = {
      moon: links[on].moon.map(address).slice(0, single === 'moon' ? 1 : 2),
      sun: links[on].sun.map(address).slice(0, single === 'sun' ? 1 : 2),
    };
    const of = (name: 'moon' | 'sun', more: Partial<HipConfiguration> = {}) => ({
      configuration: { ...(single === name ? {} : { addresses: places[name] }), ...more },
    });
    super({ moon: of('moon', moon), sun: of('sun', sun) });
    this.places = places;
    for (const host of [this.moon, this.sun])
      for (const one of places[host.name as 'moon' | 'sun'].slice(1)) host.further.add(one);
  }

  /** 0 is the link of the base exchange. Addresses of different links never reach each other once this is called. */
  cut(link: 0 | 1): void {
    const [moon, sun] = [this.places.moon, this.places.sun];
    for (const [i, one] of moon.entries())
      for (const [j, other] of sun.entries())
        if (i === link || j === link || i !== j) this.#cut.add(`${one} ${other}`).add(`${other} ${one}`);
  }

  mend(): void {
    this.#cut.clear();
  }

  /** For `settle` and `wait`. */
  readonly links = ({ path }: Transit): boolean =>
    !this.#cut.has(`${path.local.address} ${path.remote.address}`);

  /** Traffic goes out and comes in along the SAs in use, told as the data plane tells it, for so long. */
  talk(ms: number, stepMs = 50): number {
    const end = this.now + ms;
    let silentMs = 0;
    while (this.now < end) {
      let heard = true;
      for (const from of [this.moon, this.sun]) {
        const [spi] = [...from.using.values()].slice(-1);
        const sa = from.outbound.get(spi!);
        if (sa === undefined) continue;
        const childId = [...from.using.keys()].at(-1)!;
        from.give(this.now, { kind: 'traffic', childId, lastOutboundAt: this.now });
        const to = this.other(from);
        const arrives = !this.#cut.has(`${sa.local} ${sa.remote}`) && isAt(to, sa.remote);
        if (arrives) {
          const theirs = to.inbound.get(spi!)!.childId;
          to.give(this.now, { kind: 'traffic', childId: theirs, lastInboundAt: this.now });
        } else heard = false;
      }
      if (!heard) silentMs += stepMs;
      this.wait(stepMs, this.links);
    }
    return silentMs;
  }

  /** By address: what a host knows of those of the other. */
  known(host: TestHost): Record<string, string> {
    const [status] = host.host.status();
    return Object.fromEntries(
      (status?.locators ?? []).map(({ address: one, state, preferred }) => [
        one,
        preferred ? `${state} preferred` : state,
      ]),
    );
  }

  way(host: TestHost): readonly [IpAddress, IpAddress] {
    const { local, remote } = host.host.status()[0]!.path;
    return [local.address, remote.address];
  }
}

function isAt({ address: one, further }: TestHost, where: IpAddress): boolean {
  return one === where || further.has(where);
}

export function locatorSetOf(transit: Transit): HipParameterOf<'LOCATOR_SET'> | undefined {
  return hipParameter(decodeTransit(transit).parameters, 'LOCATOR_SET');
}
