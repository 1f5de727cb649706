import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { reservePorts } from './reserved-ports.ts';

test('given several who ask at once and use nothing yet, each has ports of its own', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => reservePorts(['127.0.0.1', '127.0.0.2'])));
  const ports = all.flatMap(({ ike, natTraversal }) => [ike, natTraversal]);
  assert.equal(new Set(ports).size, ports.length);
});

test('given a port of the next pair in use on one of the addresses, the pair is left out', async (t) => {
  const { ike } = await reservePorts(['127.0.0.1']);
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.bind({ address: '127.0.0.2', port: ike + 3 });
  // Somebody else may have it already: that is as good.
  await Promise.race([once(socket, 'listening'), once(socket, 'error')]);
  const next = await reservePorts(['127.0.0.1', '127.0.0.2']);
  assert.ok(![next.ike, next.natTraversal].includes(ike + 3));
});
