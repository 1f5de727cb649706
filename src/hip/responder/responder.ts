// What a host needs to answer I1 without keeping anything of it: R1 packets, puzzles, rates (RFC 7401 A, 4.1.1).
import { equalConstantTime, pseudorandomFunction, type Randomness } from '#crypto';
import { addressBytes, Prf } from '#sa';
import { type Hit, hitBytes } from '#wire';
import type { HipConfiguration } from '../configuration.ts';
import type { HipPath } from '../interface.ts';
import { PrefixRate } from '../prefix-rate.ts';
import { RequestLoad } from './load.ts';
import { R1Pool } from './r1-pool.ts';
import { SolutionMemory } from './solution-memory.ts';

/** NOTIFY packets for I2 that is of no use: each of them is a signature. */
const refusalsPerSecond = { perPrefix: 2, total: 50 } as const;

export class Responder {
  readonly pool: R1Pool;
  readonly load: RequestLoad;
  readonly solutions: SolutionMemory = new SolutionMemory();
  readonly #rate: PrefixRate;
  readonly #refusalRate: PrefixRate;
  readonly #secret: Uint8Array;

  constructor(randomness: Randomness, configuration: HipConfiguration, r1Counter: bigint, at: number) {
    this.pool = new R1Pool(randomness, r1Counter);
    this.load = new RequestLoad(at);
    const octets = randomness.bytes(4);
    const salt = new DataView(octets.buffer, octets.byteOffset).getUint32(0);
    this.#rate = new PrefixRate(salt, configuration.r1PerSecond, at);
    this.#refusalRate = new PrefixRate(salt, refusalsPerSecond, at);
    this.#secret = randomness.bytes(48);
  }

  mayAnswer(path: HipPath, configuration: HipConfiguration, at: number): boolean {
    return this.#rate.take(path.remote.address, configuration.r1PerSecond, at);
  }

  /** Whether an I2 may be answered by NOTIFY. */
  mayRefuse({ remote }: HipPath, at: number): boolean {
    return this.#refusalRate.take(remote.address, refusalsPerSecond, at);
  }

  /**
   * #I for an Initiator: made again from its I2, so that nothing of its I1 need be kept. Its own address and port are those that
   * R2 and ESP go to; to which of our addresses it comes does not matter (RFC 8047 4.2.8).
   */
  random(
    initiator: Hit,
    responder: Hit,
    path: HipPath,
    entry: { readonly number: number; readonly hashBytes: number },
  ): Uint8Array {
    const prf = pseudorandomFunction(Prf.HMAC_SHA2_384);
    const { number, hashBytes } = entry;
    const { address, port } = path.remote;
    return prf
      .compute(
        this.#secret,
        hitBytes(initiator),
        hitBytes(responder),
        addressBytes(address),
        Uint8Array.of(port >>> 8, port, number >>> 8, number),
      )
      .slice(0, hashBytes);
  }

  isOurs(random: Uint8Array, made: Uint8Array): boolean {
    return equalConstantTime(random, made);
  }
}
