// What the filter against floods of unknown SPIs lets through, by a machine of our own and by the kernel's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressBytes, type Endpoint, type IpAddress } from '#sa';
import { DatagramSocket } from '../../sockets/datagram-socket.ts';
import { runFilter } from '../../testing/bpf-machine.ts';
import { type ExpectedSa, type FloodFilterOptions, floodFilter } from './flood-filter.ts';

const peers = { 4: '192.0.2.1', 6: '2001:db8::1' } as Record<4 | 6, IpAddress>;
const strangers = { 4: '198.51.100.7', 6: '2001:db8:1::7' } as Record<4 | 6, IpAddress>;
const known = 0xc000_0001;

interface Packet {
  readonly source: Endpoint;
  /** The payload of the UDP datagram, or of protocol 50. */
  readonly payload: Uint8Array;
}

function esp(spi: number, lengthBytes = 40): Uint8Array {
  const octets = new Uint8Array(Math.max(4, lengthBytes));
  new DataView(octets.buffer).setUint32(0, spi);
  return octets.slice(0, lengthBytes);
}

/** Whether it passes: the octets are arranged as a socket of the kernel shows them to its filter. */
function passes(options: FloodFilterOptions, { source, payload }: Packet, random = 1): boolean {
  const { family, transport } = options;
  const header = new Uint8Array(family === 4 ? 20 : 40);
  header[0] = family === 4 ? 0x45 : 0x60;
  header.set(addressBytes(source.address), family === 4 ? 12 : 8);
  const udp = new Uint8Array(transport === 'udp' ? 8 : 0);
  if (transport === 'udp') new DataView(udp.buffer).setUint16(0, source.port);
  const network = new Uint8Array([...header, ...udp, ...payload]);
  const seen = transport === 'raw' && family === 4 ? network : network.subarray(header.length);
  return runFilter(floodFilter(options)!, seen, { network, random: () => random }) > 0;
}

const kinds = ([4, 6] as const).flatMap((family) =>
  (['udp', 'raw'] as const).map((transport) => ({ protocol: 'esp' as const, family, transport })),
);

