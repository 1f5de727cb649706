// A requester and a registrar: asked for in I2 and by UPDATE, granted, refused, kept up, ended (RFC 8003 3, 4, 5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeHipPacket,
  type HipParameterName,
  type HipParameterOf,
  hipParameter,
  RegistrationFailure,
} from '#wire';
import { registrarDefaults } from '../configuration.ts';
import type { TestHost, Transit } from '../testing/test-host.ts';
import { ThreeHosts } from '../testing/three-hosts.ts';
import { registrationLifetimeMs, registrationLifetimeOf } from './lifetime.ts';

function parameterOf<Name extends HipParameterName>(
  { octets }: Transit,
  name: Name,
): HipParameterOf<Name> | undefined {
  const copy = octets.slice();
  copy.fill(0, 4, 6);
  return hipParameter(decodeHipPacket(copy).parameters, name);
}

/** What one packet has of registration. */
function registrationOf(transit: Transit): object | undefined {
  for (const name of ['REG_INFO', 'REG_REQUEST', 'REG_RESPONSE', 'REG_FAILED'] as const) {
    const parameter = parameterOf(transit, name);
    if (parameter !== undefined) return parameter;
  }
  return undefined;
}

function recorded(hosts: ThreeHosts, run: (pass: (transit: Transit) => boolean) => void): [string, object][] {
  const seen: [string, object][] = [];
  run((transit) => {
    const parameter = registrationOf(transit);
    if (parameter !== undefined) seen.push([hosts.story(transit), parameter]);
    return true;
  });
  return seen;
}

const minimumLifetime = registrationLifetimeOf(10_000);
const maximumLifetime = registrationLifetimeOf(60 * 60_000);
const asked = registrationLifetimeOf(120_000);
const offer = { type: 'REG_INFO', minimumLifetime, maximumLifetime, registrationTypes: [1] };

function failure(hosts: ThreeHosts): number | undefined {
  return hosts.sun.host.status().find(({ remote }) => remote === hosts.hub.hit)?.registration?.failure;
}

// RFC 8003 3.1, 3.2, 3.3, 4.2, 4.3, 4.4; RFC 8004 3.2, 4.1
test('R1 offers, I2 asks, R2 grants', () => {
  const hosts = new ThreeHosts();
  const seen = recorded(hosts, (pass) => {
    hosts.call(hosts.sun, hosts.hub);
    hosts.settle(pass);
  });
  assert.deepEqual(seen, [
    ['hub R1 sun', offer],
    ['sun I2 hub', { type: 'REG_REQUEST', lifetime: asked, registrationTypes: [1] }],
    ['hub R2 sun', { type: 'REG_RESPONSE', lifetime: asked, registrationTypes: [1] }],
  ]);
  assert.equal(hosts.registration, 'registered');
  assert.deepEqual(hosts.clients, ['sun']);
  const lifetimeMs = registrationLifetimeMs(asked);
  for (const [host, as] of [
    [hosts.sun, 'requester'],
    [hosts.hub, 'registrar'],
  ] as const) {
    const [event] = host.eventsOf('registered');
    assert.deepEqual([event?.as, event?.lifetimeMs, event?.refreshed], [as, lifetimeMs, false]);
  }
});

test('who does not want to register does not ask, and an R1 without an offer is asked for nothing', () => {
  const hosts = new ThreeHosts();
  hosts.call(hosts.moon, hosts.hub);
  hosts.settle();
  assert.deepEqual(hosts.clients, []);
  const without = new ThreeHosts();
  without.load(without.hub, { registrar: undefined } as never);
  const seen = recorded(without, (pass) => {
    without.call(without.sun, without.hub);
    without.settle(pass);
    without.wait(60_000, pass);
  });
  assert.deepEqual(seen, []);
  assert.equal(without.registration, 'unavailable');
});

// RFC 8003 4.3, 4.4
for (const [lifetimeMs, granted] of [
  [1_000, minimumLifetime],
  [86_400_000, maximumLifetime],
] as const) {
  test(`nobody asks for what is out of bounds: ${lifetimeMs} ms`, () => {
    const hosts = new ThreeHosts({ lifetimeMs });
    const [, request, response] = recorded(hosts, (pass) => {
      hosts.call(hosts.sun, hosts.hub);
      hosts.settle(pass);
    });
    assert.deepEqual(request?.[1], { type: 'REG_REQUEST', lifetime: granted, registrationTypes: [1] });
    assert.deepEqual(response?.[1], { type: 'REG_RESPONSE', lifetime: granted, registrationTypes: [1] });
  });
}

