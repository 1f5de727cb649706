import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorsOf, load, warningsOf } from '../testing/load.ts';

test('so many packet threads, and what leaves nothing to all but one', () => {
  const host = (lines: string): string => `wayward {\n${lines}\n}\n`;
  assert.equal(load('').host.packetThreads, 1);
  for (const threads of [1, 16]) {
    const text = host(`packet_threads = ${threads}\ndata_plane = userspace`);
    assert.equal(load(text).host.packetThreads, threads);
    assert.deepEqual(warningsOf(text), []);
  }
  for (const bad of ['0', '17', '1.5', '-1', 'all'])
    assert.deepEqual(errorsOf(host(`packet_threads = ${bad}`)), [
      `swanctl.conf:2:18: packet_threads = "${bad}": expected a whole number from 1 to 16`,
    ]);
  assert.deepEqual(warningsOf(host('data_plane = kernel\npacket_threads = 4')), [
    "swanctl.conf:3:18: packet_threads = 4 has no effect: with data_plane = kernel, packets are the kernel's",
  ]);
  assert.deepEqual(warningsOf(host('data_plane = kernel\npacket_threads = 1')), []);
  // Which data plane there will be is not known here.
  assert.deepEqual(warningsOf(host('data_plane = auto\npacket_threads = 4')), []);
});

test('a host with a Host Identity has one packet thread', () => {
  const files = { '/etc/swanctl/hip/a.pem': 'key a' };
  const identity = 'hip { identities { a { file = hip/a.pem\n} } }\n';
  const host = (threads: number): string => `wayward {\npacket_threads = ${threads}\n}\n`;
  const refused = "packet_threads = 2 and a Host Identity: HIP's traffic goes by one thread";
  assert.deepEqual(errorsOf(`${identity}${host(2)}`, files), [`swanctl.conf:4:18: ${refused}`]);
  assert.deepEqual(errorsOf(`${host(2)}${identity}`, files), [`swanctl.conf:2:18: ${refused}`]);
  assert.deepEqual(
    errorsOf(`include threads.conf\n${identity}`, { ...files, '/etc/swanctl/threads.conf': host(2) }),
    [`threads.conf:2:18: ${refused}`],
  );
  assert.equal(load(`${identity}${host(1)}`, files).host.packetThreads, 1);
  assert.equal(load(`hip { accept = any\n}\n${host(2)}`).host.packetThreads, 2);
});
