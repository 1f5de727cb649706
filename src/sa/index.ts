// Room `sa`: the vocabulary shared by keying protocols and data planes. Types, pure functions, and the queue of their timers.
export * from './address.ts';
export * from './algorithm-keywords.ts';
export * from './algorithms.ts';
export { DeadlineQueue } from './deadline-queue.ts';
export * from './host-identity-algorithms.ts';
export * from './host-identity-tag.ts';
export type { LsiPeer, LsiTable } from './local-scope-identifier.ts';
export * from './parameters.ts';
export * from './sequence-number.ts';
export { addTo, removeFrom } from './sets-by-key.ts';
export * from './spi.ts';
export { formatSuite } from './suite-text.ts';
export * from './traffic-selector.ts';
