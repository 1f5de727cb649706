import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosingPipe, DatagramSocket } from '#linux';
import { address } from '#sa';
import { barrierMs, NotificationSocket } from '../testing/service-manager-peer.ts';
import { ServiceManager, takeServiceEnvironment } from './service-manager.ts';

async function listening(t: TestContext): Promise<{ path: string; systemd: NotificationSocket }> {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-notify-'));
  const path = join(folder, 'notify');
  const systemd = await NotificationSocket.listen(path);
  t.after(() => {
    systemd.close();
    rmSync(folder, { recursive: true });
  });
  return { path, systemd };
}

const still = { beats: undefined, describe: () => 'nothing' };

test('a service tells of its start, what it does, a reload and its end', async (t) => {
  const { path, systemd } = await listening(t);
  const service = new ServiceManager({ NOTIFY_SOCKET: path }, () => 1234.5678);
  let children = 0;
  service.ready({ beats: undefined, describe: () => `${children} Child SAs` });
  await systemd.heard(/^READY=1\nSTATUS=0 Child SAs$/m);
  children = 1;
  service.changed();
  children = 2;
  service.changed();
  await systemd.heard(/^STATUS=2 Child SAs$/m);
  assert.doesNotMatch(systemd.text, /1 Child SAs/);
  service.reloading();
  service.reloaded();
  await systemd.heard(/^RELOADING=1\nMONOTONIC_USEC=1234567\n?READY=1$/m);
  service.stopping();
  await systemd.heard(/^STOPPING=1\nSTATUS=deleting all SAs$/m);
  assert.doesNotMatch(systemd.text, /WATCHDOG/);
  service.close();
});

test('the watchdog is fed twice in each interval while packets are handled, and starves when they are not', async (t) => {
  const { path, systemd } = await listening(t);
  const service = new ServiceManager({
    NOTIFY_SOCKET: path,
    WATCHDOG_USEC: '100000',
    WATCHDOG_PID: String(process.pid),
  });
  t.after(() => service.close());
  let beats = 0;
  const alive = setInterval(() => beats++, 10);
  let asked = 0;
  service.ready({
    get beats() {
      return beats;
    },
    describe: () => `asked ${++asked} times`,
  });
  /** Until all that was sent has come. */
  const heardAll = async (): Promise<string> => {
    const before = asked;
    service.changed();
    await systemd.heard(new RegExp(`^STATUS=asked ${before + 1} times$`, 'm'));
    return systemd.text;
  };
  await systemd.heard(/(WATCHDOG=1\n[\s\S]*){5}/);
  clearInterval(alive);
  await sleep(150);
  const fed = await heardAll();
  await sleep(400);
  assert.doesNotMatch((await heardAll()).slice(fed.length), /WATCHDOG/);
});

