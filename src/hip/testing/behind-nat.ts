// Two hosts in UDP, and a NAT in front of one of them.
import { address, type Endpoint } from '#sa';
import { type Transit, TwoHosts } from './two-hosts.ts';

/** As which sun sees moon at first. */
export const before: Endpoint = { address: address('203.0.113.1'), port: 40_001 };
/** Moon is behind a NAT, and calls sun in UDP. */
export class BehindNat extends TwoHosts {
  /** As which sun sees moon. What was sent to another one is lost. */
  outside: Endpoint = before;

  callInUdp(): this {
    const [local, remote] = [this.moon.endpoint, this.sun.endpoint].map((one) => ({ ...one, port: 10_500 }));
    const path = { local: local!, remote: remote! };
    const command = { kind: 'associate', remote: this.sun.hit, path, reason: 'a test' } as const;
    this.moon.give(this.now, { kind: 'command', command });
    return this;
  }

  override deliver(transit: Transit): void {
    const { local, remote } = transit.path;
    if (transit.from === 'moon') super.deliver({ ...transit, path: { local: this.outside, remote } });
    else if (remote.address === this.outside.address && remote.port === this.outside.port)
      super.deliver({ ...transit, path: { local, remote: { ...this.moon.endpoint, port: 10_500 } } });
  }

  get wayToMoon(): Endpoint | undefined {
    return this.sun.host.status()[0]?.path.remote;
  }

  get espToMoon(): Endpoint | undefined {
    const [sa] = this.sun.outbound.values();
    return sa && { address: sa.remote, port: sa.encapsulation?.remotePort ?? 0 };
  }
}
