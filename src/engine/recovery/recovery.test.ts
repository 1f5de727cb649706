// What two hosts do when one of them forgets, message by message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalidIkeSpi, invalidMajorVersion, unprotectedInvalidSpi } from '#unknown-spi';
import { decodeIkeMessage, type IkeMessage, type NotifyPayload, NotifyType, zeroIkeSpi } from '#wire';
import { addresses, connection } from '../testing/connections.ts';
import { type Datagram, established, type HostChange, type TestHost, TwoHosts } from './testing/two-hosts.ts';

const responderOnly: HostChange = { connection: { remoteAddresses: [{ kind: 'any' }] } };

function notifyTypes(message: IkeMessage): number[] {
  return message.payloads
    .filter((payload): payload is NotifyPayload => payload.type === 'N')
    .map(({ notifyType }) => notifyType);
}

/** Initiator's SPIs of the IKE SAs that stand. */
function standing({ engine }: TestHost): string[] {
  return engine
    .status()
    .ikeSas.filter(({ phase }) => phase === 'established')
    .map(({ initiatorSpi }) => initiatorSpi);
}

/** The only datagram that waits to be delivered. */
function only(host: TestHost): Datagram {
  assert.equal(host.sent.length, 1);
  return host.sent.shift()!;
}

test('sun forgets; the first ESP packet is answered with a token, and moon calls at once: three round trips', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  const [before] = established(hosts.moon);
  hosts.restart(hosts.sun);
  hosts.sendEsp(hosts.moon);

  const [told] = hosts.sun.sent;
  const message = decodeIkeMessage(told!.octets);
  assert.deepEqual(notifyTypes(message), [NotifyType.INVALID_SPI, NotifyType.QUICK_CRASH_DETECTION]);
  assert.deepEqual([message.header.initiator, message.header.response], [true, false]);
  const [seen] = hosts.sun.eventsOf('unknown-spi');
  assert.equal(seen?.verdict.reason, 'history-with-tokens');
  assert.equal(seen?.outcome, 'sent');
  assert.equal(seen?.owner?.connection, 'gateway');

  hosts.settle();
  const [after] = established(hosts.moon);
  assert.notEqual(after, before);
  assert.equal(established(hosts.moon).length, 1);
  assert.equal(established(hosts.sun).length, 1);
  assert.deepEqual(
    hosts.moon.eventsOf('hint').map(({ hint, outcome }) => [hint, outcome]),
    [['token', 'proven']],
  );
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ rung, step }) => [rung, step]),
    [
      ['token', 'calling'],
      ['token', 'stands'],
    ],
  );
  // Nothing of the forgotten IKE SA is left, and nothing was said about it.
  assert.equal(hosts.moon.inbound.size, 1);
  hosts.sendEsp(hosts.moon);
  assert.equal(hosts.sun.eventsOf('unknown-spi').length, 1);
});

test('whoever asks why hears the incident from its beginning, in order', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  const [spi] = [...hosts.moon.outbound.keys()];
  hosts.now = 1_000;
  hosts.restart(hosts.sun);
  hosts.sendEsp(hosts.moon);
  hosts.settle();
  const ofSun = hosts.sun.engine.why(spi!);
  assert.equal(ofSun.live, false);
  assert.equal(ofSun.bootEpoch, 2);
  assert.equal(ofSun.owner?.remoteIdentity, 'moon.example.org');
  assert.deepEqual(ofSun.owner?.ended, { atMs: hosts.wallClockMs + 1_000, why: 'our-restart' });
  assert.deepEqual(
    ofSun.incidents.map(({ reason }) => reason),
    ['restart waiting', 'notify-unprotected history-with-tokens sent', 'restart stands'],
  );
  assert.deepEqual(
    ofSun.successors.map(({ child, ended }) => [child, ended]),
    [['net', undefined]],
  );
  const ofMoon = hosts.moon.engine.why('last');
  assert.deepEqual(
    ofMoon.incidents.map(({ reason }) => reason),
    ['token proven', 'token calling', 'token stands'],
  );
  assert.equal(hosts.sun.engine.why([...hosts.sun.inbound.keys()][0]!).live, true);
  assert.deepEqual(hosts.sun.engine.why(4711).incidents, []);
});

test('a token is proof from any address', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  hosts.restart(hosts.sun);
  hosts.sendEsp(hosts.moon);
  const told = only(hosts.sun);
  hosts.receive(hosts.moon, { ...told, local: { ...told.local, address: addresses.moon, port: 7 } });
  assert.equal(hosts.moon.eventsOf('hint')[0]?.outcome, 'proven');
});

