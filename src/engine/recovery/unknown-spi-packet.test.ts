// What a host says that has forgotten, message by message: tokens, and who gets none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { invalidIkeSpi, SpiHistory, unprotectedInvalidSpi } from '#unknown-spi';
import { decodeIkeMessage, type IkeMessage, type NotifyPayload, NotifyType } from '#wire';
import { addresses } from '../testing/connections.ts';
import { only, responderOnly } from './testing/seen.ts';
import { established, type TestHost, TwoHosts } from './testing/two-hosts.ts';

function notifyTypes(message: IkeMessage): number[] {
  return message.payloads
    .filter((payload): payload is NotifyPayload => payload.type === 'N')
    .map(({ notifyType }) => notifyType);
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

test('a token is proof from any address', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  hosts.restart(hosts.sun);
  hosts.sendEsp(hosts.moon);
  const told = only(hosts.sun);
  hosts.receive(hosts.moon, { ...told, local: { ...told.local, address: addresses.moon, port: 7 } });
  assert.equal(hosts.moon.eventsOf('hint')[0]?.outcome, 'proven');
});

test('a child that was asked for when the peer turned out to have forgotten the IKE SA comes up on a fresh one', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  const { moon, sun } = hosts;
  const told = (id: number, kind: 'initiate' | 'terminate'): unknown => {
    moon.give(hosts.now, { kind: 'command', id, command: { kind, child: 'net' } });
    hosts.settle();
    return moon.answers.get(id);
  };
  assert.deepEqual(told(2, 'terminate'), { ok: true, count: 1 });
  hosts.restart(sun);
  assert.deepEqual(told(3, 'initiate'), { ok: true, count: 1 });
  assert.equal(moon.eventsOf('hint').at(-1)?.outcome, 'proven');
  assert.deepEqual([established(moon).length, established(sun).length], [1, 1]);
  assert.equal(moon.inbound.size, 1);
});

// RFC 6290 8.1
test('a token is believed although somebody who sees our SPIs sends false ones, in the name of the peer and of thousands of others', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  const { moon, sun } = hosts;
  const [sa] = moon.engine.status().ikeSas;
  const [spi] = [...moon.outbound.keys()];
  assert.ok(sa !== undefined && spi !== undefined);
  const forged = unprotectedInvalidSpi(spi, sa, [new Uint8Array(16).fill(1)]);
  const forge = (source: string): void => {
    const local = { address: address(source), port: 500 };
    hosts.receive(moon, { local, remote: { address: addresses.moon, port: 500 }, octets: forged });
    hosts.settle();
  };
  for (let i = 0; i < 30_000; i++) {
    hosts.now += 5;
    if (i % 10 === 0) forge(addresses.sun);
    forge(`203.0.${(i >>> 8) & 0x0f}.${i & 0xff}`);
  }
  hosts.restart(sun);
  hosts.sendEsp(moon);
  const told = sun.sent.find(({ remote }) => remote.address === addresses.moon);
  assert.ok(told !== undefined);
  hosts.receive(moon, told);
  assert.equal(moon.eventsOf('hint').at(-1)?.outcome, 'proven');
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

test('the peer is told of an SPI that was ours although strangers make up others in its name', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const { moon, sun } = hosts;
  const [lost] = [...moon.outbound.keys()];
  assert.ok(lost !== undefined);
  sun.give(hosts.now, { kind: 'command', id: 9, command: { kind: 'terminate', connection: 'gateway' } });
  hosts.settle();
  hosts.connect();
  let told = 0;
  for (let i = 0; i < 600; i++) {
    hosts.now += 250;
    hosts.sendEsp(moon, { spi: 0x7000_0000 + i });
    if (sun.eventsOf('unknown-spi').at(-1)?.outcome === 'sent-protected') told++;
    hosts.settle();
  }
  assert.ok(told > 1 && told < 12, `${told} times`);
  hosts.sendEsp(moon, { spi: lost });
  assert.equal(sun.eventsOf('unknown-spi').at(-1)?.outcome, 'sent-protected');
  hosts.settle();
  // Who has seen it can repeat it, and is not answered each time either.
  hosts.sendEsp(moon, { spi: lost });
  assert.equal(sun.eventsOf('unknown-spi').at(-1)?.outcome, 'folded');
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

test('a clock that is set back does not make them late for ever', () => {
  const hosts = new TwoHosts({ sun: responderOnly });
  hosts.connect();
  const [spi] = hosts.moon.outbound.keys();
  hosts.sun.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'terminate', child: 'net' } });
  hosts.settle();
  hosts.now += 60_000;
  hosts.sun.give(hosts.now, { kind: 'wall-clock', wallClockMs: hosts.wallClockMs - 86_400_000 });
  hosts.sendEsp(hosts.moon, { spi: spi! });
  assert.equal(hosts.sun.eventsOf('unknown-spi')[0]?.verdict.reason, 'ike-sa-stands');
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

test('a packet with an SPI of former times makes a host look only at what the history has of its connection', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  const { moon, sun } = hosts;
  const [spi] = [...moon.outbound.keys()];
  hosts.restart(sun);
  // What sun calls on its own is lost, to its end.
  hosts.wait(400_000, () => false);
  const all = SpiHistory.prototype.all;
  let looks = 0;
  SpiHistory.prototype.all = function (this: SpiHistory) {
    looks++;
    return all.call(this);
  };
  try {
    hosts.sendEsp(moon, { spi: spi! });
  } finally {
    SpiHistory.prototype.all = all;
  }
  const verdict = sun.eventsOf('unknown-spi').at(-1)?.verdict;
  assert.ok(verdict !== undefined && 'reestablish' in verdict && verdict.reestablish);
  assert.equal(looks, 0);
});
