// A second IKE SA beside a silent one: which of the two stands in the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connection } from '../testing/connections.ts';
import { responderOnly, sendsInVain, standing } from './testing/seen.ts';
import { type Datagram, established, type HostChange, TwoHosts } from './testing/two-hosts.ts';

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

test('an answer of the old IKE SA does not cancel the attempt if that one is about to be deleted', () => {
  const hosts = new TwoHosts({ moon: { connection: { reauthTimeMs: 3_500 } } });
  hosts.connect();
  const [old] = established(hosts.moon);
  hosts.wait(2_000);
  hosts.moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
  // The rekeying is lost until it is time to authenticate anew, and so is the beginning of the attempt.
  hosts.wait(4_000, ({ octets }) => hosts.now > 3_600 && octets[18] !== 34);
  hosts.wait(10_000);
  const [fresh, ...others] = established(hosts.moon);
  assert.ok(fresh !== undefined && fresh !== old);
  assert.deepEqual(others, []);
  assert.deepEqual(standing(hosts.sun), standing(hosts.moon));
  assert.equal(hosts.moon.inbound.size, 1);
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

test('what is on its way through an IKE SA of which the peer has two is still received', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  hosts.moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
  const isLost = ({ octets }: Datagram): boolean => octets[18] === 36 && established(hosts.sun).length < 2;
  const answered = (): boolean => hosts.moon.eventsOf('recovery').some(({ step }) => step === 'answered');
  for (let i = 0; i < 500 && !answered(); i++) hosts.wait(10, (datagram) => !isLost(datagram));
  assert.ok(answered());
  hosts.wait(900);
  assert.equal(hosts.moon.inbound.size, 2);
  assert.equal(hosts.sun.inbound.size, 2);
  hosts.wait(200);
  assert.equal(hosts.moon.inbound.size, 1);
  assert.equal(hosts.sun.inbound.size, 1);
  assert.deepEqual(standing(hosts.sun), standing(hosts.moon));
});

test('an IKE SA that was made while another one was silent, and lost its Child SA, does not replace the one that has it', () => {
  const hosts = new TwoHosts();
  hosts.connect();
  hosts.moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
  let refused = 0;
  hosts.sun.refuses = () => refused++ === 0;
  const answered = (): boolean => hosts.moon.eventsOf('recovery').some(({ step }) => step === 'answered');
  const isLost = ({ octets }: Datagram): boolean => octets[18] === 36 && established(hosts.sun).length < 2;
  for (let i = 0; i < 500 && !answered(); i++) hosts.wait(10, (datagram) => !isLost(datagram));
  assert.ok(answered());
  hosts.wait(60_000);
  for (const host of [hosts.moon, hosts.sun]) {
    const [child, ...others] = host.engine.status().ikeSas.flatMap((ike) => ike.children);
    assert.equal(child?.outboundInUse, true, host.name);
    assert.deepEqual(others, [], host.name);
  }
});

test('a child that is taken down while an attempt brings it up stays down', () => {
  for (const authenticating of [true, false]) {
    const hosts = new TwoHosts();
    hosts.connect();
    hosts.moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
    const step = authenticating ? 35 : 34;
    const isLost = ({ from, octets }: Datagram): boolean =>
      octets[18] === 36 || (octets[18] === step && from === 'sun');
    const called = (): boolean => hosts.moon.eventsOf('recovery').some(({ step }) => step === 'calling');
    for (let i = 0; i < 500 && !called(); i++) hosts.wait(10, (datagram) => !isLost(datagram));
    assert.ok(called());
    hosts.settle((datagram) => !isLost(datagram));
    hosts.moon.give(hosts.now, { kind: 'command', id: 3, command: { kind: 'terminate', child: 'net' } });
    hosts.wait(60_000);
    for (const host of [hosts.moon, hosts.sun]) {
      const children = host.engine.status().ikeSas.flatMap((ike) => ike.children);
      assert.deepEqual(children, [], `${authenticating}`);
      assert.equal(host.inbound.size, 0);
    }
    hosts.moon.give(hosts.now, { kind: 'command', id: 4, command: { kind: 'initiate', child: 'net' } });
    hosts.settle();
    assert.equal(hosts.moon.inbound.size, 1, 'until it is wanted again');
  }
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