test('a liveness check of a forgotten IKE SA is answered with INVALID_IKE_SPI and a token, fields copied', () => {
  const hosts = new TwoHosts({ moon: { connection: { dpdDelayMs: 5_000 } }, sun: responderOnly });
  hosts.connect();
  hosts.restart(hosts.sun);
  hosts.now = 5_000;
  hosts.moon.give(hosts.now, { kind: 'timeout' });
  const check = only(hosts.moon);
  const request = decodeIkeMessage(check.octets).header;
  hosts.receive(hosts.sun, check);
  const answer = only(hosts.sun);
  const message = decodeIkeMessage(answer.octets);
  assert.deepEqual(notifyTypes(message), [NotifyType.INVALID_IKE_SPI, NotifyType.QUICK_CRASH_DETECTION]);
  assert.deepEqual(message.header, { ...request, initiator: !request.initiator, response: true });
  assert.ok(answer.octets.length <= check.octets.length, 'no octet more than came');
  hosts.receive(hosts.moon, answer);
  hosts.settle();
  assert.equal(hosts.moon.eventsOf('recovery')[0]?.rung, 'token');
  assert.equal(established(hosts.sun).length, 1);
});

test('both sides give a token in IKE_AUTH, and again when the IKE SA is rekeyed', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  const received = (host: TestHost): number =>
    host
      .eventsOf('ike')
      .filter(
        ({ event }) =>
          event.kind === 'notify-received' &&
          event.notify.notifyType === NotifyType.QUICK_CRASH_DETECTION &&
          event.notify.protocolId === 1,
      ).length;
  assert.deepEqual([received(hosts.moon), received(hosts.sun)], [1, 1]);
  hosts.moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'rekey', connection: 'gateway' } });
  hosts.wait(1_000);
  assert.deepEqual([received(hosts.moon), received(hosts.sun)], [2, 2]);
  // The history follows: the token of a crash after the rekeying is that of the new IKE SA.
  hosts.restart(hosts.sun);
  hosts.sendEsp(hosts.moon);
  hosts.settle();
  assert.equal(hosts.moon.eventsOf('hint').at(-1)?.outcome, 'proven');
  assert.equal(established(hosts.sun).length, 1);
});

test('no token leaves before its secret is durable; then it is given late', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  const slow = new TwoHosts({ sun: responderOnly });
  slow.sun.crash();
  slow.sun.disk.clear();
  slow.sun.crash();
  slow.sun.diskAnswers = false;
  slow.tellTime(slow.sun);
  slow.connect();
  const tokens = slow.moon
    .eventsOf('ike')
    .filter(
      ({ event }) =>
        event.kind === 'notify-received' && event.notify.notifyType === NotifyType.QUICK_CRASH_DETECTION,
    );
  assert.equal(tokens.length, 0);
  // A store that answers late: the ids are counted from 1, and the secrets are the second record.
  for (let id = 1; id <= 3; id++) slow.sun.give(slow.now, { kind: 'stored', id });
  slow.settle();
  assert.equal(
    slow.moon
      .eventsOf('ike')
      .filter(
        ({ event }) =>
          event.kind === 'notify-received' && event.notify.notifyType === NotifyType.QUICK_CRASH_DETECTION,
      ).length,
    1,
  );
  assert.equal(hosts.sun.disk.has('qcd-secrets'), true);
});

test('a token of a living IKE SA cannot be had: neither by a flipped I flag nor from another address', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const [sa] = hosts.moon.engine.status().ikeSas;
  assert.ok(sa !== undefined);
  const { initiatorSpi, responderSpi } = sa;
  const octets = new Uint8Array(200);
  for (const initiator of [true, false]) {
    for (const pair of [
      [initiatorSpi, responderSpi],
      [responderSpi, initiatorSpi],
    ] as const) {
      octets.set(
        invalidIkeSpi(
          {
            initiatorSpi: pair[0],
            responderSpi: pair[1],
            majorVersion: 2,
            minorVersion: 0,
            exchangeType: 37,
            // The maker flips it back.
            initiator: !initiator,
            response: false,
            higherVersion: false,
            messageId: 0,
          },
          [],
        ),
      );
      // A request that looks protected, of 200 octets.
      octets[16] = 46;
      octets[19] = initiator ? 0x08 : 0;
      octets.set([0, 0, 0, 200], 24);
      octets.set([0, 0, 0, 172], 28);
      for (const host of [hosts.moon, hosts.sun]) {
        const local = { address: addresses[hosts.other(host).name], port: 500 };
        const remote = { address: addresses[host.name], port: 500 };
        hosts.receive(host, { local, remote, octets });
        hosts.receive(host, { local: { ...local, address: addresses.moon, port: 9 }, remote, octets });
        assert.deepEqual(host.sent, []);
      }
    }
  }
  assert.equal(established(hosts.moon).length + established(hosts.sun).length, 2);
});

