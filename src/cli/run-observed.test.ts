// What operators see of a real daemon: the API and metrics on loopback, JSON log lines, and one incident in all of them.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Incident, Snapshot } from '#control';
import { configurationOf, machines, TwoHosts } from './testing/two-hosts.ts';
import { eventually, folder, needsRoot, WaywardProcess, wayward } from './testing/wayward-process.ts';

/** Prints status and body of an address. */
const fetching = `const [url, token] = process.argv.slice(1);
fetch(url, { headers: token ? { authorization: 'Bearer ' + token } : {} })
  .then(async (answer) => console.log(answer.status + ' ' + await answer.text()))
  .catch((error) => console.log(error.cause.code));`;

test('a loss is one incident in the log, the API and the metrics of the daemon that was left behind', {
  skip: needsRoot,
}, async (t) => {
  const hosts = new TwoHosts(t);
  hosts.configure('left', configurationOf('left', { host: 'http = 9100\n  log_format = json' }));
  hosts.configure('right', configurationOf('right'));
  const right = await hosts.start('right');
  const left = await hosts.start('left');
  assert.equal((await hosts.command('left', 'up', 'net')).status, 0);
  hosts.pingWithoutLoss('left', 5, machines.left.inner, machines.right.inner);

  const page = (await hosts.command('left', 'page')).out.trim();
  const [, token = ''] = /^http:\/\/127\.0\.0\.1:9100\/#token=([\w-]{32})$/.exec(page) ?? [];
  const ask = (path: string, given = token, host = '127.0.0.1'): string =>
    hosts.run('left', process.execPath, '-e', fetching, `http://${host}:9100${path}`, given).trim();
  assert.match(ask('/api/v1/snapshot', ''), /^401 /);
  // Nobody else reaches it, not even by another address of this machine.
  assert.equal(ask('/', token, machines.left.outer), 'ECONNREFUSED');
  const json = (path: string): unknown => JSON.parse(ask(path).replace(/^200 /, ''));
  await eventually(() => {
    const [host] = (json('/api/v1/snapshot') as Snapshot).hosts;
    const [tunnel] = host?.tunnels ?? [];
    return tunnel?.inbound.packets === 5 && tunnel.outbound.packets === 5 ? tunnel : undefined;
  });

  right.signal('SIGKILL');
  await right.ended();
  await hosts.start('right');
  hosts.pingUntilAnswered('left', 50, machines.left.inner, machines.right.inner);
  const incident = await eventually(() =>
    (json('/api/v1/incidents') as Incident[]).find(({ state }) => state === 'traffic-back'),
  );
  assert.equal(incident.connection, 'peer');
  assert.ok(incident.exchanges >= 2, JSON.stringify(incident, undefined, 1));
  await left.printed(/"step":"back"/);
  const lines = left.out
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as { readonly event: string; readonly incident?: string; readonly step?: string },
    );
  const steps = lines.filter(({ incident: id, event }) => id === incident.id && event === 'recovery');
  assert.equal(steps.at(-1)?.step, 'back');
  assert.match(ask('/metrics'), /^wayward_incidents_total\{outcome="traffic-back"\} 1$/m);
});

test('a daemon outlives the reader of its log, and a disk that has no room for it', {
  skip: needsRoot,
}, async (t) => {
  const path = folder(t);
  const file = join(path, 'swanctl.conf');
  writeFileSync(file, '');
  for (const log of ['> >(head -n 1 > /dev/null)', '> /dev/full']) {
    const socket = join(path, `control-${log.length}`);
    const within = ['unshare', '--net', 'bash', '-c', `exec "$@" ${log}`, 'bash'];
    const daemon = new WaywardProcess(t, ['run', '--config', file, '--socket', socket], { within });
    await eventually(() => existsSync(socket) || undefined);
    for (let i = 0; i < 3; i++) {
      const { status, err } = await wayward(t, ['reload', '--socket', socket]);
      assert.equal(status, 0, err + daemon.err);
      // It says so in its log.
      daemon.signal('SIGHUP');
      await sleep(100);
    }
    daemon.signal('SIGTERM');
    assert.deepEqual(await daemon.ended(), { status: 0, signal: null, out: '', err: '' });
    assert.equal(existsSync(socket), false, 'it has ended in order');
  }
});
