// The kernel's word about who is at the other end, and nobody else's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { SystemCallError } from '../libc/errno.ts';
import { peerCredentials } from './peer-credentials.ts';

test('both ends of a local socket see this process', async () => {
  const name = `\0wayward-credentials-${process.pid}`;
  const server = createServer();
  server.listen(name);
  await once(server, 'listening');
  const client = connect(name);
  const [accepted] = await once(server, 'connection');
  try {
    for (const socket of [client, accepted]) {
      const credentials = peerCredentials(socket._handle.fd);
      const ours = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
      assert.deepEqual(credentials, ours);
    }
  } finally {
    client.destroy();
    accepted.destroy();
    server.close();
  }
});

test('what is no local socket has no credentials', () => {
  assert.throws(
    () => peerCredentials(-1),
    (error) => error instanceof SystemCallError && error.code === 'EBADF',
  );
});