test('INVALID_SPI without a token is a hint: one liveness check per window, from the peer only', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const [spi] = [...hosts.moon.outbound.keys()];
  const hint = (from: keyof typeof addresses | '203.0.113.9', about = spi!): void => {
    const octets = unprotectedInvalidSpi(about, { initiatorSpi: zeroIkeSpi, responderSpi: zeroIkeSpi }, []);
    const address = from === 'sun' || from === 'moon' ? addresses[from] : (from as typeof addresses.sun);
    hosts.receive(hosts.moon, {
      local: { address, port: 500 },
      remote: { address: addresses.moon, port: 500 },
      octets,
    });
  };
  hint('203.0.113.9');
  hint('sun', 4711);
  assert.equal(hosts.moon.sent.length, 0);
  hint('sun');
  assert.equal(hosts.moon.sent.length, 1);
  hosts.settle();
  hint('sun');
  assert.equal(hosts.moon.sent.length, 0);
  assert.deepEqual(
    hosts.moon.eventsOf('hint').map(({ outcome }) => outcome),
    ['spi-of-another-peer', 'no-such-outbound-spi', 'check', 'back-off'],
  );
  hosts.wait(2_000);
  hint('sun');
  assert.equal(hosts.moon.eventsOf('hint').at(-1)?.outcome, 'check');
  hosts.settle();
  assert.equal(established(hosts.moon).length, 1);
});

test('an ICMP error about a packet of ours is a hint; about anything else it is nothing', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const [spi] = [...hosts.moon.outbound.keys()];
  const quote = { source: addresses.moon, destination: addresses.sun };
  for (const quoted of [
    { ...quote, spi: 4711 },
    { ...quote, destination: addresses.moon },
    { ...quote, spi: spi! },
    { ...quote, spi: spi! },
  ]) {
    hosts.moon.give(hosts.now, { kind: 'icmp-error', from: addresses.sun, quote: quoted });
    hosts.settle();
  }
  assert.deepEqual(
    hosts.moon.eventsOf('hint').map(({ hint, outcome }) => `${hint} ${outcome}`),
    ['icmp no-such-outbound-spi', 'icmp not-our-packet', 'icmp check', 'icmp back-off'],
  );
  assert.equal(established(hosts.moon).length, 1);
});

test('a thousand forged hints of every kind change no SA', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const before = JSON.stringify([
    hosts.moon.engine.status().ikeSas[0]?.ikeId,
    [...hosts.moon.inbound.keys()],
  ]);
  const [sa] = hosts.moon.engine.status().ikeSas;
  assert.ok(sa !== undefined);
  const { initiatorSpi, responderSpi } = sa;
  const [spi] = [...hosts.moon.outbound.keys()];
  const request = {
    initiatorSpi,
    responderSpi,
    majorVersion: 2,
    minorVersion: 0,
    exchangeType: 37,
    initiator: true,
    response: false,
    higherVersion: false,
  };
  for (let i = 0; i < 1_000; i++) {
    const token = new Uint8Array(16).fill(i);
    const octets = [
      () => unprotectedInvalidSpi(spi!, { initiatorSpi, responderSpi }, [token]),
      () => invalidIkeSpi({ ...request, messageId: i % 5 }, [token, token, token, token]),
      () => invalidMajorVersion({ ...request, messageId: i % 5 }),
    ][i % 3]!();
    hosts.now += 10;
    hosts.receive(hosts.moon, {
      local: { address: addresses.sun, port: 500 },
      remote: { address: addresses.moon, port: 500 },
      octets,
    });
    hosts.settle();
  }
  const after = JSON.stringify([hosts.moon.engine.status().ikeSas[0]?.ikeId, [...hosts.moon.inbound.keys()]]);
  assert.equal(after, before);
  assert.equal(hosts.moon.engine.status().ikeSas.length, 1);
});

