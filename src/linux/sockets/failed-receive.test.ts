// Receives that fail: whatever the errors are, a call comes back.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { afterEach, test } from 'node:test';
import koffi from 'koffi';
import { address } from '#sa';
import { packetCalls } from '../libc/libc.ts';
import { DatagramBatch } from './datagram-batch.ts';
import { DatagramSocket } from './datagram-socket.ts';

const calls = packetCalls() as { recvmmsg: ReturnType<typeof packetCalls>['recvmmsg'] };
const { recvmmsg } = calls;
/** SOCK_STREAM */
const stream = 1;

afterEach(() => {
  calls.recvmmsg = recvmmsg;
});

test('a flood of ICMP errors about what was sent does not keep a call from coming back, nor datagrams from coming', () => {
  const socket = new DatagramSocket(address('127.0.0.1'), { kind: 'udp', port: 47_031 });
  try {
    const batch = new DatagramBatch(socket);
    let errors = 0;
    calls.recvmmsg = () => {
      koffi.errno(constants.errno.ECONNREFUSED);
      if (++errors > 100_000) throw new Error('it does not come back');
      return -1;
    };
    assert.equal(batch.receive(), 0);
    // A few are passed over, so that they cost no datagram its turn.
    assert.ok(errors > 8);
    errors = 0;
    calls.recvmmsg = (...words) => {
      if (errors++ > 4) return recvmmsg(...words);
      koffi.errno(constants.errno.EHOSTUNREACH);
      return -1;
    };
    socket.send(address('127.0.0.1'), { address: address('127.0.0.1'), port: 47_031 }, Uint8Array.of(1));
    assert.equal(batch.receive(), 1);
  } finally {
    socket.close();
  }
});

/** What comes of reading from a socket that is none for datagrams. */
function readingFromAnother(body: string): string {
  const [batch, socket, libc, constants] = [
    './datagram-batch.js',
    './datagram-socket.js',
    '../libc/libc.js',
    '../libc/constants.js',
  ].map((name) => JSON.stringify(new URL(name, import.meta.url).href));
  const script = `
    import { DatagramBatch } from ${batch};
    import { DatagramSocket } from ${socket};
    import { must } from ${libc};
    import { AF_INET } from ${constants};
    const adopted = must('socket', undefined, AF_INET, ${stream}, 0);
    const socket = new DatagramSocket('127.0.0.1', { kind: 'udp', port: 47_032 }, { adopted });
    try { ${body} } catch ({ code }) { console.log(code); }`;
  const words = ['--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 20_000 });
  return stdout + stderr;
}

test('an error that never passes is told', () => {
  assert.equal(readingFromAnother('socket.receive()'), 'ENOTCONN\n');
  assert.equal(readingFromAnother('new DatagramBatch(socket).receive()'), 'ENOTCONN\n');
});
