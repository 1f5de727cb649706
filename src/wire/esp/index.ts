// ESP packets and their UDP encapsulation.
export * from './packet.ts';
export * from './udp-encapsulation.ts';
