// A device that is read packet by packet, for a test within a namespace of its own. Says what it saw as JSON.
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { decodeIp, decodeUdp, IpProtocol } from '#wire';
import { TunPackets } from '../tun-packets.ts';

export interface TunPacketsReport {
  readonly writtenWhileDown: boolean;
  /** Of what arrived: octets of the packet, and the text in its UDP datagram if its checksum is right. */
  readonly packets: readonly (readonly [number, string])[];
  readonly secondReader: string;
  readonly writtenWhenClosed: boolean;
  /** Whether the interface is gone once its reader has ended. */
  readonly gone: boolean;
  /** What the reader of a device hears that somebody else deletes. */
  readonly deleted: string;
}

const ip = (...words: string[]): void => {
  execFileSync('ip', words, { stdio: 'ignore' });
};
const isThere = (name: string): boolean => {
  try {
    ip('link', 'show', name);
    return true;
  } catch {
    return false;
  }
};
const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: Error) => error.message,
  );

const tun = new TunPackets('wwplain%d');
const writtenWhileDown = tun.write(new Uint8Array(20).fill(0x45, 0, 1));
ip('address', 'add', '10.8.0.1/24', 'dev', tun.name);
ip('link', 'set', tun.name, 'up');
ip('route', 'add', '10.9.0.0/24', 'dev', tun.name);

const packets: (readonly [number, string])[] = [];
const reading = (async () => {
  for await (const octets of tun.packets()) {
    const packet = decodeIp(octets);
    if (packet.version !== 4 || packet.protocol !== IpProtocol.UDP) continue;
    const { payload } = decodeUdp(packet.payload, packet);
    packets.push([octets.length, Buffer.from(payload).toString()]);
    if (packets.length === 200) tun.close();
  }
})();
const secondReader = await failureOf(tun.packets().next());
const socket = createSocket('udp4');
for (let i = 0; i < 200; i++)
  await new Promise((resolve) => socket.send(`datagram ${i}`, 9, '10.9.0.7', resolve));
await reading;
const gone = !isThere(tun.name);
socket.close();

const other = new TunPackets('wwplain%d');
const waiting = failureOf(other.packets().next());
ip('link', 'delete', other.name);
const deleted = await waiting;
other.close();

const report: TunPacketsReport = {
  ...{ writtenWhileDown, packets, secondReader, gone, deleted },
  writtenWhenClosed: tun.write(new Uint8Array(20)),
};
console.log(JSON.stringify(report));
