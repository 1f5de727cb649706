// What I2 says, looked at before it costs anything: no key is made, nothing is deciphered (RFC 7401 6.9, RFC 7402 6.5).
import { hitSuiteProfile, isPuzzleSolved } from '#crypto';
import { isNegotiableSpi } from '#sa';
import { type HipParameterOf, HipParameterType, hipParameter, hitSuiteOf } from '#wire';
import { echoWanted } from '../echo.ts';
import type { HipHostState, ReceivedPacket } from '../host-state.ts';
import type { HipRejection } from '../interface.ts';
import type { R1Entry } from './r1-pool.ts';

export interface Offer {
  readonly entry: R1Entry;
  readonly info: HipParameterOf<'ESP_INFO'>;
  readonly solution: HipParameterOf<'SOLUTION'>;
  readonly keyExchange: HipParameterOf<'DIFFIE_HELLMAN'>;
  readonly cipher: number;
  readonly espSuite: number;
  /** What R2 has to have. */
  readonly echo: Uint8Array | undefined;
}

/** Found by `judgeOffer` in an I2 whose puzzle is solved. */
export const behindPuzzle: ReadonlySet<HipRejection> = new Set<HipRejection>([
  'cipher',
  'group',
  'transport',
  'esp-transform',
  'spi',
  'echo',
]);

export function judgeOffer(state: HipHostState, { packet, path }: ReceivedPacket): Offer | HipRejection {
  const { parameters, header } = packet;
  const { receiver, sender } = header;
  if (hitSuiteProfile(hitSuiteOf(sender) ?? 0) === undefined) return 'hit-suite';
  const solution = hipParameter(parameters, 'SOLUTION');
  const info = hipParameter(parameters, 'ESP_INFO');
  const keyExchange = hipParameter(parameters, 'DIFFIE_HELLMAN');
  const ciphers = hipParameter(parameters, 'HIP_CIPHER')?.ciphers;
  const formats = hipParameter(parameters, 'TRANSPORT_FORMAT_LIST')?.formats;
  const transform = hipParameter(parameters, 'ESP_TRANSFORM')?.suites;
  if (!solution || !info || !keyExchange || !ciphers || !formats || !transform) return 'missing-parameter';

  const { responder, configuration, at } = state;
  const entry = responder.pool.find(solution.opaque, at);
  if (entry === undefined || entry.local.identity.hit !== receiver) return 'stale-puzzle';
  const { random, difficulty } = solution;
  const made = responder.random(sender, receiver, path, entry);
  if (difficulty !== entry.difficulty || !responder.isOurs(random, made)) return 'stale-puzzle';
  const counter = hipParameter(parameters, 'R1_COUNTER')?.counter;
  if (counter !== undefined && counter !== entry.counter) return 'stale-puzzle';
  const puzzle = { initiator: sender, responder: receiver, random, difficulty };
  if (!isPuzzleSolved(puzzle, solution.solution)) return 'puzzle';
  if (responder.solutions.isSpent(entry, random, solution.solution)) return 'repeated';

  const [cipher] = ciphers;
  if (ciphers.length !== 1 || cipher === undefined || !configuration.ciphers.includes(cipher))
    return 'cipher';
  if (keyExchange.group !== entry.group) return 'group';
  if (formats.length !== 1 || formats[0] !== HipParameterType.ESP_TRANSFORM) return 'transport';
  const [espSuite] = transform;
  if (transform.length !== 1 || espSuite === undefined || !configuration.espSuites.includes(espSuite))
    return 'esp-transform';
  if (info.oldSpi !== 0 || !isNegotiableSpi(info.newSpi)) return 'spi';
  const echo = echoWanted(parameters);
  if (echo === 'too-long') return 'echo';
  return { entry, info, solution, keyExchange, cipher, espSuite, echo };
}