test('a watchdog of another process is not fed', async (t) => {
  const { path, systemd } = await listening(t);
  const service = new ServiceManager({ NOTIFY_SOCKET: path, WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' });
  t.after(() => service.close());
  service.ready(still);
  await systemd.heard(/READY=1/);
  await sleep(200);
  service.stopping();
  await systemd.heard(/STOPPING=1/);
  assert.doesNotMatch(systemd.text, /WATCHDOG/);
});

test('an abstract name works as well, and without one nobody is told', async (t) => {
  const name = `@wayward-notify-${process.pid}`;
  const systemd = await NotificationSocket.listen(name);
  t.after(() => systemd.close());
  const service = new ServiceManager({ NOTIFY_SOCKET: name });
  service.ready(still);
  await systemd.heard(/READY=1/);
  service.close();
  const alone = new ServiceManager({});
  alone.ready(still);
  alone.stopping();
  alone.close();
});

test('a socket that is not there is said, and a name that is too long', () => {
  assert.throws(() => new ServiceManager({ NOTIFY_SOCKET: '/nowhere/notify' }), { code: 'ENOENT' });
  assert.throws(() => new ServiceManager({ NOTIFY_SOCKET: `/${'x'.repeat(108)}` }), RangeError);
});

test('what systemd is to keep is told with its names, and so is what it is to keep no longer', async (t) => {
  const { path, systemd } = await listening(t);
  const service = new ServiceManager({ NOTIFY_SOCKET: path });
  t.after(() => service.close());
  assert.equal(service.takeKept(['one']), undefined);
  const pipes = [new ClosingPipe(), new ClosingPipe()] as const;
  service.keep(
    new Map([
      ['one', pipes[0].fd],
      ['two', pipes[1].fd],
    ]),
  );
  await systemd.heard(/^FDSTORE=1\nFDNAME=one\nFDPOLL=0\n?FDSTORE=1\nFDNAME=two\nFDPOLL=0$/m);
  service.forgetKept();
  service.stopping();
  await systemd.heard(/^FDSTOREREMOVE=1\nFDNAME=one\n?FDSTOREREMOVE=1\nFDNAME=two\n?STOPPING=1$/m);
  assert.doesNotMatch(systemd.text, /FDSTOREREMOVE[\s\S]*FDSTORE=1/);
  for (const pipe of pipes) pipe.wait(0);
});

/** In a process of its own, which has pipes for 3 and 4: what it takes, and which it has after that. */
function taken(path: string, names: readonly string[]): { taken?: number[]; open: number[]; ms: number } {
  const script = `
    import { fstatSync } from 'node:fs';
    const { ServiceManager } = await import(${JSON.stringify(new URL('./service-manager.js', import.meta.url).href)});
    const LISTEN_PID = String(process.pid);
    const given = { NOTIFY_SOCKET: ${JSON.stringify(path)}, LISTEN_PID, LISTEN_FDS: '2', LISTEN_FDNAMES: 'one:two' };
    const manager = new ServiceManager(given);
    const from = performance.now();
    const taken = manager.takeKept(${JSON.stringify(names)});
    const ms = performance.now() - from;
    const isOpen = (fd) => { try { return fstatSync(fd).isFIFO() || fstatSync(fd).isSocket(); } catch { return false; } };
    console.log(JSON.stringify({ taken, open: [3, 4].filter(isOpen), ms }));
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  assert.match(stdout, /^{/, stderr);
  return JSON.parse(stdout);
}

test('what systemd has kept is taken as a whole, in the order of its names', async (t) => {
  const { path, systemd } = await listening(t);
  const { ms: _, ...seen } = taken(path, ['two', 'one']);
  assert.deepEqual(seen, { taken: [4, 3], open: [3, 4] });
  assert.equal(systemd.text, '');
});

test('or is closed, and systemd has closed it too before anybody goes on', async (t) => {
  const { path, systemd } = await listening(t);
  for (const names of [['one'], ['one', 'two', 'three'], ['one', 'three'], []]) {
    systemd.text = '';
    const { taken: some, ms } = taken(path, names);
    assert.equal(some, undefined);
    assert.ok(ms >= barrierMs, `it went on after ${ms} ms`);
    await systemd.heard(/^FDSTOREREMOVE=1\nFDNAME=one\n?FDSTOREREMOVE=1\nFDNAME=two\n?BARRIER=1$/m);
  }
});

/** In a process of its own, which has been given a pipe for a port of ours and wants nothing: what binding that port comes to then. */
async function boundAfter(path: string, port: number): Promise<string> {
  const module = (name: string): string => JSON.stringify(import.meta.resolve(name));
  const script = `
    const { ServiceManager } = await import(${module('./service-manager.js')});
    const { DatagramSocket } = await import(${module('#linux')});
    const given = { LISTEN_PID: String(process.pid), LISTEN_FDS: '1', LISTEN_FDNAMES: 'ipv4-udp-${port}' };
    new ServiceManager({ NOTIFY_SOCKET: ${JSON.stringify(path)}, ...given }).takeKept([]);
    try {
      new DatagramSocket('0.0.0.0', { kind: 'udp', port: ${port} }).close();
      console.log('bound');
    } catch ({ code }) {
      console.log(code);
    }
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  let said = '';
  for await (const octets of child.stdout!) said += octets;
  return said.trim();
}

test('a port that systemd gives up a little later can be bound, and one that stays taken is not waited for long', async (t) => {
  const { path, systemd } = await listening(t);
  // Below those that tests and the system give away.
  const port = 16_017;
  const other = new DatagramSocket(address('0.0.0.0'), { kind: 'udp', port });
  const late = boundAfter(path, port);
  await systemd.heard(/BARRIER=1/);
  await sleep(2 * barrierMs);
  other.close();
  assert.equal(await late, 'bound');

  const staying = new DatagramSocket(address('0.0.0.0'), { kind: 'udp', port });
  t.after(() => staying.close());
  assert.equal(await boundAfter(path, port), 'EADDRINUSE');
});

test('what is taken from the environment is not left to programs that we start', () => {
  const environment = {
    ...{ NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '1', WATCHDOG_PID: '2', PATH: '/bin' },
    ...{ LISTEN_PID: '3', LISTEN_FDS: '4', LISTEN_FDNAMES: 'a' },
  };
  const taken = takeServiceEnvironment(environment);
  assert.deepEqual(environment, { PATH: '/bin' });
  assert.deepEqual(
    { ...taken },
    {
      ...{ NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '1', WATCHDOG_PID: '2' },
      ...{ LISTEN_PID: '3', LISTEN_FDS: '4', LISTEN_FDNAMES: 'a' },
    },
  );
});
