import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { address } from '#sa';
import { Epoll, Wakeup } from '../libc/epoll.ts';
import { SystemCallError } from '../libc/errno.ts';
import { NamespacePair } from '../testing/namespace-pair.ts';
import { DatagramSocket, sourceAddressFor } from './datagram-socket.ts';

const text = new TextEncoder();

for (const [any, one, other] of [
  ['0.0.0.0', '127.0.0.1', '127.0.0.2'],
  ['::', '::1', '::1'],
] as const) {
  test(`a datagram over ${one} arrives with both its addresses and its traffic class`, () => {
    const left = new DatagramSocket(address(any), { kind: 'udp', port: 47_001 });
    const right = new DatagramSocket(address(any), { kind: 'udp', port: 47_002 });
    try {
      const epoll = new Epoll();
      epoll.add(right.fd);
      assert.deepEqual(epoll.wait(0), []);
      assert.equal(right.receive(), undefined);
      const remote = { address: address(one), port: 47_002 };
      assert.equal(left.send(address(other), remote, text.encode('hello'), { trafficClass: 0xb9 }), true);
      assert.deepEqual(epoll.wait(1000), [right.fd]);
      const datagram = right.receive();
      assert.ok(datagram);
      assert.deepEqual(datagram.local, remote);
      assert.deepEqual(datagram.remote, { address: other, port: 47_001 });
      assert.equal(datagram.trafficClass, 0xb9);
      assert.deepEqual(datagram.octets, text.encode('hello'));
      assert.equal(right.receive(), undefined);
      epoll.close();
    } finally {
      left.close();
      right.close();
    }
  });
}

test('a mark of each datagram chooses its way, and leaves the socket without one', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, async () => {
  const pair = new NamespacePair();
  try {
    // What has no mark goes nowhere.
    for (const family of ['-4', '-6']) {
      const rule = ['rule', 'add', 'not', 'fwmark', '0x5a', 'priority', '10', 'prohibit'];
      await pair.run('left', 'ip', family, ...rule);
    }
    const end = fileURLToPath(new URL('./testing/marked-datagrams-end.js', import.meta.url));
    const { output } = await pair.run('left', process.execPath, end, '90');
    assert.equal(output, ['4 true 0', '6 true 0', '4 false 0', '6 false 0', ''].join('\n'));
  } finally {
    pair.close();
  }
});

test('a filter that leaves no room for another one gives way to that of a share', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, async () => {
  const pair = new NamespacePair();
  try {
    // As it is for all before Linux 6.8.
    await pair.run('left', 'sysctl', '-qw', 'net.core.optmem_max=20480');
    const end = fileURLToPath(new URL('./testing/filter-room-end.js', import.meta.url));
    const { output } = await pair.run('left', process.execPath, end);
    assert.equal(output, 'full\ngone\n');
  } finally {
    pair.close();
  }
});

// A number that RFC 3692 sets aside for experiments: nobody else on this machine answers it.
const experimentalProtocol = 253;

for (const own of ['127.0.0.1', '::1']) {
  test(`a raw socket sends and receives an IP protocol over ${own}`, {
    skip: process.getuid?.() === 0 ? false : 'needs root',
  }, () => {
    const any = own === '::1' ? '::' : '0.0.0.0';
    const socket = new DatagramSocket(address(any), { kind: 'raw', protocol: experimentalProtocol });
    const epoll = new Epoll();
    try {
      epoll.add(socket.fd);
      const remote = { address: address(own), port: 0 };
      assert.equal(socket.send(address(own), remote, text.encode('hello'), { trafficClass: 0xb8 }), true);
      assert.deepEqual(epoll.wait(1000), [socket.fd]);
      const datagram = socket.receive();
      assert.ok(datagram);
      assert.equal(datagram.local.address, own);
      assert.equal(datagram.remote.address, own);
      assert.equal(datagram.trafficClass, 0xb8);
      assert.deepEqual(datagram.octets, text.encode('hello'));
    } finally {
      epoll.close();
      socket.close();
    }
  });
}

test('a port in use is EADDRINUSE and names the port', () => {
  const first = new DatagramSocket(address('127.0.0.1'), { kind: 'udp', port: 47_003 });
  try {
    assert.throws(
      () => new DatagramSocket(address('127.0.0.1'), { kind: 'udp', port: 47_003 }),
      (error) =>
        error instanceof SystemCallError && error.code === 'EADDRINUSE' && /47003/.test(error.message),
    );
  } finally {
    first.close();
  }
});

test('a send error of the network is a lost datagram, and the socket lives on', () => {
  const socket = new DatagramSocket(address('127.0.0.1'), { kind: 'udp', port: 47_004 });
  try {
    // Nobody listens on port 9: the kernel answers with an ICMP error.
    for (let i = 0; i < 3; i++)
      socket.send(address('127.0.0.1'), { address: address('127.0.0.1'), port: 9 }, text.encode('x'));
    assert.equal(socket.receive(), undefined);
  } finally {
    socket.close();
  }
});

test('the source address towards loopback is loopback', () => {
  assert.equal(sourceAddressFor({ address: address('127.0.0.1'), port: 500 }), '127.0.0.1');
  assert.equal(sourceAddressFor({ address: address('::1'), port: 500 }), '::1');
});

test('a wake-up ends a wait', () => {
  const epoll = new Epoll();
  const wakeup = new Wakeup();
  epoll.add(wakeup.fd);
  wakeup.wake();
  assert.deepEqual(epoll.wait(1000), [wakeup.fd]);
  wakeup.drain();
  assert.deepEqual(epoll.wait(0), []);
  wakeup.close();
  epoll.close();
});
