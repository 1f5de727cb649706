// Datagrams to a local socket, with file descriptors that the other end gets copies of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClosingPipe } from '../libc/closing-pipe.ts';
import {
  AF_UNIX,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from '../libc/constants.ts';
import { addressOf, attempt, must, pinned } from '../libc/libc.ts';
import { LocalDatagrams } from './local-datagrams.ts';
import { MessageHeader } from './message-header.ts';

/** An abstract socket that takes file descriptors, as systemd's does. */
class Receiver {
  readonly name = `@wayward-datagrams-${process.pid}-${Math.random()}`;
  readonly #fd = must('socket', undefined, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  constructor() {
    const path = new TextEncoder().encode(this.name);
    path[0] = 0;
    const address = pinned(2 + path.length);
    new DataView(address.buffer).setUint16(0, AF_UNIX, true);
    address.set(path, 2);
    must('bind', this.name, this.#fd, address, address.length);
  }

  /** The next datagram; its descriptors are the caller's to close. */
  receive(): { text: string; descriptors: number[] } {
    const data = pinned(1_000);
    const message = new MessageHeader();
    message.prepare(addressOf(data), data.length, 0, 64);
    const length = must('recvmsg', this.name, this.#fd, message.header, 0);
    const text = new TextDecoder().decode(data.subarray(0, length));
    const { controlLength, controlView: control } = message;
    if (controlLength === 0) return { text, descriptors: [] };
    assert.deepEqual([control.getInt32(8, true), control.getInt32(12, true)], [SOL_SOCKET, SCM_RIGHTS]);
    const count = (Number(control.getBigUint64(0, true)) - 16) / 4;
    return { text, descriptors: Array.from({ length: count }, (_, i) => control.getInt32(16 + 4 * i, true)) };
  }

  close(): void {
    attempt('close', this.#fd);
  }
}

test('the other end gets copies of the descriptors that a datagram has, and of no others', (t) => {
  const receiver = new Receiver();
  const datagrams = new LocalDatagrams(receiver.name);
  t.after(() => {
    datagrams.close();
    receiver.close();
  });
  const pipes = [new ClosingPipe(), new ClosingPipe(), new ClosingPipe()];
  const octets = new TextEncoder().encode('three');
  assert.equal(
    datagrams.send(
      octets,
      pipes.map(({ fd }) => fd),
    ),
    true,
  );
  assert.equal(datagrams.send(new TextEncoder().encode('none')), true);
  const { text, descriptors } = receiver.receive();
  assert.equal(text, 'three');
  assert.equal(descriptors.length, 3);
  assert.deepEqual(receiver.receive(), { text: 'none', descriptors: [] });
  // A pipe is at its end once all have closed the other one.
  attempt('close', descriptors[1]!);
  assert.deepEqual(
    pipes.map((pipe) => pipe.wait(20)),
    [false, true, false],
  );
  for (const fd of [descriptors[0]!, descriptors[2]!]) attempt('close', fd);
});

test('what nobody takes is not sent', () => {
  const receiver = new Receiver();
  const datagrams = new LocalDatagrams(receiver.name);
  receiver.close();
  const pipe = new ClosingPipe();
  assert.equal(datagrams.send(Uint8Array.of(1), [pipe.fd]), false);
  assert.equal(pipe.wait(20), true);
  datagrams.close();
});