test('a host that restarts calls whom it remembers (rung 2), without INITIAL_CONTACT twice', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  hosts.restart(hosts.moon);
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ rung, step }) => [rung, step]),
    [['restart', 'calling']],
  );
  hosts.settle();
  assert.equal(established(hosts.moon).length, 1);
  // INITIAL_CONTACT told sun that its old IKE SA is gone.
  assert.equal(established(hosts.sun).length, 1);
  const started = hosts.moon.eventsOf('started').at(-1);
  assert.deepEqual([started?.bootEpoch, started?.historyRecords], [2, 1]);
});

test('both restart at once, and one IKE SA or two of both sides stand, never none', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  hosts.restart(hosts.moon);
  hosts.restart(hosts.sun);
  hosts.settle();
  hosts.wait(10_000);
  assert.ok(established(hosts.moon).length >= 1);
  assert.equal(established(hosts.moon).length, established(hosts.sun).length);
});

test('a restarted host whose peer said goodbye before does not call it', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  hosts.sun.give(hosts.now, {
    kind: 'command',
    id: 9,
    command: { kind: 'terminate', connection: 'gateway' },
  });
  hosts.settle();
  hosts.restart(hosts.moon);
  assert.deepEqual(hosts.moon.eventsOf('recovery'), []);
});

test('over a standing IKE SA the peer is told under protection, and replaces the Child SA', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const [outbound] = [...hosts.moon.outbound.keys()];
  // sun's data plane lost an SA that both keep; the allocator no longer holds the SPI.
  const forgotten = 0xdead_beef;
  hosts.sendEsp(hosts.moon, { spi: forgotten });
  assert.equal(hosts.sun.eventsOf('unknown-spi')[0]?.outcome, 'sent-protected');
  hosts.sendEsp(hosts.moon, { spi: forgotten });
  assert.equal(hosts.sun.eventsOf('unknown-spi')[1]?.outcome, 'folded');
  hosts.settle();
  // moon has no such outbound SPI: nothing happens.
  assert.equal(hosts.moon.eventsOf('hint')[0]?.outcome, 'no-such-outbound-spi');
  assert.deepEqual([...hosts.moon.outbound.keys()], [outbound]);
});

test('packets of an SA that was just deleted are late, not lost', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const [spi] = [...hosts.moon.outbound.keys()];
  hosts.sun.give(hosts.now, {
    kind: 'command',
    id: 9,
    command: { kind: 'terminate', connection: 'gateway' },
  });
  hosts.settle();
  hosts.sendEsp(hosts.moon, { spi: spi! });
  assert.equal(hosts.sun.eventsOf('unknown-spi')[0]?.verdict.reason, 'late');
  hosts.now += 10_001;
  hosts.sendEsp(hosts.moon, { spi: spi! });
  assert.equal(hosts.sun.eventsOf('unknown-spi')[1]?.verdict.reason, 'history-with-tokens');
});

test('under a record key the disk shows nothing, and another key opens nothing', () => {
  const recordKey = new Uint8Array(32).fill(5);
  const hosts = new TwoHosts({ sun: { ...responderOnly, recordKey } });
  hosts.connect();
  assert.ok(hosts.sun.disk.size >= 3);
  for (const octets of hosts.sun.disk.values()) {
    const shown = String.fromCharCode(...octets);
    for (const name of ['moon', 'sun', 'gateway']) assert.ok(!shown.includes(name));
  }
  hosts.restart(hosts.sun);
  hosts.sendEsp(hosts.moon);
  hosts.settle();
  assert.equal(hosts.moon.eventsOf('hint')[0]?.outcome, 'proven');
  recordKey.fill(6);
  hosts.restart(hosts.sun);
  const started = hosts.sun.eventsOf('started').at(-1);
  assert.deepEqual(
    [started?.bootEpoch, started?.historyRecords, started?.secretsLost, started!.historyRefused > 0],
    [1, 0, true, true],
  );
});

test('the silent say nothing at all, and a connection may be silent alone', () => {
  for (const change of [
    { unknownSpi: { policy: 'silent' } },
    { connection: { unknownSpiPolicy: 'silent' } },
  ] as const) {
    const hosts = new TwoHosts({ sun: change });
    hosts.connect();
    hosts.restart(hosts.sun);
    hosts.sendEsp(hosts.moon);
    assert.deepEqual(hosts.sun.sent, []);
    assert.equal(hosts.sun.eventsOf('unknown-spi')[0]?.verdict.reason, 'policy');
  }
});

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

