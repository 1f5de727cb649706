// What systemd has kept, in a process of its own: descriptors from 3 on are there.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { keptDescriptors, socketNames } from './kept-sockets.ts';

const module = new URL('./kept-sockets.js', import.meta.url).href;

/** What the process says it was given, and which of 3 to 5 it and a program that it starts have after that. */
function given(environment: object): { kept: [string, number][]; open: number[]; inherited: number[] } {
  const script = `
    import { spawnSync } from 'node:child_process';
    import { fstatSync } from 'node:fs';
    const { keptDescriptors } = await import(${JSON.stringify(module)});
    const kept = [...keptDescriptors({ LISTEN_PID: String(process.pid), ...${JSON.stringify(environment)} })];
    const isOpen = (fd) => { try { return fstatSync(fd).isFIFO() || fstatSync(fd).isSocket(); } catch { return false; } };
    const open = [3, 4, 5].filter(isOpen);
    const { stdout } = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
    const inherited = [3, 4, 5].filter((fd) => new RegExp(' ' + fd + ' -> (pipe|socket)').test(stdout));
    console.log(JSON.stringify({ kept, open, inherited }));
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  assert.match(stdout, /^{/, stderr);
  return JSON.parse(stdout);
}

test('descriptors have names, and programs that are started do not get them', () => {
  assert.deepEqual(given({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'one:two' }), {
    kept: [
      ['one', 3],
      ['two', 4],
    ],
    // The last was not meant.
    open: [3, 4, 5],
    inherited: [],
  });
});

test('what has no name, or that of another one, is closed', () => {
  const { kept, open } = given({ LISTEN_FDS: '3', LISTEN_FDNAMES: 'one::one' });
  assert.deepEqual(kept, [['one', 3]]);
  assert.deepEqual(open, [3]);
});

test('what is meant for another process is not touched', () => {
  for (const environment of [{ LISTEN_PID: '1', LISTEN_FDS: '3', LISTEN_FDNAMES: 'a:b:c' }, {}])
    assert.deepEqual(keptDescriptors(environment), new Map());
  assert.deepEqual(given({ LISTEN_PID: '1', LISTEN_FDS: '3', LISTEN_FDNAMES: 'a:b:c' }).open, [3, 4, 5]);
});

test('names tell family and port, without a colon', () => {
  assert.deepEqual(socketNames(['0.0.0.0', '::'], { ike: 500, natTraversal: 4500 }), [
    'ipv4-udp-500',
    'ipv4-udp-4500',
    'ipv6-udp-500',
    'ipv6-udp-4500',
  ]);
  assert.deepEqual(socketNames(['0.0.0.0', '::'], { ike: 500, natTraversal: 4500, hip: true }), [
    'ipv4-udp-500',
    'ipv4-udp-4500',
    'ipv6-udp-500',
    'ipv6-udp-4500',
    'ipv4-udp-10500',
    'ipv6-udp-10500',
  ]);
});
