// Which socket of several a datagram comes to, by a machine of our own and by the kernel.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { address, type IpAddress } from '#sa';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_REUSEPORT,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from '../libc/constants.ts';
import { closeDescriptor } from '../libc/epoll.ts';
import { SystemCallError } from '../libc/errno.ts';
import { attempt, must, pinned } from '../libc/libc.ts';
import { floodFilter } from '../packet-thread/floods/flood-filter.ts';
import { DatagramSocket } from '../sockets/datagram-socket.ts';
import { socketAddress } from '../sockets/socket-address.ts';
import { runFilter } from '../testing/bpf-machine.ts';
import { steeringBySpi } from './spi-steering.ts';

const isRoot = process.getuid?.() === 0;
const families = [4, 6] as const;
type Family = (typeof families)[number];
const any = { 4: address('0.0.0.0'), 6: address('::') } as const;
const loopback = { 4: address('127.0.0.1'), 6: address('::1') } as const;
const count = 3;

function esp(spi: number, lengthBytes = 40): Uint8Array {
  const octets = new Uint8Array(Math.max(4, lengthBytes));
  new DataView(octets.buffer).setUint32(0, spi);
  return octets.slice(0, lengthBytes);
}

function ah(spi: number, lengthBytes = 40): Uint8Array {
  const octets = new Uint8Array(Math.max(12, lengthBytes));
  new DataView(octets.buffer).setUint32(4, spi);
  return octets.slice(0, lengthBytes);
}

const ike = esp(0);
const keepalive = Uint8Array.of(0xff);

// RFC 3948 2.2, 2.3
test('a datagram comes to the place that its SPI gives; IKE and keepalives come to the first', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.nat(0xffff_ffff), fc.nat(20), (sockets, spi, more) => {
      const program = steeringBySpi(sockets);
      assert.equal(runFilter(program, esp(spi, 4 + more)), spi % sockets);
      assert.equal(runFilter(program, esp(spi, more % 4)), 0);
      assert.equal(runFilter(program, ike), 0);
    }),
  );
});

function udp(family: Family, port: number, place?: number): DatagramSocket {
  return new DatagramSocket(any[family], { kind: 'udp', port }, { place });
}

/** Plays `use` with sockets that share a port, and one that sends there from another one. */
function withGroup(
  family: Family,
  port: number,
  use: (group: readonly DatagramSocket[], send: (octets: Uint8Array) => void) => void,
): void {
  const group: DatagramSocket[] = [];
  const sender = udp(family, port + 1);
  try {
    for (let place = 0; place < count; place++) group.push(udp(family, port, place));
    use(group, (octets) => {
      assert.ok(sender.send(loopback[family], { address: loopback[family], port }, octets));
    });
  } finally {
    for (const socket of [...group, sender]) socket.close();
  }
}

/** How many datagrams wait in each of the sockets; after that, none. */
function waiting(group: readonly DatagramSocket[]): number[] {
  return group.map((socket) => {
    let datagrams = 0;
    while (socket.receive() !== undefined) datagrams++;
    return datagrams;
  });
}

/** One datagram, in this place. */
function at(place: number): number[] {
  return Array.from({ length: count }, (_, i) => (i === place ? 1 : 0));
}

const spis = [256, 257, 258, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffd, 0xffff_fffe, 0xffff_ffff];

