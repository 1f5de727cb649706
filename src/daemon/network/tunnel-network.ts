// Keeps the kernel's routes and addresses in step with the Child SAs, one change after the other.
import { networkInterfaces } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EngineEvent, IkeSaStatus } from '#engine';
import type { HipConfiguration } from '#hip';
import { KernelNetwork, monotonicMs, TunNetwork, type TunnelRoutes } from '#linux';
import { type IpAddress, isIpv6, matchesSelectors, type Prefix, parseAddress, prefixesOfRange } from '#sa';
import { HipNetwork } from './hip-network.ts';
import { Settling } from './settling.ts';
import { runUpdown, type UpdownOccasion } from './updown.ts';

/** A router has routes that come and go all day: one in fifty of the time may be spent on the look at ours. */
const restTimes = 49;
/** Before everything else of this process has its turn. */
const restoresPerTurn = 64;

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
  readonly #network: TunnelRoutes | undefined;
  readonly #device: string | undefined;
  readonly #listener: TunnelNetworkListener;
  readonly #hip: HipNetwork | undefined;
  readonly #settling = new Settling(() => this.#queue('routes', () => this.#restore()), { restTimes });
  #last: Promise<void> = Promise.resolve();

  /**
   * @param network absent: there is nothing to route; updown scripts still run
   * @param device absent: packets leave by the device of the outer address
   */
  constructor(
    network: TunnelRoutes | undefined,
    device: string | undefined,
    listener: TunnelNetworkListener,
  ) {
    this.#network = network;
    this.#device = device;
    this.#listener = listener;
    if (network instanceof TunNetwork) this.#hip = new HipNetwork(network, true);
    else if (network instanceof KernelNetwork) this.#hip = new HipNetwork(network, false);
  }

  /** Queues what HIP asks for by its configuration. */
  loadHip(configuration: HipConfiguration | undefined): void {
    this.#queue('hip', () => this.#hip?.load(configuration));
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

  /** The two ends of an IKE SA are elsewhere: where packets leave by the way to the peer, that is another one. */
  moved({ children, mobility, remote, virtualAddresses }: IkeSaStatus): void {
    const network = this.#network;
    if (network === undefined) return;
    const peer = mobility?.tunnel.remote.address ?? remote.address;
    for (const child of children) {
      if (child.mode !== 'tunnel' || child.kernelTies?.outbound.interfaceId !== undefined) continue;
      this.#queue(child.name, () => {
        this.#each(child.name, destinations(child.remote), (prefix) => {
          const source = () => ownAddressWithin(child.local, isIpv6(prefix.address), virtualAddresses);
          network.moveRoute(prefix, source, peer);
        });
      });
    }
  }

  /** Something about devices, addresses or routes is not as it was: routes of ours may have gone with it. */
  addressesChanged(): void {
    this.#settling.changed();
  }

  async #restore(): Promise<void> {
    const at = monotonicMs();
    let done = 0;
    for (const _ of this.#network?.restore() ?? []) if (++done % restoresPerTurn === 0) await nextTurn();
    this.#settling.rest(monotonicMs() - at);
  }

  #queue(child: string, work: () => void | Promise<void>): void {
    this.#last = this.#last.then(work).catch((error: unknown) => this.#problem(child, error));
  }

  /** What the kernel refuses of a tunnel, as IPv6 where it has none, keeps nothing else from it. */
  #each<Item>(child: string, items: Iterable<Item>, work: (item: Item) => void): void {
    for (const item of items) {
      try {
        work(item);
      } catch (error) {
        this.#problem(child, error);
      }
    }
  }

  #problem(child: string, error: unknown): void {
    this.#listener.problem(child, error instanceof Error ? error.message : String(error));
  }

  /** Waits for everything that was asked for until now. */
  settled(): Promise<void> {
    return this.#last;
  }

  /** Waits for everything queued, then removes the rules. */
  async close(): Promise<void> {
    this.#settling.stop();
    await this.settled();
    this.#network?.close();
  }

  async #apply(event: ChildEvent): Promise<void> {
    const { context, child, configuration } = event;
    const direction = event.kind === 'child-up' ? 'up' : 'down';
    // Through an XFRM interface goes what is routed there, which nobody but the operator can know.
    const routed = child.mode === 'tunnel' && child.kernelTies?.outbound.interfaceId === undefined;
    if (this.#network !== undefined && configuration.policies && routed) {
      if (direction === 'up') this.#routeUp(this.#network, event);
      else this.#routeDown(this.#network, event);
    }
    if (configuration.updown === undefined) return;
    const occasion: UpdownOccasion = {
      direction,
      context,
      child,
      interfaceName: this.#device ?? deviceOf(context.local.address),
    };
    const say = (line: string): void => this.#listener.scriptLine(child.name, line);
    const problem = await runUpdown(configuration.updown, occasion, say);
    if (problem !== undefined) this.#listener.problem(child.name, problem);
  }

  /** Packets must come to the data plane before they can be held and ask for an SA. */
  #routeTrap({ kind, child, selectors }: TrapEvent): void {
    const network = this.#network;
    if (network === undefined || !child.policies || child.mode !== 'tunnel') return;
    if (child.kernelTies?.outbound.interfaceId !== undefined) return;
    this.#each(child.name, destinations(selectors.remote), (prefix) => {
      if (kind === 'trap-removed') network.removeRoute(prefix);
      else {
        const source = () => ownAddressWithin(selectors.local, isIpv6(prefix.address), []);
        network.addRoute(prefix, source);
      }
    });
  }

  #routeUp(network: TunnelRoutes, { context, child }: ChildEvent): void {
    this.#each(child.name, context.virtualAddresses, (address) => network.addAddress(address));
    this.#each(child.name, destinations(child.remote), (prefix) => {
      const source = () => ownAddressWithin(child.local, isIpv6(prefix.address), context.virtualAddresses);
      network.addRoute(prefix, source, context.remote.address);
    });
  }

  #routeDown(network: TunnelRoutes, { context, child }: ChildEvent): void {
    this.#each(child.name, destinations(child.remote), (prefix) => network.removeRoute(prefix));
    this.#each(child.name, context.virtualAddresses, (address) => network.removeAddress(address));
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

/** The device that an address of ours is on; empty if there is none. */
function deviceOf(address: IpAddress): string {
  const found = Object.entries(networkInterfaces()).find(([, all]) =>
    all?.some((one) => parseAddress(one.address) === address),
  );
  return found?.[0] ?? '';
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
