// Packets of a peer that somebody has recorded, and what they cost when they come again (RFC 7401 4.1.4, 6.12, 6.13, 6.14).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appendHipSignature, seededRandomness } from '#crypto';
import { address } from '#sa';
import { encodeHipPacket, HipPacketType, writeHipChecksum } from '#wire';
import { hipDefaults } from './configuration.ts';
import { addressesOf } from './host-state.ts';
import { type TestHost, type Transit, TwoHosts } from './testing/two-hosts.ts';

const repetitions = 1_000;

/** Both have said something, and all of it was recorded. */
function recorded(): { readonly hosts: TwoHosts; readonly seen: Map<string, Transit[]> } {
  const hosts = new TwoHosts().connect();
  hosts.sendEsp(hosts.moon);
  const seen = new Map<string, Transit[]>();
  for (let i = 0; i < 3; i++) {
    command(hosts, hosts.moon, 'check');
    hosts.settle(recorder(seen));
  }
  return { hosts, seen };
}

function recorder(seen: Map<string, Transit[]>): (transit: Transit, type: string) => boolean {
  return (transit, type) => {
    const key = `${transit.from} ${type}`;
    seen.set(key, [...(seen.get(key) ?? []), transit]);
    return true;
  };
}

function command(hosts: TwoHosts, host: TestHost, kind: 'check' | 'close' | 'rekey'): void {
  const remote = hosts.other(host).hit;
  const what = { kind, local: host.hit, remote, reason: 'a test' } as const;
  host.give(hosts.now, { kind: 'command', command: what });
}

/** How many signatures a host makes when this comes a thousand times. */
function signaturesFor(hosts: TwoHosts, transit: Transit): number {
  const to = hosts.other(transit.from === 'moon' ? hosts.moon : hosts.sun);
  const before = to.signatures;
  for (let i = 0; i < repetitions; i++) hosts.deliver(transit);
  return to.signatures - before;
}

describe('a recorded packet', () => {
  test('that was the last UPDATE gets the answer that it had', () => {
    const { hosts, seen } = recorded();
    assert.equal(signaturesFor(hosts, seen.get('moon UPDATE')!.at(-1)!), 0);
    assert.equal(hosts.sun.sent.length, repetitions);
  });

  test('that is an older UPDATE is acknowledged a few times, and not a thousand', () => {
    const { hosts, seen } = recorded();
    assert.equal(signaturesFor(hosts, seen.get('moon UPDATE')![0]!), 16);
    assert.equal(hosts.sun.sent.length, 16);
  });

  test('that acknowledges an UPDATE of long ago is no sign of life', () => {
    const { hosts, seen } = recorded();
    const { moon, sun } = hosts;
    const [acknowledgement] = seen.get('sun UPDATE')!;
    for (let i = 0; i < 20; i++) {
      hosts.wait(hipDefaults.unusedMs / 10, () => false);
      hosts.deliver(acknowledgement!);
    }
    assert.equal(moon.state(sun.hit), 'CLOSING');
  });

  test('that acknowledges an UPDATE of long ago does not keep a host from calling a peer that is silent', () => {
    const { hosts, seen } = recorded();
    const { moon, sun } = hosts;
    const [acknowledgement] = seen.get('sun UPDATE')!;
    command(hosts, moon, 'check');
    for (let i = 0; i < 600 && moon.eventsOf('silent').length === 0; i++) hosts.wait(100, () => false);
    const attempt = (): string | undefined => moon.host.statusWith(sun.hit)[0]?.attempt;
    assert.equal(attempt(), 'I1-SENT');
    hosts.deliver(acknowledgement!);
    assert.equal(moon.rejections.at(-1), 'UPDATE repeated');
    assert.equal(attempt(), 'I1-SENT');
  });

  test('that is a CLOSE gets the CLOSE_ACK that it had, and keeps nothing longer', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    const seen = new Map<string, Transit[]>();
    command(hosts, moon, 'close');
    hosts.settle(recorder(seen));
    const [close] = seen.get('moon CLOSE')!;
    assert.equal(signaturesFor(hosts, close!), 0);
    assert.equal(sun.sent.length, repetitions);
    const { unusedMs, segmentLifetimeMs } = hipDefaults;
    for (let i = 0; i < 20; i++) {
      hosts.wait((unusedMs + 2 * segmentLifetimeMs) / 10);
      hosts.deliver(close!);
    }
    assert.equal(sun.state(moon.hit), 'UNASSOCIATED');
  });
});