test('when the second IKE SA is deleted by the peer, the end of the silent one counts again', () => {
  const silent: HostChange = {
    ...responderOnly,
    unknownSpi: { policy: 'silent', quickCrashDetection: false },
  };
  const [child] = connection('moon').children;
  const children = [{ ...child!, dpdAction: 'restart' as const }];
  const hosts = new TwoHosts({ moon: { connection: { dpdDelayMs: 5_000, children } }, sun: silent });
  hosts.connect();
  hosts.restart(hosts.sun);
  hosts.wait(6_500);
  assert.equal(established(hosts.sun).length, 1);
  hosts.sun.give(hosts.now, {
    kind: 'command',
    id: 2,
    command: { kind: 'terminate', connection: 'gateway' },
  });
  hosts.wait(60_000);
  assert.equal(standing(hosts.moon).length, 1);
  assert.deepEqual(standing(hosts.sun), standing(hosts.moon));
});

test('an answer of the old IKE SA cancels the attempt', () => {
  const hosts = new TwoHosts({ moon: { connection: { dpdDelayMs: 5_000 } } });
  hosts.connect();
  const [old] = established(hosts.moon);
  // The check is lost once, and so is the beginning of the attempt.
  hosts.wait(6_100, ({ octets }) => hosts.now < 5_000 || (octets[18] !== 34 && hosts.now > 5_500));
  hosts.wait(1_000);
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ step }) => step),
    ['parallel', 'calling', 'answered'],
  );
  assert.deepEqual(established(hosts.moon), [old]);
  assert.equal(hosts.moon.engine.status().connecting.length, 0);
});

/** moon's data plane tells that it sent, and has heard nothing since the beginning. */
function sendsInVain(hosts: TwoHosts): void {
  hosts.moon.give(hosts.now, {
    kind: 'traffic',
    notes: [{ childId: 1, lastInboundAt: 0, lastOutboundAt: hosts.now }],
  });
}

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

test('an answer to any request of the old IKE SA cancels the attempt', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const [old] = established(hosts.moon);
  const began = hosts.now;
  hosts.moon.give(began, { kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
  // The rekeying is lost once, and so is the beginning of the attempt.
  hosts.wait(2_000, ({ octets }) => hosts.now > began && octets[18] !== 34);
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ step }) => step),
    ['parallel', 'calling', 'answered'],
  );
  assert.deepEqual(established(hosts.moon), [old]);
  assert.equal(hosts.moon.engine.status().connecting.length, 0);
});

test('an attempt that the peer may know already is not dropped in silence when the old IKE SA answers', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const began = hosts.now;
  hosts.moon.give(began, { kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
  // The rekeying is lost until sun has authenticated the attempt; then it is the answer to the attempt that is lost.
  const isLost = ({ from, octets }: Datagram): boolean =>
    (octets[18] === 36 && established(hosts.sun).length < 2) || (octets[18] === 35 && from === 'sun');
  hosts.wait(4_000, (datagram) => !isLost(datagram));
  assert.equal(established(hosts.sun).length, 2);
  hosts.wait(20_000);
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ step }) => step),
    ['parallel', 'calling', 'stands', 'moved', 'answered'],
  );
  assert.equal(standing(hosts.moon).length, 1);
  assert.deepEqual(standing(hosts.sun), standing(hosts.moon));
  assert.equal(hosts.moon.inbound.size, 1);
  assert.equal(hosts.sun.inbound.size, 1);
});

test('a dead peer costs one attempt per back-off step', () => {
  const hosts = new TwoHosts({ moon: { connection: { dpdDelayMs: 5_000 } } });
  hosts.connect();
  hosts.wait(120_000, () => false);
  const calls = hosts.moon.eventsOf('recovery').filter(({ step }) => step === 'parallel');
  assert.equal(calls.length, 1);
  assert.deepEqual(established(hosts.moon), []);
});

