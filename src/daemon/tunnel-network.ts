// Keeps the kernel's routes and addresses in step with the Child SAs, one change after the other.
import { networkInterfaces } from 'node:os';
import type { EngineEvent } from '#engine';
import type { TunNetwork } from '#linux';
import { type IpAddress, isIpv6, matchesSelectors, type Prefix, parseAddress, prefixesOfRange } from '#sa';
import { runUpdown, type UpdownOccasion } from './updown.ts';

type ChildEvent = Extract<EngineEvent, { kind: 'child-up' | 'child-down' }>;
type TrapEvent = Extract<EngineEvent, { kind: 'trap-set' | 'trap-removed' }>;

/** Where it tells what it did for a Child SA. */
export interface TunnelNetworkListener {
  /** What could not be done. */
  problem(child: string, text: string): void;
  /** What an updown script printed. */
  scriptLine(child: string, text: string): void;
}

export class TunnelNetwork {
  readonly #network: TunNetwork | undefined;
  readonly #device: string;
  readonly #listener: TunnelNetworkListener;
  #last: Promise<void> = Promise.resolve();

  /** @param network absent: there is no device to route to; updown scripts still run */
  constructor(network: TunNetwork | undefined, device: string, listener: TunnelNetworkListener) {
    this.#network = network;
    this.#device = device;
    this.#listener = listener;
  }

  /** Queues what an event asks for. */
  follow(event: EngineEvent): void {
    switch (event.kind) {
      case 'child-up':
      case 'child-down':
        this.#queue(event.child.name, () => this.#apply(event));
        break;
      case 'trap-set':
      case 'trap-removed':
        this.#queue(event.child.name, () => this.#routeTrap(event));
        break;
      default:
        break;
    }
  }

  #queue(child: string, work: () => Promise<void>): void {
    this.#last = this.#last
      .then(work)
      .catch((error: unknown) =>
        this.#listener.problem(child, error instanceof Error ? error.message : String(error)),
      );
  }

  /** Waits for everything that was asked for until now. */
  settled(): Promise<void> {
    return this.#last;
  }

  /** Waits for everything queued, then removes the rules. */
  async close(): Promise<void> {
    await this.settled();
    await this.#network?.close();
  }

  async #apply(event: ChildEvent): Promise<void> {
    const { context, child, configuration } = event;
    const direction = event.kind === 'child-up' ? 'up' : 'down';
    if (this.#network !== undefined && configuration.policies && child.mode === 'tunnel') {
      if (direction === 'up') await this.#routeUp(this.#network, event);
      else await this.#routeDown(this.#network, event);
    }
    if (configuration.updown === undefined) return;
    const occasion: UpdownOccasion = {
      direction,
      context,
      child,
      interfaceName: this.#device,
    };
    const say = (line: string): void => this.#listener.scriptLine(child.name, line);
    const problem = await runUpdown(configuration.updown, occasion, say);
    if (problem !== undefined) this.#listener.problem(child.name, problem);
  }

  /** Packets must come to the data plane before they can be held and ask for an SA. */
  async #routeTrap({ kind, child, selectors }: TrapEvent): Promise<void> {
    const network = this.#network;
    if (network === undefined || !child.policies || child.mode !== 'tunnel') return;
    for (const prefix of destinations(selectors.remote)) {
      if (kind === 'trap-removed') await network.removeRoute(prefix);
      else {
        const source = () => ownAddressWithin(selectors.local, isIpv6(prefix.address), []);
        await network.addRoute(prefix, source);
      }
    }
  }

  async #routeUp(network: TunNetwork, { context, child }: ChildEvent): Promise<void> {
    for (const address of context.virtualAddresses) await network.addAddress(address);
    // At once: the peer may send as soon as it has our answer, and what it sends wants a way back.
    await Promise.all(
      destinations(child.remote).map((prefix) => {
        const source = () => ownAddressWithin(child.local, isIpv6(prefix.address), context.virtualAddresses);
        return network.addRoute(prefix, source);
      }),
    );
  }

  async #routeDown(network: TunNetwork, { context, child }: ChildEvent): Promise<void> {
    for (const prefix of destinations(child.remote)) await network.removeRoute(prefix);
    for (const address of context.virtualAddresses) await network.removeAddress(address);
  }
}

function destinations(remote: ChildEvent['child']['remote']): Prefix[] {
  const unique = new Map<string, Prefix>();
  for (const { start, end } of remote) {
    for (const prefix of prefixesOfRange(start, end))
      unique.set(`${prefix.address}/${prefix.length}`, prefix);
  }
  return [...unique.values()];
}

/** Packets of this machine itself need a source address that the tunnel's selectors allow. */
function ownAddressWithin(
  local: ChildEvent['child']['local'],
  ipv6: boolean,
  virtualAddresses: readonly IpAddress[],
): IpAddress | undefined {
  const own = Object.values(networkInterfaces())
    .flat()
    .flatMap((one) => (one === undefined ? [] : (parseAddress(one.address) ?? [])));
  return [...virtualAddresses, ...own].find(
    (address) =>
      isIpv6(address) === ipv6 &&
      local.some((selector) =>
        matchesSelectors([{ ...selector, protocol: 0, startPort: 0, endPort: 65535 }], {
          address,
          protocol: 0,
          port: 0,
        }),
      ),
  );
}
