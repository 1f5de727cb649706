import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { WaywardProcess } from './testing/wayward-process.ts';

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
  for (let i = 0; i < 100 && pids.some(runs); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(pids.filter(runs), []);
}

test('given a port in use, the demonstration takes others; counters grow, and Ctrl-C ends both gateways', async (t) => {
  await occupy(t, 17_500);
  const demo = new WaywardProcess(t, ['demo']);
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
  assert.match(out, /IKE SA ended: the peer deleted the IKE SA/);
  await gone(gateways);
});

test('gateways of a demonstration that was killed end by themselves', async (t) => {
  const demo = new WaywardProcess(t, ['demo']);
  await demo.printed(/left +\| .*Child SA established/);
  const gateways = gatewaysOf(demo);
  demo.signal('SIGKILL');
  await gone(gateways);
  // The gateways share our standard error: nothing may be there, above all no stack trace.
  assert.equal((await demo.ended()).err, '');
});