// RFC 8003 3.3, 4.5
test('a host that is not among the clients needs credentials that nobody can have', () => {
  const hosts = new ThreeHosts({ registrar: { clients: [] } });
  hosts.call(hosts.sun, hosts.hub);
  hosts.settle();
  assert.equal(hosts.registration, 'refused');
  assert.equal(failure(hosts), RegistrationFailure.CREDENTIALS_REQUIRED);
  assert.deepEqual(hosts.clients, []);
  // The association stands all the same.
  assert.equal(hosts.sun.state(hosts.hub.hit), 'ESTABLISHED');
});

// RFC 8003 3.1, 4.5
test('without room the offer is empty, who had asked already is refused, and hears when there is room', () => {
  const hosts = new ThreeHosts({ registrar: { registrationsMax: 1 } });
  const { moon, sun, hub } = hosts;
  // Both have an R1 that offers, and one is faster.
  const [server] = moon.configuration.peers;
  hosts.load(moon, { peers: [{ ...server!, registration: { lifetimeMs: 60_000 } }] });
  for (const host of [moon, sun]) hosts.call(host, hub);
  hosts.settle();
  const refusedHost = hosts.clients[0] === 'moon' ? sun : moon;
  const registration = (host: TestHost): string | undefined =>
    host.host.status().find(({ remote }) => remote === hub.hit)?.registration?.state;
  assert.equal(registration(refusedHost), 'refused');
  assert.equal(hosts.clients.length, 1);
  hosts.now += 2_000;
  hub.sent.length = 0;
  // Somebody new is offered nothing.
  const seen = recorded(hosts, (pass) => {
    hosts.call(refusedHost, hub);
    hosts.settle(pass);
  });
  assert.deepEqual(seen, [[`hub R1 ${refusedHost.name}`, { ...offer, registrationTypes: [] }]]);
  assert.equal(registration(refusedHost), 'unavailable');
});

test('a client of a registrar without room keeps its place: after its restart, and after a reload of the registrar', () => {
  const hosts = new ThreeHosts({ registrar: { registrationsMax: 1 }, lifetimeMs: 60_000 }).register();
  const { sun, hub } = hosts;
  sun.crash(hosts.now);
  hosts.now += 2_000;
  hosts.call(sun, hub);
  hosts.settle();
  assert.equal(hosts.registration, 'registered');
  hosts.load(hub, { registrar: { ...hub.configuration.registrar!, lifetimeMsMax: 50_000 } });
  hosts.wait(5 * 60_000);
  assert.equal(hosts.registration, 'registered');
  assert.deepEqual(hosts.clients, ['sun']);
});

test('who was offered nothing for want of room hears of room, too', () => {
  const hosts = new ThreeHosts({ registrar: { registrationsMax: 1 } }).register();
  const { moon, sun, hub } = hosts;
  const [server] = moon.configuration.peers;
  hosts.load(moon, { peers: [{ ...server!, registration: { lifetimeMs: 60_000 } }] });
  hosts.call(moon, hub);
  hosts.settle();
  assert.deepEqual(hosts.clients, ['sun']);
  sun.give(hosts.now, {
    kind: 'command',
    command: { kind: 'close', local: sun.hit, remote: hub.hit, reason: 'a test' },
  });
  hosts.settle();
  assert.deepEqual(hosts.clients, ['moon']);
});

test('a place that is free again is offered to whom it was refused', () => {
  const hosts = new ThreeHosts({ registrar: { registrationsMax: 1 } });
  const { moon, sun, hub } = hosts;
  const [server] = moon.configuration.peers;
  hosts.load(moon, { peers: [{ ...server!, registration: { lifetimeMs: 60_000 } }] });
  for (const host of [moon, sun]) hosts.call(host, hub);
  hosts.settle();
  const [winner] = hosts.clients;
  const first = winner === 'moon' ? moon : sun;
  const second = first === moon ? sun : moon;
  first.give(hosts.now, {
    kind: 'command',
    command: { kind: 'close', local: first.hit, remote: hub.hit, reason: 'a test' },
  });
  const seen = recorded(hosts, (pass) => hosts.settle(pass));
  assert.deepEqual(
    seen.map(([story, { type }]: [string, { type?: string }]) => [story, type]),
    [
      [`hub UPDATE ${second.name}`, 'REG_INFO'],
      [`${second.name} UPDATE hub`, 'REG_REQUEST'],
      [`hub UPDATE ${second.name}`, 'REG_RESPONSE'],
    ],
  );
  assert.deepEqual(hosts.clients, [second.name]);
});

