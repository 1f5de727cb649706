// The kernel's queue of ICMP errors: what is read from it, and that nothing is lost for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, addressBytes } from '#sa';
import { encodeIp, internetChecksum, writeU16 } from '#wire';
import { Epoll } from '../libc/epoll.ts';
import { DatagramSocket, type DatagramTransport } from './datagram-socket.ts';
import { type IcmpError, IcmpErrors } from './icmp-errors.ts';

const needsRoot = { skip: process.getuid?.() === 0 ? false : 'needs root' };
/** SPI and sequence number, and something behind them. */
const esp = Uint8Array.from([0xc0, 0xff, 0xee, 0x01, 0, 0, 0x12, 0x34, 9, 9, 9, 9]);
const nobody = 9;

interface Wire {
  readonly socket: DatagramSocket;
  readonly errors: IcmpErrors;
  readonly epoll: Epoll;
}

function withSocket(
  local: string,
  transport: DatagramTransport,
  carriesEsp: boolean,
  play: (wire: Wire) => void,
): void {
  const socket = new DatagramSocket(address(local), transport);
  const epoll = new Epoll();
  try {
    epoll.add(socket.fd);
    play({ socket, errors: new IcmpErrors(socket, carriesEsp), epoll });
  } finally {
    epoll.close();
    socket.close();
  }
}

/** Waits for the error that follows what was sent, and reads it. */
function next({ socket, errors, epoll }: Wire): IcmpError | undefined {
  epoll.wait(2_000);
  assert.deepEqual(epoll.failing, [socket.fd]);
  const error = errors.receive();
  assert.equal(errors.receive(), undefined);
  socket.receive();
  assert.ok(error === undefined || 'quote' in error);
  return error;
}

for (const own of ['127.0.0.1', '::1']) {
  test(`a port that nobody has is told with SPI and sequence number of what went there, over ${own}`, () => {
    const any = own === '::1' ? '::' : '0.0.0.0';
    withSocket(any, { kind: 'udp', port: 47_021 }, true, (wire) => {
      const remote = { address: address(own), port: nobody };
      assert.equal(wire.socket.send(address(own), remote, esp), true);
      assert.deepEqual(next(wire), {
        from: own,
        quote: {
          source: own,
          destination: own,
          sourcePort: 47_021,
          destinationPort: nobody,
          spi: 0xc0ffee01,
          sequence: 0x1234,
        },
      });
      wire.epoll.wait(0);
      assert.deepEqual(wire.epoll.failing, [], 'what was read is told no more');
    });
  });
}

test('an IKE message has no SPI of ESP: on the port of IKE, and behind a non-ESP marker', () => {
  const remote = { address: address('127.0.0.1'), port: nobody };
  const marked = new Uint8Array(40);
  for (const [octets, carriesEsp] of [
    [esp, false],
    [marked, true],
    [new Uint8Array(0), true],
  ] as const) {
    withSocket('127.0.0.1', { kind: 'udp', port: 47_022 }, carriesEsp, (wire) => {
      wire.socket.send(address('127.0.0.1'), remote, octets);
      const error = next(wire);
      assert.deepEqual([error?.quote.spi, error?.quote.destinationPort], [undefined, nobody]);
    });
  }
});

test('a protocol that nobody speaks is told of what a raw socket sent', needsRoot, () => {
  // ESP itself may be spoken on this machine: the address is one on which nobody listens.
  withSocket('127.0.0.1', { kind: 'raw', protocol: 50 }, true, (wire) => {
    wire.socket.send(address('127.0.0.1'), { address: address('127.0.0.77'), port: 0 }, esp);
    assert.deepEqual(next(wire), {
      from: '127.0.0.77',
      quote: {
        source: '127.0.0.1',
        destination: '127.0.0.77',
        spi: 0xc0ffee01,
        sequence: 0x1234,
      },
    });
  });
});

test('an error costs no later datagram, read or not', () => {
  withSocket('127.0.0.1', { kind: 'udp', port: 47_023 }, true, ({ socket, epoll }) => {
    const right = new DatagramSocket(address('127.0.0.1'), { kind: 'udp', port: 47_024 });
    try {
      for (let i = 0; i < 5; i++) {
        socket.send(address('127.0.0.1'), { address: address('127.0.0.1'), port: nobody }, esp);
        epoll.wait(2_000);
        const remote = { address: address('127.0.0.1'), port: 47_024 };
        assert.equal(socket.send(address('127.0.0.1'), remote, Uint8Array.of(i)), true);
        assert.deepEqual(right.receive()?.octets, Uint8Array.of(i));
      }
    } finally {
      right.close();
    }
  });
});

/** ICMP that anybody could make up: about a datagram from the socket to a port that nobody has. */
function errorAbout(own: '127.0.0.1' | '::1', port: number, type: number, code: number): Uint8Array {
  const local = addressBytes(address(own));
  const udp = new Uint8Array(8);
  writeU16(udp, 0, port);
  writeU16(udp, 2, nobody);
  writeU16(udp, 4, 8);
  const common = { dscp: 0, ecn: 0, source: local, destination: local, protocol: 17, payload: udp };
  const quote =
    own === '::1'
      ? encodeIp({ ...common, version: 6, flowLabel: 0, hopLimit: 64, extensions: [] })
      : encodeIp({
          ...{ ...common, version: 4, identification: 0, dontFragment: false, moreFragments: false },
          ...{ fragmentOffset: 0, timeToLive: 64, options: new Uint8Array(0) },
        });
  const octets = new Uint8Array(8 + quote.length);
  octets[0] = type;
  octets[1] = code;
  octets.set(quote, 8);
  // Of ICMPv6 the kernel computes it.
  if (own === '127.0.0.1') writeU16(octets, 2, internetChecksum(octets));
  return octets;
}

const [unreachable, exceeded, problem] = [3, 11, 12];

for (const own of ['127.0.0.1', '::1'] as const)
  test(`no error that a stranger makes up costs a datagram, whatever it says, over ${own}`, needsRoot, () => {
    const ipv6 = own === '::1';
    const icmp = new DatagramSocket(address(own), { kind: 'raw', protocol: ipv6 ? 58 : 1 });
    withSocket(own, { kind: 'udp', port: 47_025 }, true, ({ socket, epoll }) => {
      const right = new DatagramSocket(address(own), { kind: 'udp', port: 47_026 });
      try {
        const kinds = ipv6
          ? [...Array(8).keys()]
              .map((code) => [1, code])
              .concat([
                [3, 0],
                [4, 0],
                [4, 1],
              ])
          : [...Array(16).keys()]
              .map((code) => [unreachable, code])
              .concat([
                [exceeded, 0],
                [problem, 0],
              ]);
        const lost: string[] = [];
        for (const [type = 0, code = 0] of kinds) {
          icmp.send(address(own), { address: address(own), port: 0 }, errorAbout(own, 47_025, type, code));
          epoll.wait(200);
          const remote = { address: address(own), port: 47_026 };
          if (!socket.send(address(own), remote, Uint8Array.of(type, code))) lost.push(`${type} ${code}`);
        }
        assert.deepEqual(lost, []);
      } finally {
        right.close();
        icmp.close();
      }
    });
  });
