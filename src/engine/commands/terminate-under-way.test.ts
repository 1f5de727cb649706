// A child is taken down while what was to bring it up is under way. It stays down (`recovery/parallel-attempt.test.ts`), and comes
// up when it is wanted again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineCommand } from '../interface.ts';
import { type Datagram, TwoHosts } from '../recovery/testing/two-hosts.ts';
import type { IkeSaStatus } from '../status.ts';
import { block, child } from '../testing/connections.ts';

const networks = { moon: block('10.3.0.0/16'), sun: block('10.4.0.0/16') } as const;

function children(host: 'moon' | 'sun') {
  const other = host === 'moon' ? 'sun' : 'moon';
  const more = { name: 'other', localSelectors: [networks[host]], remoteSelectors: [networks[other]] };
  return { connection: { children: [child(host), child(host, more)] } };
}

const names = (hosts: TwoHosts): string[] =>
  hosts.moon.engine.status().ikeSas.flatMap((ike) => ike.children.map(({ name }) => name));

const fromSun = ({ from }: Datagram): boolean => from === 'sun';

test('a child that joined an attempt for another one can be taken down, and up again', () => {
  const hosts = new TwoHosts({ moon: children('moon'), sun: children('sun') });
  const command = (id: number, kind: 'initiate' | 'terminate', name: string): void =>
    hosts.moon.give(hosts.now, { kind: 'command', id, command: { kind, child: name } });
  command(1, 'initiate', 'net');
  hosts.settle((datagram) => !fromSun(datagram));
  command(2, 'initiate', 'other');
  command(3, 'terminate', 'other');
  hosts.wait(30_000);
  assert.deepEqual(names(hosts), ['net']);
  command(4, 'initiate', 'other');
  hosts.settle();
  assert.deepEqual(names(hosts), ['net', 'other']);
});

test('a child that nobody wanted any more, and the peer refused, may be made by the peer later', () => {
  const hosts = new TwoHosts({ moon: children('moon'), sun: { connection: { children: [] } } });
  const command = (id: number, kind: 'initiate' | 'terminate', name: string): void =>
    hosts.moon.give(hosts.now, { kind: 'command', id, command: { kind, child: name } });
  command(1, 'initiate', 'net');
  hosts.settle((datagram) => !fromSun(datagram));
  command(2, 'terminate', 'net');
  hosts.wait(30_000);
  assert.deepEqual(names(hosts), []);
  const { configuration } = new TwoHosts({ sun: children('sun') }).sun;
  hosts.sun.give(hosts.now, { kind: 'command', id: 1, command: { kind: 'load', configuration } });
  hosts.sun.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'initiate', child: 'net' } });
  hosts.settle();
  assert.deepEqual(names(hosts), ['net']);
});

for (const what of [{ connection: 'gateway' }, { child: 'net' }] as const)
  test(`who asks for a child behind the command that ended its ${Object.keys(what)} gets a new one`, () => {
    const hosts = new TwoHosts();
    hosts.connect();
    const { moon, sun } = hosts;
    const command = (id: number, one: EngineCommand): void =>
      moon.give(hosts.now, { kind: 'command', id, command: one });
    const [{ local, remote }] = moon.engine.status().ikeSas as [IkeSaStatus];
    const spi = [...moon.outbound.keys()][0]!;
    const quote = { source: local.address, destination: remote.address, spi };
    moon.give(hosts.now, { kind: 'icmp-error', from: remote.address, quote });
    // Before this is answered no other request can go out.
    const [check] = moon.sent.splice(0);
    assert.ok(check !== undefined);
    command(2, { kind: 'terminate', ...what });
    command(3, { kind: 'initiate', child: 'net' });
    hosts.receive(sun, check);
    hosts.wait(10_000);
    assert.deepEqual([moon.answers.get(2)?.ok, moon.answers.get(3)?.ok], [true, true]);
    assert.deepEqual(names(hosts), ['net']);
  });
