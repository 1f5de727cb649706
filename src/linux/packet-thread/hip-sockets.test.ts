// HIP packets over the loopback device: right in IP, in UDP, and ICMP that only goes out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type Endpoint } from '#sa';
import { Epoll } from '../libc/epoll.ts';
import { DatagramSocket } from '../sockets/datagram-socket.ts';
import { HipSockets } from './hip-sockets.ts';

const needsRoot = { skip: process.getuid?.() === 0 ? false : 'needs root' };
const packet = Uint8Array.from({ length: 40 }, (_, i) => i + 1);

for (const own of ['127.0.0.1', '::1']) {
  test(`what is sent is received without its headers, over ${own}`, needsRoot, () => {
    const here = address(own);
    const hip = new HipSockets([here], (address, transport) => new DatagramSocket(address, transport));
    const epoll = new Epoll();
    for (const { fd } of hip.all) epoll.add(fd);
    try {
      const raw: Endpoint = { address: here, port: 0 };
      const seen: [Endpoint, Endpoint, Uint8Array][] = [];
      hip.transmit(raw, raw, packet);
      assert.deepEqual(epoll.wait(2_000), [hip.raw[0]!.fd]);
      hip.receive(hip.raw[0]!, (local, remote, octets) => seen.push([local, remote, octets.slice()]));
      assert.deepEqual(seen, [[raw, raw, packet]]);

      const udp: Endpoint = { address: here, port: 10_500 };
      hip.transmit(udp, udp, packet);
      assert.deepEqual(epoll.wait(2_000), [hip.udp[0]!.fd]);
      const datagram = hip.udp[0]!.receive()!;
      assert.deepEqual([datagram.local, datagram.remote], [udp, udp]);
      assert.deepEqual([...datagram.octets], [0, 0, 0, 0, ...packet]);

      // A Parameter Problem about nothing of ours: no socket here has anything to read for it.
      const problem = new Uint8Array(36);
      problem[0] = own === '::1' ? 4 : 12;
      hip.complain(here, here, problem);
      assert.deepEqual(epoll.wait(200), []);
      assert.equal(hip.unsent, 0);

      hip.transmit({ address: here, port: 9 }, udp, packet);
      assert.equal(hip.unsent, 1, 'there is no socket of that port');
    } finally {
      epoll.close();
      for (const socket of hip.all) socket.close();
    }
  });
}
