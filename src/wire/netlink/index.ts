// Netlink: how programs talk to the Linux kernel. What follows is the same for every family (netlink(7)): fields are in
// the machine's byte order, which is little-endian wherever this project runs.
export * from './attribute.ts';
export * from './message.ts';
export * from './outcome.ts';
