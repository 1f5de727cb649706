// What becomes of an association whose SAs the data plane refuses or loses.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, type SaCommand, type Spi } from '#sa';
import { hipDefaults } from './configuration.ts';
import { type TestHost, TwoHosts } from './testing/two-hosts.ts';

/** Refuses the first command that is so, and whatever names an SA that is not there for that. */
function refuseFirst(host: TestHost, is: (command: SaCommand) => boolean): void {
  let done = false;
  host.refuses = (command) => {
    if (!done && is(command)) {
      done = true;
      return true;
    }
    const missing =
      ('direction' in command && !host[command.direction].has(command.spi)) ||
      (command.kind === 'use-outbound' && !host.outbound.has(command.spi)) ||
      (command.kind === 'remove-policy' && !host.policies.has(command.policyId));
    return done && missing;
  };
}

function assertNothingLeft({ hosts }: TwoHosts): void {
  for (const { inbound, outbound, policies, spis, name } of hosts)
    assert.equal(inbound.size + outbound.size + policies.size + spis.size, 0, name);
}

const ofKind: readonly (readonly [string, (command: SaCommand) => boolean])[] = [
  ['its inbound SA', (command) => command.kind === 'install' && command.sa.direction === 'inbound'],
  ['its outbound SA', (command) => command.kind === 'install' && command.sa.direction === 'outbound'],
  ['to use its outbound SA', (command) => command.kind === 'use-outbound'],
  ['its policy', (command) => command.kind === 'install-policy'],
];

/** moon wants other keys. */
function rekey(hosts: TwoHosts): void {
  const { moon, sun, now } = hosts;
  const command = { kind: 'rekey', local: moon.hit, remote: sun.hit, reason: 'a test' } as const;
  moon.give(now, { kind: 'command', command });
  hosts.settle();
}

describe('a data plane that refuses', () => {
  for (const name of ['moon', 'sun'] as const)
    for (const [what, is] of ofKind)
      test(`${what} ends the association, which the peer is told (${name === 'moon' ? 'Initiator' : 'Responder'})`, () => {
        const hosts = new TwoHosts();
        const host = hosts[name];
        const other = hosts.other(host);
        refuseFirst(host, is);
        hosts.call();
        hosts.settle();
        assertNothingLeft(hosts);
        const [{ cause, reason } = { cause: undefined, reason: '' }] = host.eventsOf('ended');
        assert.equal(cause, 'data-plane');
        assert.equal(reason, 'data-plane: failed: as told');
        assert.deepEqual(
          other.eventsOf('ended').map((event) => event.cause),
          ['closed-by-peer'],
        );
      });

  test('an SA of a rekeying ends the association: the peer may use the new pair already', () => {
    const hosts = new TwoHosts().connect();
    const { moon } = hosts;
    hosts.sendEsp(moon);
    refuseFirst(moon, ofKind[0]![1]);
    rekey(hosts);
    assert.equal(moon.eventsOf('ended')[0]?.cause, 'data-plane');
    assertNothingLeft(hosts);
  });

  test('to count credit refuses nothing that an association needs', () => {
    const hosts = new TwoHosts().connect();
    const { moon, sun } = hosts;
    hosts.sendEsp(moon);
    let refused = 0;
    sun.refuses = (command) =>
      command.kind === 'update-addresses' && command.unverified === true && ++refused > 0;
    const from = moon.address;
    moon.address = address('192.0.2.9');
    const move = { kind: 'move', from, to: moon.address } as const;
    moon.give(hosts.now, { kind: 'command', command: move });
    hosts.settle();
    assert.ok(refused > 0);
    assert.deepEqual(sun.eventsOf('ended'), []);
    assert.equal([...sun.outbound.values()][0]?.remote, moon.address);
  });

  test('is not asked again by the next call of the peer either, but a while later', () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    refuseFirst(sun, ofKind[0]![1]);
    hosts.call();
    hosts.settle();
    sun.refuses = undefined;
    assert.equal(sun.eventsOf('ended').length, 1);
    hosts.call();
    hosts.settle();
    assert.equal(sun.eventsOf('established').length, 1);
    assert.deepEqual(sun.rejections, ['I2 data-plane']);
    hosts.wait(2 * hipDefaults.failedMs);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    hosts.assertKeysAgree();
  });

  test('is not asked again by the next packet, but a while later', () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    refuseFirst(moon, ofKind[0]![1]);
    hosts.call();
    hosts.settle();
    moon.refuses = undefined;
    hosts.call();
    assert.deepEqual(moon.sent, []);
    hosts.wait(hipDefaults.failedMs);
    hosts.call();
    hosts.settle();
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    hosts.assertKeysAgree();
  });
});

describe('a data plane that has lost', () => {
  for (const [what, spiOf, ends] of [
    ['the SA in use', ({ inbound }: TestHost) => [...inbound.keys()].at(-1), true],
    ['an SA that was replaced', ({ inbound }: TestHost) => [...inbound.keys()][0], false],
  ] as const)
    test(`${what} ${ends ? 'ends' : 'does not end'} the association`, () => {
      const hosts = new TwoHosts().connect();
      const { moon } = hosts;
      hosts.sendEsp(moon);
      rekey(hosts);
      assert.equal(moon.inbound.size, 2);
      const spi = spiOf(moon) as Spi;
      const { childId } = moon.inbound.get(spi)!;
      const event = { kind: 'hard-expired', protocol: 'esp', direction: 'inbound', spi, childId } as const;
      moon.give(hosts.now, { kind: 'data-plane', event });
      hosts.settle();
      assert.deepEqual(
        moon.eventsOf('ended').map(({ cause, reason }) => [cause, reason]),
        ends ? [['data-plane', 'the data plane has lost its SA']] : [],
      );
    });
});