// RFC 8003 5
test('it is refreshed by UPDATE before it ends, for as long as both are there, also without any data', () => {
  const hosts = new ThreeHosts({ lifetimeMs: 60_000 }).register();
  const { sun, hub } = hosts;
  hosts.wait(40 * 60_000);
  assert.equal(hosts.registration, 'registered');
  assert.deepEqual(hosts.clients, ['sun']);
  const refreshed = sun.eventsOf('registered').filter(({ refreshed: again }) => again);
  assert.ok(refreshed.length >= 70, `${refreshed.length}`);
  assert.deepEqual(hub.eventsOf('registration-ended'), []);
  assert.deepEqual(sun.eventsOf('ended'), []);
});

test('a long registration is a use of the association, although nothing is said for longer than it may be unused', () => {
  const hosts = new ThreeHosts({ lifetimeMs: 60 * 60_000 }).register();
  hosts.wait(27 * 60_000);
  assert.deepEqual(
    [hosts.sun, hosts.hub].map((host) => host.eventsOf('ended').length),
    [0, 0],
  );
  assert.deepEqual(hosts.clients, ['sun']);
});

test('a requester that is gone is forgotten when its time has run out, and its association when nobody uses it', () => {
  const hosts = new ThreeHosts().register();
  const { hub } = hosts;
  hosts.wait(registrationLifetimeMs(asked) - 1, ({ from }) => from !== 'sun');
  assert.deepEqual(hosts.clients, ['sun']);
  hosts.wait(2, ({ from }) => from !== 'sun');
  assert.deepEqual(hosts.clients, []);
  assert.deepEqual(
    hub.eventsOf('registration-ended').map(({ as, cause }) => [as, cause]),
    [['registrar', 'expired']],
  );
  hosts.wait(60 * 60_000, ({ from }) => from !== 'sun');
  assert.equal(hub.state(hosts.sun.hit), 'UNASSOCIATED');
});

test('a registrar that does not answer any more is called, and a registration ends when it was to end', () => {
  const hosts = new ThreeHosts().register();
  hosts.wait(10 * 60_000, ({ from }) => from !== 'hub');
  assert.equal(hosts.registration, undefined);
  const [ended] = hosts.sun.eventsOf('registration-ended');
  assert.ok(['expired', 'association'].includes(ended?.cause ?? ''), ended?.cause);
});

test('a registrar that lost its state gets the registration with the association that replaces the old one', () => {
  const hosts = new ThreeHosts({ lifetimeMs: 60_000 }).register();
  hosts.hub.crash(hosts.now);
  assert.deepEqual(hosts.clients, []);
  hosts.wait(60_000);
  assert.deepEqual(hosts.clients, ['sun']);
  assert.equal(hosts.registration, 'registered');
});

test('it does not take all repetitions of a refresh to find that out', () => {
  const hosts = new ThreeHosts({ lifetimeMs: 60_000 }).register();
  const { sun, hub } = hosts;
  hosts.wait(1_000);
  hub.crash(hosts.now);
  const [{ lifetimeMs } = { lifetimeMs: 0 }] = sun.eventsOf('registered');
  hosts.wait(lifetimeMs / 2 + 2_000);
  assert.deepEqual(hosts.clients, ['sun']);
});

test('so does a requester that lost its state: one registration, in place of the old one', () => {
  const hosts = new ThreeHosts().register();
  hosts.sun.crash(hosts.now);
  hosts.call(hosts.sun, hosts.hub);
  hosts.settle();
  assert.deepEqual(hosts.clients, ['sun']);
  assert.deepEqual(
    hosts.hub.eventsOf('registration-ended').map(({ cause }) => cause),
    ['association'],
  );
  hosts.wait(30 * 60_000);
  assert.deepEqual(hosts.clients, ['sun']);
});

