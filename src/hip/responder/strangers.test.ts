// A host that takes anybody: how many that are (RFC 7401 4.1.5 leaves it to policy).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestHost } from '../testing/test-host.ts';
import { ThreeHosts } from '../testing/three-hosts.ts';

function call(hosts: ThreeHosts, from: TestHost): void {
  const path = hosts.path(from, hosts.sun);
  const command = { kind: 'associate', remote: hosts.sun.hit, path, reason: 'a test' } as const;
  from.give(hosts.now, { kind: 'command', command });
  hosts.settle();
}

/** Sun has room for one stranger, and moon is there already. */
function full(configured: boolean): ThreeHosts {
  const hosts = new ThreeHosts();
  const { moon, hub, sun } = hosts;
  const peers = configured ? [{ name: 'hub', hit: hub.hit, addresses: [] }] : [];
  const configuration = { ...sun.configuration, peers, accept: 'any', strangersMax: 1 } as const;
  sun.give(0, { kind: 'command', command: { kind: 'load', configuration } });
  call(hosts, moon);
  assert.equal(sun.state(moon.hit), 'R2-SENT');
  return hosts;
}

describe('a host with all the strangers that it has room for', () => {
  test('takes no other one, at no cost, until one of them is gone', () => {
    const hosts = full(false);
    const { moon, hub, sun } = hosts;
    const { signatures } = sun;
    call(hosts, hub);
    assert.deepEqual(sun.rejections, ['I2 too-many']);
    // That of its R1.
    assert.ok(sun.signatures - signatures <= 1);
    const command = { kind: 'close', local: moon.hit, remote: sun.hit, reason: 'a test' } as const;
    moon.give(hosts.now, { kind: 'command', command });
    hosts.wait(60 * 60_000);
    call(hosts, hub);
    assert.equal(hub.state(sun.hit), 'ESTABLISHED');
  });

  test('takes those of its configuration, and whom it has already', () => {
    const hosts = full(true);
    const { moon, hub, sun } = hosts;
    call(hosts, hub);
    assert.equal(hub.state(sun.hit), 'ESTABLISHED');
    moon.crash(hosts.now);
    call(hosts, moon);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    assert.deepEqual(sun.rejections, []);
  });
});
