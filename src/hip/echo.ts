// What a peer, or whoever passes its packets on, wants to have back (RFC 7401 5.2.20, 5.2.21): as far as an answer has room for it.
import {
  appendHipParameters,
  encodeHipParameters,
  type HipParameter,
  hipPacketLengthMax,
  hipParameter,
} from '#wire';

/** What is left beside a Diffie-Hellman value and the longest signature that fits into an R1. */
const echoBytesMax = 512;

/** `too-long`: an answer might not fit into a packet. `undefined`: nothing is to be returned. */
export function echoWanted(parameters: readonly HipParameter[]): Uint8Array | 'too-long' | undefined {
  const data = hipParameter(parameters, 'ECHO_REQUEST_SIGNED')?.data;
  if (data === undefined) return undefined;
  return data.length > echoBytesMax ? 'too-long' : data.slice();
}

/** Of the requests that no signature covers, which middleboxes may have added. */
export function unsignedEchoesWanted(parameters: readonly HipParameter[]): readonly Uint8Array[] {
  return parameters.flatMap((one) => (one.type === 'ECHO_REQUEST_UNSIGNED' ? [one.data.slice()] : []));
}

/** The signed packet with the answers to such requests behind it: whoever adds them can ask for more than there is room for. */
export function withUnsignedEchoes(signed: Uint8Array, wanted: readonly Uint8Array[]): Uint8Array {
  if (wanted.length === 0) return signed;
  let room = hipPacketLengthMax - signed.length;
  const echoes = wanted.flatMap((data) => {
    const parameter = { type: 'ECHO_RESPONSE_UNSIGNED' as const, data };
    const { length } = encodeHipParameters([parameter]);
    if (length > room) return [];
    room -= length;
    return [parameter];
  });
  return appendHipParameters(signed, echoes);
}