test('a token that comes while an attempt is unheard begins it anew at once, and with the ticket', () => {
  const recordKey = new Uint8Array(32).fill(7);
  const resumption = { ticketLifetimeMs: 3_600_000, freshKeyExchange: false };
  const hosts = new TwoHosts({
    moon: { connection: { resumption } },
    sun: { connection: { ...responderOnly.connection, resumption }, recordKey },
  });
  hosts.connect();
  // sun is down: everything that moon sends is lost, the beginning of its attempt too.
  for (const at of [10, 150, 300]) {
    hosts.now = at;
    sendsInVain(hosts);
  }
  hosts.wait(300, () => false);
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ rung, step }) => `${rung} ${step}`),
    ['silence checking', 'silence parallel', 'silence calling'],
  );
  hosts.restart(hosts.sun);
  hosts.sendEsp(hosts.moon);
  // No time passes: three round trips are enough.
  hosts.settle();
  const events = hosts.moon.eventsOf('ike').map(({ event }) => event.kind);
  assert.ok(events.includes('ike-resumed'));
  assert.equal(established(hosts.moon).length, 1);
  assert.equal(established(hosts.sun).length, 1);
  hosts.wait(60_000);
  assert.equal(established(hosts.moon).length, 1);
});

test('whoever asks why is told the whole course, from the silence until traffic is back, and of no older one', () => {
  const silent: HostChange = {
    ...responderOnly,
    unknownSpi: { policy: 'silent', quickCrashDetection: false },
  };
  const hosts = new TwoHosts({ sun: silent });
  hosts.connect();
  const reasons = (): string[] => hosts.moon.engine.why('last').incidents.map(({ reason }) => reason);
  const whole = [
    'silence checking',
    'silence parallel',
    'silence calling',
    'silence stands',
    'silence moved',
    'silence back',
  ];
  for (const start of [0, 600_000]) {
    hosts.restart(hosts.sun);
    const { childId } = hosts.moon.engine.status().ikeSas.at(-1)!.children[0]!;
    const note = (lastInboundAt: number, about = childId): void =>
      hosts.moon.give(hosts.now, {
        kind: 'traffic',
        notes: [{ childId: about, lastInboundAt, lastOutboundAt: hosts.now }],
      });
    for (const at of [10, 150, 300]) {
      hosts.now = start + at;
      note(start);
    }
    hosts.wait(300);
    const fresh = hosts.moon.engine.status().ikeSas.at(-1)!.children[0]!;
    assert.notEqual(fresh.childId, childId);
    note(hosts.now, fresh.childId);
    assert.deepEqual(reasons(), whole);
    // The old IKE SA spends its tries.
    hosts.wait(300_000);
    assert.equal(established(hosts.moon).length, 1);
    hosts.now = start + 600_000;
  }
  const { incidents, connection } = hosts.moon.engine.why('last');
  assert.equal(connection, 'gateway');
  assert.match(incidents[0]!.detail, /no answer to our traffic for 290 ms \(a round trip takes 0 ms\)/);
  assert.match(incidents.at(-1)!.detail, /traffic comes in again, 590 ms after the first sign/);
});

test('a flow of unknown packets is told in one line, with how many they were', () => {
  const hosts = new TwoHosts({ sun: { ...responderOnly, unknownSpi: { policy: 'silent' } } });
  hosts.connect();
  const [spi] = [...hosts.moon.outbound.keys()];
  hosts.restart(hosts.sun);
  for (let i = 0; i < 1_000; i++) {
    hosts.now += 20;
    hosts.sendEsp(hosts.moon, { spi: spi! });
  }
  const told = hosts.sun.engine.why(spi!).incidents.filter(({ what }) => what === 'verdict');
  assert.deepEqual(
    told.map(({ count, atMs, lastAtMs }) => [count, (lastAtMs ?? atMs) - atMs]),
    [[1_000, 999 * 20]],
  );
});

test('a host that does not call whom it forgot still gives its token', () => {
  const hosts = new TwoHosts({ sun: { unknownSpi: { reestablish: false } } });
  hosts.connect();
  hosts.restart(hosts.sun);
  assert.deepEqual(hosts.sun.eventsOf('connecting'), []);
  hosts.sendEsp(hosts.moon);
  hosts.settle();
  assert.equal(hosts.moon.eventsOf('hint')[0]?.outcome, 'proven');
  assert.deepEqual(hosts.sun.eventsOf('connecting'), []);
  assert.equal(established(hosts.sun).length, 1);
});

