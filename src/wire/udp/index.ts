// UDP datagrams.
export * from './datagram.ts';
