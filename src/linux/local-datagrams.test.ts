// Datagrams to a local socket, with file descriptors that the other end gets copies of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AF_UNIX, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOL_SOCKET } from './constants.ts';
import { ClosingPipe } from './epoll.ts';
import { addressOf, attempt, must, pinned } from './libc.ts';
import { LocalDatagrams } from './local-datagrams.ts';

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
    const [data, vector, control, header] = [1_000, 16, 64, 56].map(pinned) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const vectorView = new DataView(vector.buffer);
    vectorView.setBigUint64(0, addressOf(data), true);
    vectorView.setBigUint64(8, BigInt(data.length), true);
    const view = new DataView(header.buffer);
    view.setBigUint64(16, addressOf(vector), true);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(32, addressOf(control), true);
    view.setBigUint64(40, BigInt(control.length), true);
    const length = must('recvmsg', this.name, this.#fd, header, 0);
    const text = new TextDecoder().decode(data.subarray(0, length));
    const controlView = new DataView(control.buffer);
    if (view.getBigUint64(40, true) === 0n) return { text, descriptors: [] };
    assert.deepEqual(
      [controlView.getInt32(8, true), controlView.getInt32(12, true)],
      [SOL_SOCKET, SCM_RIGHTS],
    );
    const count = (Number(controlView.getBigUint64(0, true)) - 16) / 4;
    return {
      text,
      descriptors: Array.from({ length: count }, (_, i) => controlView.getInt32(16 + 4 * i, true)),
    };
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
