// Randomness for daemons: the operating system's, through OpenSSL.
import { keyExchangeMethod } from '../key-exchange/key-exchange-method.ts';
import type { Randomness } from '../ports.ts';
import { sign } from '../signatures/sign.ts';
import { RandomPool } from './random-pool.ts';

/** Randomness, key pairs and signatures of `node:crypto`. */
export function nodeRandomness(): Randomness {
  const pool = new RandomPool();
  return {
    bytes: (count) => pool.bytes(count),
    keyPair: (group) => keyExchangeMethod(group).generate(),
    sign,
  };
}
