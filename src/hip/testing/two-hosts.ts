// Two HIP hosts, each of which knows the other.
import assert from 'node:assert/strict';
import type { Spi } from '#sa';
import { hipDefaults } from '../configuration.ts';
import { testIdentity } from './identities.ts';
import { addresses, type HostChange, TestHost } from './test-host.ts';
import { TestNetwork } from './test-network.ts';

export { decodeTransit, TestHost, type Transit, typeOf } from './test-host.ts';

export class TwoHosts extends TestNetwork {
  readonly moon: TestHost;
  readonly sun: TestHost;
  readonly hosts: readonly TestHost[];

  constructor(changes: { readonly moon?: HostChange; readonly sun?: HostChange } = {}) {
    super();
    const identities = {
      moon: testIdentity(changes.moon?.key ?? 'p256-a'),
      sun: testIdentity(changes.sun?.key ?? 'p256-b'),
    };
    const host = (name: 'moon' | 'sun'): TestHost => {
      const other = name === 'moon' ? 'sun' : 'moon';
      return new TestHost(name, identities[name], {
        ...hipDefaults,
        identities: [identities[name]],
        peers: [{ name: other, hit: identities[other].identity.hit, addresses: [addresses[other]] }],
        ...changes[name]?.configuration,
      });
    };
    this.moon = host('moon');
    this.sun = host('sun');
    this.hosts = [this.moon, this.sun];
  }

  /** Two hosts of which moon has the greater HIT, or the smaller one. */
  static ofOrder(
    moonIsGreater: boolean,
    changes: { readonly moon?: HostChange; readonly sun?: HostChange } = {},
  ): TwoHosts {
    const hosts = new TwoHosts(changes);
    if (hosts.moon.hit > hosts.sun.hit === moonIsGreater) return hosts;
    return new TwoHosts({
      moon: { ...changes.moon, key: 'p256-b' },
      sun: { ...changes.sun, key: 'p256-a' },
    });
  }

  other(host: TestHost): TestHost {
    return host === this.moon ? this.sun : this.moon;
  }

  call(from: TestHost = this.moon, reason = 'a test'): void {
    const to = this.other(from);
    const path = { local: from.endpoint, remote: to.endpoint };
    from.give(this.now, { kind: 'command', command: { kind: 'associate', remote: to.hit, path, reason } });
  }

  connect(): this {
    this.call();
    this.settle();
    assert.equal(this.moon.state(this.sun.hit), 'ESTABLISHED');
    assert.equal(this.sun.state(this.moon.hit), 'R2-SENT');
    this.assertKeysAgree();
    return this;
  }

  /** Each host can receive what the other sends, and takes it for what it is. */
  assertKeysAgree(): void {
    for (const from of [this.moon, this.sun]) {
      const to = this.other(from);
      for (const spi of from.using.values()) {
        const outbound = from.outbound.get(spi);
        if (outbound === undefined) continue;
        const inbound = to.inbound.get(spi);
        assert.ok(inbound !== undefined, `${to.name} cannot receive on ${spi}`);
        assert.deepEqual(inbound.encryption, outbound.encryption);
        assert.deepEqual(inbound.integrity, outbound.integrity);
        assert.deepEqual(inbound.selectors.local, outbound.selectors.remote);
        assert.deepEqual(inbound.selectors.remote, outbound.selectors.local);
        assert.equal(inbound.mode, 'beet');
      }
    }
  }

  /** ESP by the SA in use arrives: the data plane of the other end tells of the first packet of an SA. */
  sendEsp(from: TestHost): void {
    const [childId, spi] = [...from.using].at(-1) ?? [];
    assert.ok(childId !== undefined && spi !== undefined);
    const to = this.other(from);
    const sa = to.inbound.get(spi);
    if (sa === undefined) return;
    const event = { kind: 'first-inbound', protocol: 'esp', spi: spi as Spi, childId: sa.childId } as const;
    to.give(this.now, { kind: 'data-plane', event });
  }
}
