// Traffic or checks that stay unanswered: when a second IKE SA begins, and when not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { invalidIkeSpi } from '#unknown-spi';
import { addresses } from '../testing/connections.ts';
import { responderOnly, sendsInVain } from './testing/seen.ts';
import { type Datagram, established, type HostChange, TwoHosts } from './testing/two-hosts.ts';

test('a peer that knows none of this: silence starts a second IKE SA beside the first, and traffic moves to it', () => {
  const silent: HostChange = {
    ...responderOnly,
    unknownSpi: { policy: 'silent', quickCrashDetection: false },
  };
  const hosts = new TwoHosts({ moon: { connection: { dpdDelayMs: 5_000 } }, sun: silent });
  hosts.connect();
  const [old] = established(hosts.moon);
  hosts.restart(hosts.sun);
  hosts.wait(6_500);
  const steps = hosts.moon.eventsOf('recovery').map(({ rung, step }) => `${rung} ${step}`);
  assert.deepEqual(steps, ['silence parallel', 'silence calling', 'silence stands', 'silence moved']);
  assert.equal(established(hosts.sun).length, 1);
  // The old one still receives, behind the new one, until its own tries are spent.
  assert.ok(established(hosts.moon).includes(old!));
  const priorities = [...hosts.moon.policies.values()].map(({ priority }) => priority);
  assert.equal(priorities.length, 2);
  assert.equal(priorities[0], priorities[1]! + 1);
  hosts.wait(60_000);
  assert.equal(established(hosts.moon).length, 1);
  assert.notEqual(established(hosts.moon)[0], old);
  assert.equal(established(hosts.sun).length, 1);
});

test('traffic that is not answered starts a check, and a second IKE SA a few round trips later', () => {
  const silent: HostChange = {
    ...responderOnly,
    unknownSpi: { policy: 'silent', quickCrashDetection: false },
  };
  const hosts = new TwoHosts({ sun: silent });
  hosts.connect();
  hosts.restart(hosts.sun);
  for (const at of [10, 100, 200]) {
    hosts.now = at;
    sendsInVain(hosts);
    assert.deepEqual(hosts.moon.sent, []);
  }
  hosts.now = 300;
  sendsInVain(hosts);
  assert.equal(hosts.moon.sent.length, 1);
  hosts.wait(200);
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ step }) => step),
    ['checking', 'parallel', 'calling', 'stands', 'moved'],
  );
  assert.equal(established(hosts.sun).length, 1);
});

test('deadlines are whole milliseconds, whatever the round trips before were', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  for (const rttMs of [121, 122, 60]) {
    hosts.moon.give(hosts.now, { kind: 'command', id: rttMs, command: { kind: 'rekey', child: 'net' } });
    hosts.now += rttMs;
    hosts.settle();
  }
  const heardAt = hosts.now;
  for (const afterMs of [10, 200, 400, 600, 800]) {
    hosts.now = heardAt + afterMs;
    sendsInVain(hosts);
  }
  assert.equal(hosts.moon.eventsOf('recovery')[0]?.step, 'checking');
  assert.equal(Number.isInteger(hosts.moon.engine.deadline()), true);
});

test('a first packet after a long rest is not silence yet', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  hosts.now = 60_000;
  sendsInVain(hosts);
  assert.deepEqual(hosts.moon.sent, []);
  hosts.now = 60_300;
  sendsInVain(hosts);
  assert.equal(hosts.moon.sent.length, 1);
});

test('traffic that flows one way only costs a check per window, and no second IKE SA', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  let checks = 0;
  for (let at = 250; at < 600_000; at += 250) {
    hosts.now = at;
    sendsInVain(hosts);
    checks += hosts.moon.sent.length;
    hosts.settle();
  }
  assert.ok(checks > 1 && checks <= 12, `${checks} checks in ten minutes`);
  assert.deepEqual(new Set(hosts.moon.eventsOf('recovery').map(({ step }) => step)), new Set(['checking']));
});

test('a dead peer costs one attempt per back-off step', () => {
  const hosts = new TwoHosts({ moon: { connection: { dpdDelayMs: 5_000 } } });
  hosts.connect();
  hosts.wait(120_000, () => false);
  const calls = hosts.moon.eventsOf('recovery').filter(({ step }) => step === 'parallel');
  assert.equal(calls.length, 1);
  assert.deepEqual(established(hosts.moon), []);
});

