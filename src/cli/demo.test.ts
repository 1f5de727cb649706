import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually, folder, WaywardProcess, wayward, waywardCommand } from './testing/wayward-process.ts';

/** Occupies a port unless somebody else did already. */
function occupy(t: TestContext, port: number): Promise<void> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', () => resolve());
    socket.bind(port, '127.0.0.2', resolve);
    t.after(() => socket.close());
  });
}

function gatewaysOf({ pid }: WaywardProcess): string[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  assert.equal(children.length, 2);
  return children;
}

/** Zombies are as good as gone: nobody may be there to collect them. */
async function gone(pids: readonly string[]): Promise<void> {
  const runs = (pid: string): boolean =>
    existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  await eventually(() => !pids.some(runs) || undefined);
}

test('given a port in use, the demonstration takes others; counters grow, and Ctrl-C ends both gateways', async (t) => {
  await occupy(t, 17_500);
  const demo = new WaywardProcess(t, ['demo', '--socket', join(folder(t), 'control')]);
  const [, port] = await demo.printed(/left +127\.0\.0\.1 ports (\d+) and \d+/);
  assert.ok(Number(port) > 17_500);
  const [, first] = await demo.printed(/left +\| \d+ pings sent, ([1-9]\d*) answered/);
  const [, more] = await demo.printed(
    /left +\| \d+ pings sent, [1-9]\d* answered[\s\S]*left +\| \d+ pings sent, (\d+) answered/,
  );
  assert.ok(Number(more) > Number(first));
  const gateways = gatewaysOf(demo);
  demo.signal('SIGINT');
  const { status, out, err } = await demo.ended();
  assert.equal(status, 0);
  assert.equal(err, '');
  // Each for its own reason, or for that of the other one if that was faster.
  for (const side of ['left', 'right']) assert.match(out, new RegExp(`${side} +\\| .*IKE SA ended: the `));
  await gone(gateways);
});

test('gateways of a demonstration that was killed end by themselves', async (t) => {
  const demo = new WaywardProcess(t, ['demo', '--socket', join(folder(t), 'control')]);
  await demo.printed(/left +\| .*Child SA established/);
  const gateways = gatewaysOf(demo);
  demo.signal('SIGKILL');
  await gone(gateways);
  // The gateways share our standard error: nothing may be there, above all no stack trace.
  assert.equal((await demo.ended()).err, '');
});

test('wayward lab crash kills a gateway, the incident is told until traffic is back, and wayward why retells it', async (t) => {
  const socket = join(folder(t), 'control');
  const demo = new WaywardProcess(t, ['demo', '--socket', socket]);
  await demo.printed(/left +\| \d+ pings sent, ([1-9]\d*) answered/);
  const crash = (...words: string[]) => wayward(t, ['lab', 'crash', ...words, '--socket', socket]);
  assert.deepEqual(await crash('middle'), {
    status: 2,
    signal: null,
    out: '',
    err: "wayward: command-argument value 'middle' is invalid for argument 'side'. Allowed choices are left, right.; wayward --help lists the commands\n",
  });
  const before = gatewaysOf(demo);
  const unknown = /right \| .* with unknown SPI [0-9a-f]{8}, last of demo\/demo: notify-unprotected/;
  const told = () => {
    const incident = demo.out.slice(demo.out.lastIndexOf('is killed with SIGKILL'));
    return unknown.test(incident) && /left +\| .*recovery by token: back/.test(incident);
  };
  // On a busy machine its peer may call out of silence before the killed gateway can say what it has forgotten, or ask whether
  // it lives before traffic comes.
  for (let crashes = 1; !told(); crashes += 1) {
    assert.ok(crashes < 6, `no token for an SPI in five crashes:\n${demo.out}`);
    assert.equal((await crash()).out, 'right is killed\n');
    await demo.printed(new RegExp(`(?:traffic is back, [^]*){${crashes}}`));
    await demo.printed(new RegExp(`(?:left +\\| .*recovery by (?:token|silence): back[^]*){${crashes}}`));
  }
  await demo.printed(/demo +\| right, process \d+, is killed with SIGKILL/);
  await demo.printed(/demo +\| right starts again, process \d+/);
  // Besides whose SPI it was and what was answered: the proof, the call, the fresh IKE SA, and the traffic.
  await demo.printed(/left +\| .*unprotected token from .*: proven/);
  await demo.printed(/left +\| .*recovery by token: calling/);
  await demo.printed(
    /left +\| .*recovery by token: stands: a fresh IKE SA, (resumed by a ticket|authenticated in full)/,
  );
  const [, why] = await demo.printed(/traffic is back, \d+ ms after the kill[\s\S]*--socket (\S+)/);
  await demo.printed(/left +\| .*recovery by token: back: traffic comes in again/);
  assert.equal(gatewaysOf(demo).filter((pid) => before.includes(pid)).length, 1);
  const story = (await wayward(t, ['why', 'last', '--socket', why!])).out;
  assert.match(story, /token proven[\s\S]*token calling[\s\S]*token stands[\s\S]*token back/);

  assert.equal((await crash('left')).out, 'left is killed\n');
  await demo.printed(/right +\| .*recovery by (?:peer|token|silence): back/);
  demo.signal('SIGINT');
  const { status, err } = await demo.ended();
  assert.equal(err, '');
  assert.equal(status, 0);
});

test('without a demonstration there is nobody to crash', async (t) => {
  const socket = join(folder(t), 'control');
  const { status, err } = await wayward(t, ['lab', 'crash', '--socket', socket]);
  assert.equal(err, `wayward: no daemon answers at ${socket} (ENOENT)\n`);
  assert.equal(status, 1);
});

test('in a terminal, k kills a gateway and Ctrl-C ends the demonstration', {
  skip: existsSync('/usr/bin/script') ? false : 'needs script(1) for a terminal',
}, async (t) => {
  const socket = join(folder(t), 'control');
  const words = ['-qefc', `${process.execPath} ${waywardCommand} demo --socket ${socket}`, '/dev/null'];
  const terminal = spawn('/usr/bin/script', words, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => terminal.kill('SIGKILL'));
  let shown = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const until = async (pattern: RegExp): Promise<void> => {
    await eventually(() => pattern.test(shown) || undefined).catch(() => assert.match(shown, pattern));
  };
  await until(/left +\| \d+ pings sent, [1-9]\d* answered/);
  terminal.stdin.write('k');
  await until(/right, process \d+, is killed with SIGKILL[\s\S]*traffic is back, \d+ ms after the kill/);
  terminal.stdin.write('\u0003');
  const status = await new Promise((resolve) => terminal.once('exit', resolve));
  assert.equal(status, 0);
});
