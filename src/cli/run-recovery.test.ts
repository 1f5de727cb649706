// Daemons that are killed and started again, and what their peers and `wayward why` make of it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readAllReceivedMarks } from '#linux';
import { configurationOf, machines, TwoHosts } from './testing/two-hosts.ts';
import { eventually, needsRoot } from './testing/wayward-process.ts';

test('given a gateway that cannot call, killed and started again, its peer is told by the first packet and calls', {
  skip: needsRoot,
}, async (t) => {
  const hosts = new TwoHosts(t);
  hosts.configure('left', configurationOf('left'));
  hosts.configure('right', configurationOf('right', { connection: 'remote_addrs = %any' }));
  const right = await hosts.start('right');
  const left = await hosts.start('left');
  assert.equal((await hosts.command('left', 'up', 'net')).status, 0);
  hosts.pingWithoutLoss('left', 3, machines.left.inner, machines.right.inner);
  const status = JSON.parse((await hosts.command('right', 'status', '--json')).out);
  const lost: number = status.engine.ikeSas[0].children[0].inboundSpi;

  right.signal('SIGKILL');
  await right.ended();
  const again = await hosts.start('right');
  await again.printed(/start 2 of this host; 1 SPIs remembered/);
  // How fast is a matter of the machine, and by which way is told below.
  hosts.pingUntilAnswered('left', 10, machines.left.inner, machines.right.inner);
  await left.printed(/peer: unprotected token from .*: proven/);
  await left.printed(/peer: recovery by token: calling: a fresh IKE SA for net/);

  const why = await hosts.command('right', 'why', lost.toString(16).padStart(8, '0'));
  assert.equal(why.status, 0);
  assert.match(why.out, /esp of peer\/net, ended\n/);
  assert.match(why.out, /remote left\.example @ 192\.0\.2\.1:4500\n/);
  assert.match(why.out, /ended {2}\S+, our-restart\n/);
  assert.match(why.out, /verdict 192\.0\.2\.1:0: notify-unprotected history-with-tokens sent: /);
  assert.match(why.out, /then SPI [0-9a-f]{8}, alive\n/);
  const told = JSON.parse((await hosts.command('left', 'why', 'last', '--json')).out);
  assert.deepEqual(
    told.incidents
      .map(({ reason }: { reason: string }) => reason)
      // On a slow machine a liveness check may come first.
      .filter((reason: string) => reason.startsWith('token ')),
    ['token proven', 'token calling', 'token stands', 'token back'],
  );
  assert.equal((await hosts.command('left', 'why', 'nonsense')).status, 2);
});

test('given a gateway that can call, killed and started again, the tunnel stands before anybody asks', {
  skip: needsRoot,
}, async (t) => {
  const hosts = new TwoHosts(t);
  hosts.configure('left', configurationOf('left'));
  hosts.configure('right', configurationOf('right'));
  const right = await hosts.start('right');
  await hosts.start('left');
  assert.equal((await hosts.command('left', 'up', 'net')).status, 0);
  const asked = await hosts.command('right', 'lab', 'crash');
  assert.match(asked.err, /^wayward: only a demonstration .* crashes when it is asked to\n$/);
  right.signal('SIGKILL');
  await right.ended();
  const again = await hosts.start('right');
  await again.printed(/peer: recovery by restart: calling/);
  await again.printed(/Child SA.* established|net.* up/i);
  hosts.pingUntilAnswered('left', 3, machines.left.inner, machines.right.inner);
});

test('given a process that had more packet threads and was killed, the next one goes on from the marks of all of them', {
  skip: needsRoot,
}, async (t) => {
  const hosts = new TwoHosts(t);
  const key = join(hosts.folder, 'record.key');
  writeFileSync(key, Buffer.alloc(32, 7), { mode: 0o600 });
  hosts.configure('left', configurationOf('left'));
  const configure = (packetThreads: number): void => {
    const checkpoint = `record_key = ${key}\n  checkpoint {\n    enabled = yes\n  }`;
    const host = `data_plane = userspace\n  packet_threads = ${packetThreads}\n  ${checkpoint}`;
    hosts.configure('right', configurationOf('right', { connection: 'remote_addrs = %any', host }));
  };
  configure(4);
  const right = await hosts.start('right');
  const left = await hosts.start('left');
  assert.equal((await hosts.command('left', 'up', 'net')).status, 0);
  hosts.pingWithoutLoss('left', 3, machines.left.inner, machines.right.inner);
  const status = JSON.parse((await hosts.command('right', 'status', '--json')).out);
  const spi: number = status.engine.ikeSas[0].children[0].inboundSpi;
  const state = `${hosts.socketPath('right')}.state`;
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const mark = () => readAllReceivedMarks(join(state, '.received'), boot).get(spi);
  const received = mark();
  assert.deepEqual(received, { high: 0, low: 3 });

  // Nobody answers a rekeying, so that the SA stays as it was taken over.
  left.signal('SIGKILL');
  right.signal('SIGKILL');
  await Promise.all([left.ended(), right.ended()]);
  configure(2);
  const again = await hosts.start('right');
  await again.printed(/goes on from the checkpoint/);
  assert.deepEqual(
    readdirSync(state)
      .filter((name) => name.startsWith('.received'))
      .sort(),
    ['.received', '.received.1'],
  );
  // Without a mark it would be the limit of the reservation, far above.
  assert.deepEqual(await eventually(mark), received);
});
