// Two hosts and the wire between them, in virtual time: each datagram can be delivered, dropped, held or reordered by hand.
import assert from 'node:assert/strict';
import type { Endpoint } from '#sa';
import { addresses, connection, sharedSecret } from './connections.ts';
import { Host, type HostOptions } from './host.ts';

export interface Datagram {
  readonly to: Host;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly octets: Uint8Array;
}

export class Pair {
  readonly moon: Host;
  readonly sun: Host;
  /** In flight, oldest first. */
  readonly wire: Datagram[] = [];
  now = 0;
  /** What a NAT makes of moon's address; `undefined`: there is none. */
  natAddress: Endpoint['address'] | undefined;
  natPortOffset = 20_000;

  constructor(options: { readonly moon?: Partial<HostOptions>; readonly sun?: Partial<HostOptions> } = {}) {
    const host = (name: keyof typeof addresses): Host =>
      new Host({
        name,
        endpoint: { address: addresses[name], port: 500 },
        connections: [connection(name)],
        credentials: sharedSecret('correct horse battery staple'),
        seed: `${name}'s randomness`,
        ...options[name],
      });
    this.moon = host('moon');
    this.sun = host('sun');
  }

  /** Puts what the hosts want to send on the wire. */
  collect(): void {
    for (const host of [this.moon, this.sun]) {
      for (const { local, remote, octets } of host.drain()) {
        const to = host === this.moon ? this.sun : this.moon;
        this.wire.push({
          to,
          source: this.#outside(host, local),
          destination: this.#inside(to, remote),
          octets,
        });
      }
    }
  }

  #outside(host: Host, source: Endpoint): Endpoint {
    if (host !== this.moon || this.natAddress === undefined) return source;
    return { address: this.natAddress, port: source.port + this.natPortOffset };
  }

  #inside(to: Host, destination: Endpoint): Endpoint {
    if (to !== this.moon || this.natAddress === undefined) return destination;
    return { address: this.moon.endpoint.address, port: destination.port - this.natPortOffset };
  }

  /** Takes the oldest datagram to a host off the wire. */
  take(to: Host): Datagram {
    this.collect();
    const index = this.wire.findIndex((datagram) => datagram.to === to);
    assert.ok(index >= 0, `nothing is on its way to ${to.name}`);
    return this.wire.splice(index, 1)[0]!;
  }

  /** Delivers the oldest datagram to a host, or one that was taken before. */
  deliver(to: Host, datagram: Datagram = this.take(to)): void {
    to.receive(datagram.destination, datagram.source, datagram.octets);
    this.collect();
  }

  drop(to: Host): void {
    this.take(to);
  }

  /** Delivers everything until the wire is empty. */
  settle(): void {
    this.collect();
    for (let count = 0; this.wire.length > 0; count++) {
      assert.ok(count < 1000, 'the hosts never stop talking');
      const datagram = this.wire.shift()!;
      this.deliver(datagram.to, datagram);
    }
  }

  /** Time passes and deadlines fall due; nothing is delivered. */
  wait(durationMs: number): void {
    const end = this.now + durationMs;
    this.collect();
    for (;;) {
      const due = [this.moon.deadline(), this.sun.deadline()].filter((time) => time !== undefined);
      const next = Math.min(end, ...due);
      this.#setTime(Math.max(next, this.now));
      if (due.length === 0 || Math.min(...due) > end) break;
      const before = this.now;
      for (const host of [this.moon, this.sun]) host.wake();
      this.collect();
      assert.ok(this.now >= before && !this.#stuck(), 'a deadline stays in the past after it was handled');
    }
    this.#setTime(end);
  }

  #stuck(): boolean {
    return [this.moon, this.sun].some((host) => {
      const deadline = host.deadline();
      return deadline !== undefined && deadline <= this.now;
    });
  }

  /** Time passes, and whatever is sent arrives at once. */
  run(durationMs: number): void {
    const end = this.now + durationMs;
    this.settle();
    while (this.now < end) {
      const due = [this.moon.deadline(), this.sun.deadline()].filter((time) => time !== undefined);
      this.wait(Math.min(end, ...due) - this.now);
      this.settle();
      if (due.length === 0) this.wait(end - this.now);
    }
  }

  #setTime(time: number): void {
    this.now = time;
    this.moon.now = time;
    this.sun.now = time;
  }

  /** IKE_SA_INIT and IKE_AUTH from moon to sun. */
  establish(): this {
    this.moon.initiate(this.sun.endpoint);
    this.settle();
    assert.equal(this.moon.sa.phase, 'established');
    assert.equal(this.sun.sa.phase, 'established');
    return this;
  }

  /** Every SA that one end sends with exists at the other end with the same keys. */
  assertKeysAgree(): void {
    for (const [from, to] of [
      [this.moon, this.sun],
      [this.sun, this.moon],
    ] as const) {
      for (const outbound of from.sasOf('outbound')) {
        const inbound = to.installed.get(`inbound ${outbound.spi}`);
        assert.ok(inbound, `${to.name} cannot receive on ${outbound.spi}`);
        assert.deepEqual(inbound.encryption, outbound.encryption);
        assert.deepEqual(inbound.integrity, outbound.integrity);
        assert.deepEqual(inbound.selectors.local, outbound.selectors.remote);
        assert.deepEqual(inbound.selectors.remote, outbound.selectors.local);
      }
    }
  }
}
