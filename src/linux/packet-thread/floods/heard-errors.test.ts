// Floods of ICMP errors: what they cost the socket that they are about, and that others are heard after them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { DatagramSocket } from '../../sockets/datagram-socket.ts';
import { IcmpErrors } from '../../sockets/icmp-errors.ts';
import { HeardErrors } from './heard-errors.ts';

const own = address('127.0.0.1');
const port = 47_041;
const esp = Uint8Array.from([0xc0, 0xff, 0xee, 0x01, 0, 0, 0x12, 0x34]);

function withSockets(play: (socket: DatagramSocket, other: DatagramSocket) => void): void {
  const socket = new DatagramSocket(own, { kind: 'udp', port });
  const other = new DatagramSocket(own, { kind: 'udp', port: port + 1 });
  try {
    play(socket, other);
  } finally {
    socket.close();
    other.close();
  }
}

/** Each one to a port that nobody has comes back as an error. */
function provoke(socket: DatagramSocket, errors: number): void {
  for (let i = 0; i < errors; i++) socket.send(own, { address: own, port: 9 }, esp);
}

test('a flood of errors leaves room for datagrams', () => {
  withSockets((socket, other) => {
    const heard = new HeardErrors(new IcmpErrors(socket, true));
    let told = 0;
    const look = (at: number): void => heard.read(at, () => told++);
    // More than there is room for, and as long as it lasts.
    for (let at = 0; at < 99; at++) {
      provoke(socket, 300);
      look(at);
    }
    for (let i = 0; i < 100; i++) other.send(own, { address: own, port }, Uint8Array.of(i));
    for (let i = 0; i < 100; i++) assert.deepEqual(socket.receive()?.octets, Uint8Array.of(i));
    assert.equal(heard.floods, 1);
    assert.ok(told >= 256 && told < 512, `${told}`);
  });
});

test('what is sent afterwards is heard of again, and a few errors are no flood', () => {
  withSockets((socket) => {
    const heard = new HeardErrors(new IcmpErrors(socket, true));
    let told = 0;
    const look = (at: number): void => heard.read(at, () => told++);
    const toldOf = (errors: number, at: number): number => {
      told = 0;
      for (let round = 0; round < Math.ceil(errors / 16); round++) {
        provoke(socket, Math.min(16, errors - 16 * round));
        look(at);
      }
      return told;
    };
    assert.equal(toldOf(255, 0), 255);
    assert.equal(toldOf(255, 100), 255);
    assert.equal(heard.floods, 0);
    assert.equal(toldOf(400, 200), 256);
    assert.equal(toldOf(10, 250), 0);
    heard.advance(300);
    assert.equal(toldOf(10, 310), 10);
    assert.equal(heard.floods, 1);
  });
});
