// A NAT in front of the Initiator that gives it another port or address, of which neither host is told (RFC 7401 4.1.4, 6.8 8).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, type Endpoint } from '#sa';
import { hipParameterOctets, writeHipChecksum } from '#wire';
import { hipDefaults } from './configuration.ts';
import { addressesOf } from './host-state.ts';
import { type Transit, TwoHosts } from './testing/two-hosts.ts';

const { baseMs } = hipDefaults.retransmission;

const before: Endpoint = { address: address('203.0.113.1'), port: 40_001 };
const changes: readonly (readonly [string, Endpoint])[] = [
  ['port', { ...before, port: 40_002 }],
  ['address', { address: address('203.0.113.2'), port: 40_001 }],
];

/** Moon is behind a NAT, and calls sun in UDP. */
class BehindNat extends TwoHosts {
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

for (const [what, after] of changes)
  describe(`a NAT that changes the ${what}`, () => {
    for (const type of ['R1', 'I2', 'R2'] as const)
      test(`while ${type} is on its way does not end the exchange`, () => {
        const hosts = new BehindNat().callInUdp();
        const { moon, sun } = hosts;
        hosts.wait(2 * baseMs, (_, sent) => {
          if (sent === type) hosts.outside = after;
          return true;
        });
        assert.equal(moon.state(sun.hit), 'ESTABLISHED');
        // Whoever repeats an I2 has proven nothing of where he is.
        assert.equal(sun.eventsOf('established').length, type === 'R2' ? 2 : 1);
        assert.deepEqual([moon.spis.size, sun.spis.size], [1, 1]);
        assert.deepEqual(hosts.wayToMoon, after);
        assert.deepEqual(hosts.espToMoon, after);
        hosts.assertKeysAgree();
      });
  });

// RFC 7401 5.2.15: HIP_SIGNATURE_2 covers neither Opaque, behind two octets of PUZZLE, nor #I, its end.
for (const [what, at] of [
  ['Opaque', 6],
  ['#I', -1],
] as const)
  test(`an R1 whose ${what} somebody has made up costs one repetition, not the exchange`, () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    hosts.call();
    hosts.deliver(hosts.take(moon));
    const r1 = hosts.take(sun);
    const { octets, path } = r1;
    const forged = octets.slice();
    const puzzle = hipParameterOctets(forged, 'PUZZLE')!;
    puzzle[(at + puzzle.length) % puzzle.length]! ^= 1;
    writeHipChecksum(forged, addressesOf(path.local.address, path.remote.address));
    hosts.deliver({ ...r1, octets: forged });
    hosts.deliver(r1);
    hosts.settle();
    assert.deepEqual([moon.rejections, sun.rejections], [['R1 repeated'], ['I2 stale-puzzle']]);
    hosts.wait(baseMs);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    assert.equal(moon.spis.size, 1);
    hosts.assertKeysAgree();
  });