// RFC 8003 3.1
test('a registrar that calls itself offers by UPDATE, and is asked by UPDATE', () => {
  const hosts = new ThreeHosts();
  const seen = recorded(hosts, (pass) => {
    hosts.call(hosts.hub, hosts.sun);
    hosts.settle(pass);
  });
  assert.deepEqual(seen, [
    ['hub UPDATE sun', offer],
    ['sun UPDATE hub', { type: 'REG_REQUEST', lifetime: asked, registrationTypes: [1] }],
    ['hub UPDATE sun', { type: 'REG_RESPONSE', lifetime: asked, registrationTypes: [1] }],
  ]);
  assert.equal(hosts.registration, 'registered');
});

// RFC 8003 5
test('a reload of the requester cancels with a lifetime of zero, and asks again', () => {
  const hosts = new ThreeHosts().register();
  const { sun } = hosts;
  const { peers } = sun.configuration;
  const cancelled = recorded(hosts, (pass) => {
    hosts.load(sun, { peers: peers.map(({ registration: _, ...peer }) => peer) });
    hosts.settle(pass);
  });
  assert.deepEqual(cancelled, [
    ['sun UPDATE hub', { type: 'REG_REQUEST', lifetime: 0, registrationTypes: [1] }],
    ['hub UPDATE sun', { type: 'REG_RESPONSE', lifetime: 0, registrationTypes: [1] }],
  ]);
  assert.deepEqual(hosts.clients, []);
  assert.equal(hosts.registration, undefined);
  hosts.load(sun, { peers });
  hosts.settle();
  assert.deepEqual(hosts.clients, ['sun']);
  assert.equal(hosts.registration, 'registered');
});

test('a reload of the registrar withdraws with a lifetime of zero, and offers again', () => {
  const hosts = new ThreeHosts().register();
  const { hub } = hosts;
  const withdrawn = recorded(hosts, (pass) => {
    hosts.load(hub, { registrar: undefined } as never);
    hosts.settle(pass);
  });
  const nothing = { type: 'REG_INFO', minimumLifetime: 0, maximumLifetime: 0, registrationTypes: [] };
  assert.deepEqual(withdrawn, [['hub UPDATE sun', nothing]]);
  assert.equal(hosts.registration, 'unavailable');
  assert.deepEqual(hosts.clients, []);
  assert.deepEqual(
    hosts.sun.eventsOf('registration-ended').map(({ cause }) => cause),
    ['withdrawn'],
  );
  hosts.wait(60_000);
  assert.equal(hosts.registration, 'unavailable');
  hosts.load(hub, { registrar: registrarDefaults });
  hosts.settle();
  assert.equal(hosts.registration, 'registered');
});

test('a client that may not be one any longer is told so, and others are not', () => {
  const hosts = new ThreeHosts().register();
  const { hub, moon } = hosts;
  hosts.load(hub, { registrar: { ...registrarDefaults, clients: [moon.hit] } });
  hosts.settle();
  assert.deepEqual(hosts.clients, []);
  assert.equal(failure(hosts), RegistrationFailure.CREDENTIALS_REQUIRED);
});

test('a request that is repeated has the same answer again, and is granted once', () => {
  const hosts = new ThreeHosts({ lifetimeMs: 60_000 }).register();
  const { sun, hub } = hosts;
  let request: Transit | undefined;
  hosts.wait(31_000, (transit) => {
    if (parameterOf(transit, 'REG_REQUEST') === undefined) return true;
    request = transit;
    return false;
  });
  assert.ok(request !== undefined);
  for (let times = 0; times < 2; times++) hosts.deliver(request);
  assert.equal(hub.eventsOf('registered').length, 2);
  const [first, second] = [hosts.take(hub), hosts.take(hub)];
  assert.deepEqual(first.octets, second.octets);
  hosts.deliver(first);
  hosts.deliver(second);
  assert.equal(sun.eventsOf('registered').length, 2);
});

test('an acknowledgement that is sent again by somebody else brings no registration back', () => {
  const hosts = new ThreeHosts({ lifetimeMs: 60_000 }).register();
  const { sun, hub } = hosts;
  let kept: Transit | undefined;
  hosts.wait(40_000, (transit) => {
    if (parameterOf(transit, 'REG_RESPONSE') !== undefined) kept = transit;
    return true;
  });
  assert.ok(kept !== undefined);
  const before = sun.eventsOf('registered').length;
  sun.give(hosts.now, { kind: 'packet', path: hosts.path(sun, hub), octets: kept.octets });
  assert.equal(sun.eventsOf('registered').length, before);
});
