// An Initiator, a rendezvous server and its client: moon knows of sun no more than its HIT, and that hub will find it.
import assert from 'node:assert/strict';
import { address } from '#sa';
import {
  type HipConfiguration,
  hipDefaults,
  type LocalIdentity,
  type RegistrarConfiguration,
  registrarDefaults,
} from '../configuration.ts';
import type { HipPath } from '../interface.ts';
import { type TestKey, testIdentity } from './identities.ts';
import { addresses, type HostName, TestHost, type Transit, typeOf } from './test-host.ts';
import { TestNetwork } from './test-network.ts';

export interface ThreeHostsOptions {
  readonly registrar?: Partial<RegistrarConfiguration>;
  readonly lifetimeMs?: number;
  readonly hubKey?: TestKey;
  readonly more?: Readonly<Partial<Record<HostName, Partial<HipConfiguration>>>>;
  readonly family?: 'IPv4' | 'IPv6';
  /** In UDP. */
  readonly port?: number;
}

export class ThreeHosts extends TestNetwork {
  readonly moon: TestHost;
  readonly hub: TestHost;
  readonly sun: TestHost;
  readonly hosts: readonly TestHost[];
  readonly port: number;
  readonly identities: Readonly<Record<HostName, LocalIdentity>>;

  constructor(options: ThreeHostsOptions = {}) {
    super();
    const { hubKey = 'p384-a', lifetimeMs = 120_000, registrar, more, family = 'IPv4', port = 0 } = options;
    this.identities = {
      moon: testIdentity('p256-a'),
      hub: testIdentity(hubKey),
      sun: testIdentity('p256-b'),
    };
    this.port = port;
    const at =
      family === 'IPv4'
        ? addresses
        : {
            moon: address('2001:db8::1'),
            sun: address('2001:db8::2'),
            hub: address('2001:db8::3'),
          };
    const peer = (name: HostName, where: HostName | undefined): HipConfiguration['peers'][number] => ({
      name,
      hit: this.identities[name].identity.hit,
      addresses: where === undefined ? [] : [at[where]],
    });
    const peers: Readonly<Record<HostName, HipConfiguration['peers']>> = {
      moon: [peer('hub', 'hub'), { ...peer('sun', 'hub'), rendezvous: { name: 'hub', addresses: [at.hub] } }],
      hub: [peer('moon', undefined), peer('sun', undefined)],
      sun: [{ ...peer('hub', 'hub'), registration: { lifetimeMs } }, peer('moon', undefined)],
    };
    const host = (name: HostName): TestHost => {
      const made = new TestHost(name, this.identities[name], {
        ...hipDefaults,
        identities: [this.identities[name]],
        peers: peers[name],
        ...(name === 'hub' && { registrar: { ...registrarDefaults, ...registrar } }),
        ...more?.[name],
      });
      made.address = at[name];
      return made;
    };
    this.moon = host('moon');
    this.hub = host('hub');
    this.sun = host('sun');
    this.hosts = [this.moon, this.hub, this.sun];
  }

  path(from: TestHost, to: TestHost): HipPath {
    const { port } = this;
    return { local: { address: from.address, port }, remote: { address: to.address, port } };
  }

  /** @param where whoever gets the I1 */
  call(from: TestHost, to: TestHost, where: TestHost = to): void {
    from.give(this.now, {
      kind: 'command',
      command: { kind: 'associate', remote: to.hit, path: this.path(from, where), reason: 'a test' },
    });
  }

  load(host: TestHost, change: Partial<HipConfiguration>): void {
    host.configuration = { ...host.configuration, ...change };
    host.give(this.now, { kind: 'command', command: { kind: 'load', configuration: host.configuration } });
  }

  /** sun is registered with hub. */
  register(): this {
    this.call(this.sun, this.hub);
    this.settle();
    assert.equal(this.registration, 'registered');
    return this;
  }

  /** What sun thinks of its registration. */
  get registration(): string | undefined {
    return this.sun.host.status().find(({ remote }) => remote === this.hub.hit)?.registration?.state;
  }

  /** Whom hub relays to. */
  get clients(): readonly string[] {
    return this.hub.host
      .status()
      .filter(({ client }) => client !== undefined)
      .map(({ peer }) => peer ?? '?');
  }

  /** moon calls sun by way of hub. @returns who sent what to whom */
  callThroughHub(): string[] {
    const seen: string[] = [];
    this.call(this.moon, this.sun, this.hub);
    this.settle((transit) => {
      seen.push(this.story(transit));
      return true;
    });
    return seen;
  }

  story(transit: Transit): string {
    const to = this.hosts.find(({ address: where }) => where === transit.path.remote.address);
    return `${transit.from} ${typeOf(transit)} ${to?.name ?? 'nobody'}`;
  }
}
