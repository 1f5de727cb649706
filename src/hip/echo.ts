// What a peer wants to have back (RFC 7401 5.2.20): as long as there is room for it beside everything else in an answer.
import { type HipParameter, hipParameter } from '#wire';

/** What is left beside a Diffie-Hellman value and the longest signature that fits into an R1. */
const echoBytesMax = 512;

/** `too-long`: an answer might not fit into a packet. `undefined`: nothing is to be returned. */
export function echoWanted(parameters: readonly HipParameter[]): Uint8Array | 'too-long' | undefined {
  const data = hipParameter(parameters, 'ECHO_REQUEST_SIGNED')?.data;
  if (data === undefined) return undefined;
  return data.length > echoBytesMax ? 'too-long' : data.slice();
}
