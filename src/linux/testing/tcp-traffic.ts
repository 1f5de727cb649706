// A TCP stream whose octets are checked: who is sent to answers with a hash, and who sends compares it.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const port = 5_999;

/** Octets that do not repeat within a packet, in pieces of odd sizes. */
function* pieces(total: number): Iterable<Uint8Array> {
  for (let sent = 0, i = 1; sent < total; i++) {
    const piece = new Uint8Array(Math.min((i * 7919) % 100_003, total - sent));
    for (let at = 0; at < piece.length; at++) piece[at] = Math.imul(sent + at, 0x9e37_79b1) >>> 23;
    sent += piece.length;
    yield piece;
  }
}

/** Whether they came as they were. @throws if there is no connection, or no more */
export async function sendStream(address: string, total: number): Promise<boolean> {
  const hash = createHash('sha256');
  const socket = connect({ host: address, port });
  let answer = '';
  socket.on('data', (octets) => {
    answer += octets.toString();
  });
  const ended = once(socket, 'end');
  await Promise.race([once(socket, 'connect'), ended]);
  for (const piece of pieces(total)) {
    hash.update(piece);
    if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), ended]);
  }
  socket.end();
  await ended;
  return answer === hash.digest('hex');
}

/** Takes streams to this address from now on. */
export async function takeStreams(address: string): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const hash = createHash('sha256');
    socket.on('data', (octets) => hash.update(octets));
    socket.on('end', () => socket.end(hash.digest('hex')));
    socket.on('error', () => undefined);
  });
  // Who serves may end meanwhile.
  server.unref();
  server.listen(port, address);
  await once(server, 'listening');
}
