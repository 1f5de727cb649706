// Room `crypto`: from algorithm identifiers to working suites; the ports for randomness and private keys.
export * from './compute.ts';
export { CryptoError, type CryptoErrorCode } from './error.ts';
export * from './ports.ts';
export * from './suites.ts';
