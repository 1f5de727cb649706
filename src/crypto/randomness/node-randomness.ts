// Randomness for daemons: the operating system's, through OpenSSL.
import { randomFillSync } from 'node:crypto';
import { keyExchangeMethod } from '../key-exchange/key-exchange-method.ts';
import type { Randomness } from '../ports.ts';
import { sign } from '../signatures/sign.ts';

export function nodeRandomness(): Randomness {
  return {
    bytes: (count) => randomFillSync(new Uint8Array(count)),
    keyPair: (group) => keyExchangeMethod(group).generate(),
    sign,
  };
}