for (const kind of kinds) {
  const { family, transport } = kind;
  const peer = { address: peers[family], port: transport === 'udp' ? 4500 : 0 };
  const stranger = { address: strangers[family], port: transport === 'udp' ? 40_000 : 0 };
  const others: ExpectedSa[] = [
    { spi: 0x1234_5678, remote: { address: peers[family === 4 ? 6 : 4] } },
    { spi: 0x8765_4321, remote: { address: '203.0.113.5' as IpAddress } },
  ];
  const options = { ...kind, oneOf: 64, expected: [...others, { spi: known, remote: peer }] };

  test(`IPv${family}, ${transport}: an inbound SA's packets pass, wherever they come from`, () => {
    assert.ok(passes(options, { source: stranger, payload: esp(known) }));
    assert.ok(passes(options, { source: stranger, payload: esp(known, 8) }));
    assert.ok(!passes(options, { source: stranger, payload: esp(known + 1) }));
  });

  test(`IPv${family}, ${transport}: whatever comes from where a peer is passes`, () => {
    assert.ok(passes(options, { source: peer, payload: esp(99_999) }));
    const address = (family === 4 ? '193.0.2.1' : '2101:db8::1') as IpAddress;
    assert.ok(!passes(options, { source: { ...peer, address }, payload: esp(99_999) }));
    // Its NAT may have given it another port.
    assert.ok(passes(options, { source: { ...peer, port: 4501 }, payload: esp(99_999) }));
  });

  test(`IPv${family}, ${transport}: of unknown SPIs one in so many passes`, () => {
    let passed = 0;
    for (let random = 0; random < 640; random++) {
      if (passes(options, { source: stranger, payload: esp(99_999) }, random)) passed++;
    }
    assert.equal(passed, 10);
  });

  test(`IPv${family}, ${transport}: what is no ESP passes`, () => {
    for (const lengthBytes of [0, 1, 7])
      assert.ok(passes(options, { source: stranger, payload: esp(99_999, lengthBytes) }));
    // IKE's marker; SPI 0 in ESP itself is never an SA's.
    assert.equal(passes(options, { source: stranger, payload: esp(0) }), transport === 'udp');
  });

  test(`IPv${family}, ${transport}: no inbound SA's packet is ever held back, and nobody else's that is sampled`, () => {
    const spi = fc.integer({ min: 256, max: 0xffff_ffff });
    fc.assert(
      fc.property(
        fc.uniqueArray(spi, { maxLength: 50 }),
        spi,
        fc.nat(0xffff_ffff),
        fc.nat(8),
        (spis, other, random, power) => {
          const expected = spis.map((one) => ({ spi: one, remote: peer }));
          const all = { ...kind, expected, oneOf: 2 ** power };
          for (const one of spis) assert.ok(passes(all, { source: stranger, payload: esp(one) }, random));
          const sampled = random % 2 ** power === 0;
          assert.equal(
            passes(all, { source: stranger, payload: esp(other) }, random),
            sampled || spis.includes(other),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  test(`IPv${family}, ${transport}: with more SAs than a program has room for there is no filter`, () => {
    const many = (count: number): ExpectedSa[] =>
      Array.from({ length: count }, (_, i) => ({ spi: 256 + i, remote: peer }));
    const full = floodFilter({ ...kind, expected: many(4000), oneOf: 64 });
    assert.ok(full);
    for (const spi of [256, 505, 506, 4255])
      assert.ok(
        passes({ ...kind, expected: many(4000), oneOf: 64 }, { source: stranger, payload: esp(spi) }),
      );
    assert.ok(
      !passes({ ...kind, expected: many(4000), oneOf: 64 }, { source: stranger, payload: esp(4256) }),
    );
    assert.equal(floodFilter({ ...kind, expected: many(4100), oneOf: 64 }), undefined);
  });
}

for (const family of [4, 6] as const) {
  test(`the kernel filters a UDP socket of IPv${family} the same way`, (t) => {
    const loopback = (family === 4 ? '127.0.0.1' : '::1') as IpAddress;
    let receiver: DatagramSocket;
    try {
      receiver = new DatagramSocket(loopback, { kind: 'udp', port: 24_500 });
    } catch (error) {
      if (family === 4) throw error;
      t.skip('no IPv6 here');
      return;
    }
    const stranger = new DatagramSocket(loopback, { kind: 'udp', port: 24_501 });
    try {
      const filter = (address: IpAddress): void => {
        const expected = [{ spi: known, remote: { address } }];
        receiver.filter(floodFilter({ protocol: 'esp', family, transport: 'udp', expected, oneOf: 2 ** 20 }));
      };
      filter(peers[family]);
      const to = { address: loopback, port: 24_500 };
      const received = (payload: Uint8Array): boolean => {
        assert.ok(stranger.send(loopback, to, payload));
        return receiver.receive() !== undefined;
      };
      assert.ok(received(esp(known)));
      assert.ok(!received(esp(99_999)));
      assert.ok(received(esp(0)));
      assert.ok(received(Uint8Array.of(0xff)));
      filter(loopback);
      assert.ok(received(esp(99_999)));
      // What the filter took did not find no room.
      assert.equal(receiver.overflow, 0);
      receiver.filter(undefined);
      assert.ok(received(esp(99_999)));
      assert.equal(receiver.overflow, 0);
      // One that was left with a filter, as by a thread that died.
      receiver.filter(
        floodFilter({ protocol: 'esp', family, transport: 'udp', expected: [], oneOf: 2 ** 20 }),
      );
      const adopted = new DatagramSocket(loopback, { kind: 'udp', port: 24_500 }, { adopted: receiver.fd });
      adopted.filter(undefined);
      assert.ok(stranger.send(loopback, to, esp(99_999)));
      assert.ok(adopted.receive());
      assert.equal(adopted.overflow, 0);
    } finally {
      for (const socket of [receiver, stranger]) socket.close();
    }
  });
}

for (const family of [4, 6] as const) {
  test(`the kernel filters a raw socket of IPv${family} the same way`, (t) => {
    const loopback = (family === 4 ? '127.0.0.1' : '::1') as IpAddress;
    let receiver: DatagramSocket;
    try {
      receiver = new DatagramSocket(loopback, { kind: 'raw', protocol: 50 });
    } catch {
      t.skip('raw sockets need CAP_NET_RAW, and this family an address');
      return;
    }
    const sender = new DatagramSocket(loopback, { kind: 'raw', protocol: 50 });
    try {
      const received = (payload: Uint8Array): boolean => {
        assert.ok(sender.send(loopback, { address: loopback, port: 0 }, payload));
        return receiver.receive() !== undefined;
      };
      const filter = (remote: IpAddress): void => {
        const expected = [{ spi: known, remote: { address: remote, port: 0 } }];
        receiver.filter(floodFilter({ protocol: 'esp', family, transport: 'raw', expected, oneOf: 2 ** 20 }));
      };
      filter(peers[family]);
      assert.ok(received(esp(known)));
      assert.ok(!received(esp(99_999)));
      assert.ok(received(esp(99_999, 7)));
      filter(loopback);
      assert.ok(received(esp(99_999)));
      assert.equal(receiver.overflow, 0);
    } finally {
      receiver.close();
      sender.close();
    }
  });
}

for (const family of [4, 6] as const) {
  test(`IPv${family}: AH has its SPI behind four other octets`, () => {
    const remote = { address: peers[family], port: 0 };
    const options = {
      protocol: 'ah',
      family,
      transport: 'raw',
      expected: [{ spi: known, remote }],
      oneOf: 64,
    } as const;
    const ah = (spi: number, lengthBytes = 24): Uint8Array =>
      new Uint8Array([...esp(0x3204_0000, 4), ...esp(spi)]).slice(0, lengthBytes);
    const source = { address: strangers[family], port: 0 };
    assert.ok(passes(options, { source, payload: ah(known) }));
    assert.ok(!passes(options, { source, payload: ah(99_999) }));
    assert.ok(passes(options, { source: remote, payload: ah(99_999) }));
    assert.ok(passes(options, { source, payload: ah(99_999, 11) }));
  });
}