test('a peer that restarts and calls by itself is told of too, from its call until traffic is back', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  hosts.now = 1_000;
  hosts.restart(hosts.moon);
  hosts.settle();
  const { childId } = hosts.sun.engine.status().ikeSas[0]!.children[0]!;
  hosts.now = 1_100;
  hosts.sun.give(hosts.now, { kind: 'traffic', notes: [{ childId, lastInboundAt: 1_050 }] });
  const { incidents } = hosts.sun.engine.why('last');
  assert.deepEqual(
    incidents.map(({ reason }) => reason),
    ['peer called', 'peer stands', 'peer back'],
  );
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

test('a Delete whose answer was lost is over once the peer says with its token that it knows the IKE SA no more', () => {
  const [child] = connection('moon').children;
  const children = [{ ...child!, closeAction: 'start' as const, dpdAction: 'restart' as const }];
  const hosts = new TwoHosts({ moon: { connection: { children } }, sun: responderOnly });
  hosts.connect();
  hosts.moon.give(hosts.now, {
    kind: 'command',
    id: 2,
    command: { kind: 'terminate', connection: 'gateway' },
  });
  hosts.settle(({ from }) => from === 'moon');
  assert.deepEqual(established(hosts.sun), []);
  hosts.wait(2_000);
  assert.equal(hosts.moon.eventsOf('hint')[0]?.outcome, 'proven');
  assert.deepEqual(hosts.moon.eventsOf('recovery'), []);
  const [ended] = hosts.moon
    .eventsOf('ike')
    .flatMap(({ event }) => (event.kind === 'ike-ended' ? [event] : []));
  assert.equal(ended?.failure.code, 'deleted-by-us');
  assert.deepEqual(hosts.moon.engine.status().ikeSas, []);
  assert.equal(hosts.moon.engine.status().connecting.length, 0);
});

test('a token for an IKE SA that was silent, and has a successor, ends it and makes no third', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  const [old] = standing(hosts.moon);
  hosts.restart(hosts.sun);
  for (const at of [10, 150, 300]) {
    hosts.now = at;
    sendsInVain(hosts);
  }
  // The check is lost for as long as the attempt takes.
  const moved = (): boolean => hosts.moon.eventsOf('recovery').some(({ step }) => step === 'moved');
  hosts.wait(300, ({ octets }) => octets[18] !== 37 || moved());
  assert.equal(moved(), true);
  hosts.wait(2_000);
  assert.equal(hosts.moon.eventsOf('hint')[0]?.outcome, 'proven');
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ rung, step }) => `${rung} ${step}`),
    ['silence checking', 'silence parallel', 'silence calling', 'silence stands', 'silence moved'],
  );
  assert.equal(standing(hosts.moon).length, 1);
  assert.ok(!standing(hosts.moon).includes(old!));
  assert.deepEqual(standing(hosts.sun), standing(hosts.moon));
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

test('a fresh request of the peer on the old IKE SA cancels the attempt as an answer does', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  hosts.moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
  hosts.wait(1_500, ({ from }) => from === 'sun');
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ step }) => step),
    ['parallel', 'calling'],
  );
  hosts.sun.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'rekey', connection: 'gateway' } });
  hosts.settle(({ from }) => from === 'sun');
  assert.equal(hosts.moon.eventsOf('recovery').at(-1)?.step, 'answered');
  assert.equal(hosts.moon.engine.status().connecting.length, 0);
  hosts.wait(60_000);
  assert.equal(standing(hosts.moon).length, 1);
  assert.deepEqual(standing(hosts.sun), standing(hosts.moon));
});

test('one of two IKE SAs goes when the silent one answers, also if either was rekeyed in the meantime', () => {
  for (const rekeyed of ['old', 'fresh'] as const) {
    const hosts = new TwoHosts();
    hosts.connect();
    const [old] = hosts.moon.engine.status().ikeSas;
    hosts.moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
    const moved = (): boolean => hosts.moon.eventsOf('recovery').some(({ step }) => step === 'moved');
    const isOfOld = ({ octets }: Datagram): boolean =>
      [...octets.subarray(0, 8)].map((octet) => octet.toString(16).padStart(2, '0')).join('') ===
      old!.initiatorSpi;
    for (let i = 0; i < 200 && !moved(); i++) hosts.wait(10, (datagram) => !isOfOld(datagram));
    assert.ok(moved());
    const ikeIds = established(hosts.moon);
    const host = rekeyed === 'old' ? hosts.sun : hosts.moon;
    const ikeId = rekeyed === 'old' ? established(hosts.sun)[0]! : ikeIds.at(-1)!;
    host.give(hosts.now, { kind: 'command', id: 3, command: { kind: 'rekey', ikeId } });
    // Of the old IKE SA only what rekeys it gets through at once, the rest when it is repeated.
    hosts.settle((datagram) => rekeyed === 'old' || !isOfOld(datagram));
    hosts.wait(60_000);
    assert.equal(standing(hosts.moon).length, 1, rekeyed);
    assert.deepEqual(standing(hosts.sun), standing(hosts.moon), rekeyed);
    assert.equal(hosts.moon.inbound.size, 1, rekeyed);
  }
});

