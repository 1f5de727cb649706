// On the way: passes IKE_SA_INIT on, and answers the first request itself, a moment before the peer's own answer.
// `two-answers.js PORT PEER` listens on PORT and prints `ready`.
import { randomFillSync } from 'node:crypto';
import { createSocket, type RemoteInfo } from 'node:dgram';

const ikePort = 500;
/** Of the responder's SPI in the header (RFC 7296 3.1). */
const responderSpi = [8, 16] as const;

const [, , port, peer = ''] = process.argv;
const type = peer.includes(':') ? 'udp6' : 'udp4';
const [near, far] = [createSocket(type), createSocket(type)];
let initiator: RemoteInfo | undefined;
let forged = false;

near.on('message', (request, from) => {
  initiator = from;
  far.send(request, ikePort, peer);
});
far.on('message', (answer) => {
  if (initiator === undefined) return;
  if (!forged) {
    forged = true;
    // Of another IKE SA, and so under other keys.
    const other = Buffer.from(answer);
    randomFillSync(other.subarray(...responderSpi));
    near.send(other, initiator.port, initiator.address);
  }
  near.send(answer, initiator.port, initiator.address);
});
near.bind(Number(port), () => console.log('ready'));