function assertSteered(group: readonly DatagramSocket[], send: (octets: Uint8Array) => void): void {
  for (const spi of spis) {
    send(esp(spi));
    assert.deepEqual(waiting(group), at(spi % count), `SPI ${spi}`);
  }
  for (const octets of [ike, keepalive, new Uint8Array(0)]) {
    send(octets);
    assert.deepEqual(waiting(group), at(0), `${octets.length} octets`);
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof SystemCallError && error.code === 'EADDRINUSE';
}

/** A socket with SO_REUSEPORT that knows nothing of ours. */
function stranger(family: Family, port: number, local = any[family]): number {
  const domain = family === 4 ? AF_INET : AF_INET6;
  const fd = must('socket', undefined, domain, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  const one = pinned(4).fill(1, 0, 1);
  try {
    if (family === 6) must('setsockopt', 'IPV6_V6ONLY', fd, IPPROTO_IPV6, IPV6_V6ONLY, one, 4);
    must('setsockopt', 'SO_REUSEPORT', fd, SOL_SOCKET, SO_REUSEPORT, one, 4);
    const name = socketAddress({ address: local, port });
    must('bind', 'stranger', fd, name, name.length);
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

for (const family of families) {
  const base = family === 4 ? 47_100 : 47_150;

  test(`IPv${family}: three sockets share a port, and each gets the SPIs of its place`, () => {
    withGroup(family, base, assertSteered);
  });

  test(`IPv${family}: a filter of one of them takes from that one alone`, () => {
    withGroup(family, base + 2, (group, send) => {
      const expected = [
        { spi: 301, remote: { address: address(family === 4 ? '192.0.2.1' : '2001:db8::1') } },
      ];
      group[1]!.filter(floodFilter({ protocol: 'esp', family, transport: 'udp', expected, oneOf: 2 ** 20 }));
      for (const spi of [301, 304, 302, 300]) send(esp(spi));
      assert.deepEqual(waiting(group), [1, 1, 1]);
      group[1]!.filter(undefined);
      assertSteered(group, send);
    });
  });

  test(`IPv${family}: the first one fails where somebody has the port, also one who would share it`, () => {
    const port = base + 4;
    const alone = udp(family, port);
    assert.throws(() => udp(family, port, 0), isInUse);
    alone.close();
    const fd = stranger(family, port);
    assert.throws(() => udp(family, port, 0), isInUse);
    closeDescriptor(fd);
    udp(family, port, 0).close();
  });

  test(`IPv${family}: who does not ask to share the port does not get it, in this process or another`, () => {
    const port = base + 6;
    withGroup(family, port, () => {
      assert.throws(() => udp(family, port), isInUse);
      const program = `require('node:dgram')
        .createSocket({ type: 'udp${family}', reuseAddr: true, ipv6Only: ${family === 6} })
        .on('error', ({ code }) => console.log(code)).bind(${port}, () => console.log('bound'));`;
      const { stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 60_000 });
      assert.equal(stdout.trim(), 'EADDRINUSE');
    });
  });

  test(`IPv${family}: who asks to share the port as the same user gets it, and is given what is for it alone`, () => {
    const port = base + 8;
    withGroup(family, port, (group, send) => {
      const fd = stranger(family, port);
      assertSteered(group, send);
      assert.ok(attempt('read', fd, pinned(100), 100) < 0);
      closeDescriptor(fd);
      assertSteered(group, send);
      // The one with the address of the datagram goes before those for all addresses.
      const ofAddress = stranger(family, port, loopback[family]);
      send(esp(300));
      assert.deepEqual(waiting(group), [0, 0, 0]);
      closeDescriptor(ofAddress);
    });
  });

  test(`IPv${family}: another user does not get it`, { skip: isRoot ? false : 'needs root' }, () => {
    const port = base + 10;
    withGroup(family, port, () => {
      process.seteuid!(65_534);
      try {
        assert.throws(() => stranger(family, port), isInUse);
      } finally {
        process.seteuid!(0);
      }
    });
  });

  test(`IPv${family}: sockets of a thread that died are as they were for who adopts them`, async () => {
    const port = base + 12;
    const program = `import(${JSON.stringify(new URL('../sockets/datagram-socket.js', import.meta.url).href)})
      .then(({ DatagramSocket }) => {
        const open = (place) => new DatagramSocket('${any[family]}', { kind: 'udp', port: ${port} }, { place });
        require('node:worker_threads').parentPort.postMessage([0, 1, 2].map((place) => open(place).fd));
        setInterval(() => undefined, 1000);
      });`;
    const worker = new Worker(program, { eval: true });
    const fds = await new Promise<readonly number[]>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    const sender = udp(family, port + 1);
    const group = fds.map(
      (adopted, place) => new DatagramSocket(any[family], { kind: 'udp', port }, { adopted, place }),
    );
    try {
      assertSteered(group, (octets) => {
        assert.ok(sender.send(loopback[family], { address: loopback[family], port }, octets));
      });
    } finally {
      for (const socket of [...group, sender]) socket.close();
    }
  });

  for (const protocol of ['esp', 'ah'] as const)
    test(`IPv${family}: of raw sockets for ${protocol} each gets the SPIs of its place, whatever was filtered before`, {
      skip: isRoot ? false : 'needs root',
    }, () => {
      // Numbers that RFC 3692 sets aside for experiments: nobody else on this machine answers them.
      const transport = { kind: 'raw', protocol: protocol === 'esp' ? 253 : 254 } as const;
      const group = Array.from({ length: count }, (_, place) => {
        const share = { protocol, place, of: count };
        return new DatagramSocket(loopback[family], transport, { share });
      });
      const own: IpAddress = loopback[family];
      const send = (octets: Uint8Array): void => {
        assert.ok(group[0]!.send(own, { address: own, port: 0 }, octets));
      };
      const packet = protocol === 'esp' ? esp : ah;
      const assertShared = (): void => {
        for (const spi of spis) {
          send(packet(spi));
          assert.deepEqual(waiting(group), at(spi % count), `SPI ${spi}`);
        }
        for (const lengthBytes of [1, 7]) {
          send(packet(spis[1]!, lengthBytes));
          assert.deepEqual(waiting(group), at(0), `${lengthBytes} octets`);
        }
      };
      try {
        assertShared();
        const expected = [
          { spi: 301, remote: { address: address(family === 4 ? '192.0.2.1' : '2001:db8::1') } },
        ];
        for (const socket of group) {
          const { share } = socket;
          socket.filter(floodFilter({ protocol, family, transport: 'raw', share, expected, oneOf: 2 ** 20 }));
        }
        for (const spi of [301, 304, 302, 300]) send(packet(spi));
        assert.deepEqual(waiting(group), at(301 % count));
        send(packet(302, 7));
        assert.deepEqual(waiting(group), at(0));
        for (const socket of group) socket.filter(undefined);
        assertShared();
        // What is another socket's does not count as lost.
        assert.deepEqual(
          group.map(({ overflow }) => overflow),
          group.map(() => 0),
        );
      } finally {
        for (const socket of group) socket.close();
      }
    });
}
