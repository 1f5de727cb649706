// A TCP stream whose octets are checked: `serve ADDRESS PORT` answers with a hash, `send ADDRESS PORT BYTES` compares it.
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';

const [role, address, port, bytes] = process.argv.slice(2);

/** Octets that do not repeat within a packet, in pieces of odd sizes. */
function* pieces(total: number): Iterable<Uint8Array> {
  for (let sent = 0, i = 1; sent < total; i++) {
    const piece = new Uint8Array(Math.min((i * 7919) % 100_003, total - sent));
    for (let at = 0; at < piece.length; at++) piece[at] = Math.imul(sent + at, 0x9e37_79b1) >>> 23;
    sent += piece.length;
    yield piece;
  }
}

function send(total: number): void {
  const hash = createHash('sha256');
  const socket = connect({ host: address!, port: Number(port) });
  let answer = '';
  socket.on('data', (octets) => {
    answer += octets.toString();
  });
  socket.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  socket.on('end', () => {
    const same = answer === hash.digest('hex');
    console.log(same ? 'same' : 'different');
    process.exit(same ? 0 : 1);
  });
  socket.on('connect', async () => {
    for (const piece of pieces(total)) {
      hash.update(piece);
      if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
    }
    socket.end();
  });
}

if (role === 'serve') {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const hash = createHash('sha256');
    socket.on('data', (octets) => hash.update(octets));
    socket.on('end', () => socket.end(hash.digest('hex')));
    socket.on('error', () => undefined);
  });
  server.listen(Number(port), address, () => console.log('ready'));
} else {
  send(Number(bytes));
}
