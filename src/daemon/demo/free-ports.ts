// Two UDP ports for the demonstration that nobody else on this machine uses.
import { createSocket } from 'node:dgram';

export interface DemoPorts {
  readonly ike: number;
  readonly natTraversal: number;
}

const firstPort = 17_500;
const pairsMax = 50;

/**
 * The first pair that is free on all addresses.
 * @throws the system's error if it is another than EADDRINUSE, or if all pairs are in use
 */
export async function freePorts(addresses: readonly string[]): Promise<DemoPorts> {
  for (let pair = 0; ; pair++) {
    const ike = firstPort + 2 * pair;
    const ports = { ike, natTraversal: ike + 1 };
    try {
      for (const address of addresses) for (const port of Object.values(ports)) await tryPort(address, port);
      return ports;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || pair + 1 === pairsMax) throw error;
    }
  }
}

function tryPort(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve()));
  });
}
