// Two UDP ports for the demonstration that nobody else on this machine uses, nor will as long as this process lives.
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';

export interface DemoPorts {
  readonly ike: number;
  readonly natTraversal: number;
}

const firstPort = 17_500;
const pairsMax = 50;

/**
 * The first pair that is free on all addresses. While a gateway is killed its ports are free, and another demonstration must
 * not take them: who has a pair listens to the TCP port of the same number, which two cannot.
 * @throws the system's error if it is another than EADDRINUSE, or if all pairs are in use
 */
export async function reservePorts(addresses: readonly string[]): Promise<DemoPorts> {
  for (let pair = 0; ; pair++) {
    const ike = firstPort + 2 * pair;
    const ports = { ike, natTraversal: ike + 1 };
    let reservation: Server | undefined;
    try {
      reservation = await reserve(ike);
      for (const address of addresses) for (const port of Object.values(ports)) await tryPort(address, port);
      return ports;
    } catch (error) {
      reservation?.close();
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || pair + 1 === pairsMax) throw error;
    }
  }
}

function reserve(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => resolve(server.unref()));
  });
}

function tryPort(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve()));
  });
}