describe('a recorded packet from an address that is not its sender’s', () => {
  const victim = { address: address('203.0.113.9'), port: 0 };

  /** How many packets somebody there gets when this comes a thousand times from there. */
  function packetsTo(hosts: TwoHosts, transit: Transit): number {
    const path = { ...transit.path, local: victim };
    const octets = transit.octets.slice();
    writeHipChecksum(octets, addressesOf(victim.address, path.remote.address));
    for (let i = 0; i < repetitions; i++) hosts.deliver({ ...transit, path, octets });
    return hosts.sun.sent.length;
  }

  test('that is an UPDATE has few packets sent there', () => {
    const { hosts, seen } = recorded();
    assert.equal(packetsTo(hosts, seen.get('moon UPDATE')!.at(-1)!), 16);
  });

  for (const key of ['p256-b', 'rsa-a'] as const)
    test(`gets nothing that is longer than itself, of a host with a key like ${key}`, () => {
      const hosts = new TwoHosts({ sun: { key } }).connect();
      const { moon, sun } = hosts;
      const seen = new Map<string, Transit[]>();
      hosts.sendEsp(moon);
      command(hosts, moon, 'check');
      hosts.settle(recorder(seen));
      command(hosts, moon, 'rekey');
      hosts.settle(recorder(seen));
      const [check, rekey, end] = seen.get('moon UPDATE')!;
      const [, answer] = seen.get('sun UPDATE')!;
      // It acknowledges besides, and is as long but for that and the signature.
      assert.ok(answer!.octets.length > rekey!.octets.length);
      for (const transit of [check, rekey, end]) {
        sun.sent.length = 0;
        hosts.now += 60_000;
        packetsTo(hosts, transit!);
        for (const { octets } of sun.sent) assert.ok(octets.length <= transit!.octets.length);
      }
      assert.equal(sun.state(moon.hit), 'ESTABLISHED');
    });

  test('that is a CLOSE has none sent there', () => {
    const hosts = new TwoHosts().connect();
    const seen = new Map<string, Transit[]>();
    command(hosts, hosts.moon, 'close');
    hosts.settle(recorder(seen));
    assert.equal(packetsTo(hosts, seen.get('moon CLOSE')![0]!), 0);
  });
});

test('NOTIFY is read a few times a second, for nothing else than its signature proves it', () => {
  const { hosts } = recorded();
  const { moon, sun } = hosts;
  const { identity } = moon;
  const path = { local: moon.endpoint, remote: sun.endpoint };
  const bare = encodeHipPacket({
    header: { packetType: HipPacketType.NOTIFY, anonymous: false, sender: moon.hit, receiver: sun.hit },
    parameters: [{ type: 'NOTIFICATION', notifyType: 16_384, data: new Uint8Array() }],
  });
  const octets = appendHipSignature(bare, identity.key, seededRandomness(Uint8Array.of(1)));
  writeHipChecksum(octets, addressesOf(moon.address, sun.address));
  for (let i = 0; i < repetitions; i++) hosts.deliver({ from: 'moon', path, octets });
  assert.equal(sun.eventsOf('notified').length, 16);
  assert.equal(sun.rejections.filter((one) => one === 'NOTIFY rate').length, repetitions - 16);
  hosts.now += 60_000;
  hosts.deliver({ from: 'moon', path, octets });
  assert.equal(sun.eventsOf('notified').length, 17);
});