/** Its host sends no INITIAL_CONTACT, and keeps no ticket: what it had before stays with its peer. */
const forgetful: HostChange = { connection: { unique: 'never' } };

test('a protected INVALID_SPI about another IKE SA of the same peer replaces that Child SA, once in a while', () => {
  const hosts = new TwoHosts({ moon: forgetful, sun: forgetful });
  hosts.connect();
  const [old] = established(hosts.moon);
  const [spi] = [...hosts.moon.outbound.keys()];
  hosts.now = 1_000;
  hosts.restart(hosts.sun);
  hosts.settle();
  assert.equal(established(hosts.moon).length, 2);
  // moon still uses the old Child SA; sun has another IKE SA to say so over.
  hosts.sendEsp(hosts.moon, { spi: spi! });
  assert.equal(hosts.sun.eventsOf('unknown-spi').at(-1)?.outcome, 'sent-protected');
  hosts.settle(({ octets }) => octets[18] !== 36);
  assert.deepEqual(
    hosts.moon.eventsOf('hint').map(({ protected: under, outcome, ikeId }) => [under, outcome, ikeId]),
    [[true, 'replacing-child', old]],
  );
  hosts.wait(1_500, ({ octets }) => octets[18] === 37);
  hosts.sendEsp(hosts.moon, { spi: spi! });
  hosts.settle(({ octets }) => octets[18] === 37);
  assert.equal(hosts.moon.eventsOf('hint').length, 2);
  assert.notEqual(hosts.moon.eventsOf('hint').at(-1)?.outcome, 'replacing-child');
  // What asks to replace it learns that the whole IKE SA is unknown there; the other carries the traffic.
  hosts.wait(3_000);
  assert.equal(hosts.moon.eventsOf('hint').at(-1)?.outcome, 'proven');
  assert.equal(established(hosts.moon).length, 1);
  assert.deepEqual(standing(hosts.sun), standing(hosts.moon));
  assert.ok(!established(hosts.moon).includes(old!));
});

test('a peer says nothing about the Child SAs of another peer', () => {
  const anyPeer = { ...connection('moon').remote, identity: { kind: 'any' as const } };
  const hosts = new TwoHosts({ moon: { connection: { unique: 'never', remote: anyPeer } }, sun: forgetful });
  hosts.connect();
  const [spi] = [...hosts.moon.outbound.keys()];
  const before = [...hosts.moon.outbound.keys()];
  const identity = {
    idType: 2,
    data: Uint8Array.from('venus.example.org', (letter) => letter.charCodeAt(0)),
  };
  hosts.restart(hosts.sun, {
    connection: { unique: 'never', local: { ...connection('sun').local, identity } },
  });
  hosts.settle();
  assert.equal(established(hosts.moon).length, 2);
  hosts.sendEsp(hosts.moon, { spi: spi! });
  assert.equal(hosts.sun.eventsOf('unknown-spi').at(-1)?.outcome, 'sent-protected');
  hosts.settle();
  assert.deepEqual(
    hosts.moon.eventsOf('hint').map(({ outcome }) => outcome),
    ['no-such-outbound-spi'],
  );
  assert.ok(before.every((one) => hosts.moon.outbound.has(one)));
});

test('an attempt that is cancelled does not cut off the story of the recovery before it', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  hosts.restart(hosts.sun);
  hosts.sendEsp(hosts.moon);
  hosts.settle();
  // The fresh IKE SA stands, and before any traffic a request on it is answered late.
  hosts.moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
  hosts.wait(1_500, () => false);
  hosts.wait(2_000, ({ octets }) => octets[18] !== 34);
  const { childId } = hosts.moon.engine.status().ikeSas.at(-1)!.children[0]!;
  hosts.moon.give(hosts.now, {
    kind: 'traffic',
    notes: [{ childId, lastInboundAt: hosts.now, lastOutboundAt: hosts.now }],
  });
  assert.deepEqual(
    hosts.moon.eventsOf('recovery').map(({ rung, step }) => `${rung} ${step}`),
    [
      ...['token calling', 'token stands'],
      ...['silence parallel', 'silence calling', 'silence answered'],
      'token back',
    ],
  );
});