test('a dead peer under traffic costs the retransmissions of RFC 7296 and one attempt per back-off step, no packet more', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const sent = { ofOld: 0, ofAttempts: 0 };
  const [old] = hosts.moon.engine.status().ikeSas;
  // Nothing arrives; our traffic goes on, and is told of five times a second.
  const lose = ({ from, octets }: Datagram): boolean => {
    if (from !== 'moon') return false;
    const marker = octets[0] === 0 && octets[1] === 0 && octets[2] === 0 && octets[3] === 0 ? 4 : 0;
    const initiatorSpi = octets.subarray(marker, marker + 8);
    const hex = [...initiatorSpi].map((octet) => octet.toString(16).padStart(2, '0')).join('');
    if (hex === old!.initiatorSpi) sent.ofOld++;
    else sent.ofAttempts++;
    return false;
  };
  for (let at = 200; at <= 60_000; at += 200) {
    hosts.wait(at - hosts.now, lose);
    sendsInVain(hosts);
  }
  const { tries } = hosts.moon.configuration.connections[0]!.retransmit;
  assert.equal(sent.ofOld, 1 + tries);
  const attempts = hosts.moon.eventsOf('recovery').filter(({ step }) => step === 'parallel').length;
  assert.equal(attempts, 1);
  assert.equal(sent.ofAttempts, attempts * (1 + tries));
  assert.deepEqual(established(hosts.moon), []);
});

test('a flow of which every second packet is answered is no silence, and a lost answer to a check moves nothing', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  let lost = 0;
  for (let at = 200; at < 120_000; at += 200) {
    // Half of what comes in is lost: of the traffic, and of the answers to our checks.
    hosts.wait(at - hosts.now, ({ from }) => from === 'moon' || ++lost % 2 === 0);
    const lastInboundAt = hosts.now - (hosts.now % 400);
    hosts.moon.give(hosts.now, {
      kind: 'traffic',
      notes: [{ childId: 1, lastInboundAt, lastOutboundAt: hosts.now }],
    });
  }
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ step }) => step),
    [],
  );
  assert.equal(established(hosts.moon).length, 1);
  assert.equal(established(hosts.sun).length, 1);
});

test('no second IKE SA is begun while protected traffic comes in, whatever is said or lost', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  hosts.moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
  for (let at = 200; at <= 4_000; at += 200) {
    hosts.wait(at - hosts.now, () => false);
    const { childId } = hosts.moon.engine.status().ikeSas[0]!.children[0]!;
    hosts.moon.give(hosts.now, {
      kind: 'traffic',
      notes: [{ childId, lastInboundAt: hosts.now - 10, lastOutboundAt: hosts.now }],
    });
  }
  const { initiatorSpi, responderSpi } = hosts.moon.engine.status().ikeSas[0]!;
  const version = { majorVersion: 2, minorVersion: 0, higherVersion: false };
  const request = { initiatorSpi, responderSpi, ...version, initiator: true, response: false };
  hosts.receive(hosts.moon, {
    local: { address: addresses.sun, port: 500 },
    remote: { address: addresses.moon, port: 500 },
    octets: invalidIkeSpi({ ...request, exchangeType: 36, messageId: 2 }, []),
  });
  assert.equal(hosts.moon.eventsOf('hint')[0]?.outcome, 'probe-outstanding');
  assert.deepEqual(hosts.moon.eventsOf('recovery'), []);
  hosts.wait(30_000);
  assert.equal(established(hosts.moon).length, 1);
});

// RFC 4555 3.5
for (const [lost, told] of [
  [true, [[addresses.moon], []]],
  // It may send from addresses that it does not list.
  [false, [['198.51.100.7'], []]],
  [false, [[addresses.moon], [], [addresses.moon]]],
] as const) {
  test(`an IKE SA that may move, of whose host is told ${JSON.stringify(told)}: silence ${lost ? 'is not' : 'may be'} the fault of its peer`, () => {
    const hosts = new TwoHosts({
      moon: { connection: { mobike: true } },
      sun: { connection: { ...responderOnly.connection, mobike: true } },
    });
    hosts.connect();
    for (const own of told) {
      const command = { kind: 'own-addresses' as const, own: new Set(own.map(address)) };
      hosts.moon.give(hosts.now, { kind: 'command', id: 100, command });
    }
    for (const at of [1_000, 1_100, 1_200, 1_300, 1_400]) {
      hosts.now = at;
      sendsInVain(hosts);
    }
    hosts.wait(1_000);
    const steps = hosts.moon.eventsOf('recovery').map(({ step }) => step);
    assert.deepEqual(steps.slice(0, 1), lost ? [] : ['checking']);
  });
}
