// What a fuzzed input says to an engine: datagrams one after another, each as it is or sealed under the peer's keys.
//
// Each step: flags (1 octet), exchange type (1), message ID (1), first payload (1), length (2), then so many octets or
// as many as there are. A sealed step's octets are the plaintext; a step that is not sealed, or for which there are no
// keys, is a datagram as it stands.
import { address, type Endpoint } from '#sa';
import { type IkeHeader, ikeHeaderLength } from '#wire';
import { type EngineHost, endpoints, type IkeKeyLog, natTraversalPort } from './engine-host.ts';
import { sealText } from './peer-cipher.ts';

export const StepFlag = {
  SEALED: 0x01,
  RESPONSE: 0x02,
  /** Under the keys of the newest IKE SA, not of the first. */
  NEWEST: 0x04,
  /** To UDP port 4500, behind a non-ESP marker. */
  MARKED: 0x08,
  ELSEWHERE: 0x10,
} as const;
/** In the exchange type of a step under the newest keys: the peer is not in the role that it had at first. */
export const otherRoleBit = 0x80;
/** The upper three bits of the flags: time that passes first. */
const waitsMs = [0, 0, 0, 10, 1_000, 5_000, 60_000, 600_000] as const;
const stepHeaderBytes = 6;
const stepsMax = 16;

export interface Step {
  readonly flags: number;
  readonly exchangeType: number;
  readonly messageId: number;
  readonly firstPayload: number;
  readonly octets: Uint8Array;
}

export function encodeSteps(steps: readonly Step[]): Uint8Array {
  return Uint8Array.from(
    steps.flatMap(({ flags, exchangeType, messageId, firstPayload, octets }) => [
      flags,
      exchangeType,
      messageId,
      firstPayload,
      octets.length >>> 8,
      octets.length & 0xff,
      ...octets,
    ]),
  );
}

export function decodeSteps(octets: Uint8Array): readonly Step[] {
  const steps: Step[] = [];
  for (let at = 0; at + stepHeaderBytes <= octets.length && steps.length < stepsMax; ) {
    const [flags = 0, exchangeType = 0, messageId = 0, firstPayload = 0, high = 0, low = 0] =
      octets.subarray(at);
    const start = at + stepHeaderBytes;
    at = start + (high << 8) + low;
    steps.push({ flags, exchangeType, messageId, firstPayload, octets: octets.slice(start, at) });
  }
  return steps;
}

function headerOf(
  { initiatorSpi, responderSpi }: IkeKeyLog,
  { flags, exchangeType, messageId }: Step,
  initiator: boolean,
): IkeHeader {
  return {
    initiatorSpi,
    responderSpi,
    majorVersion: 2,
    minorVersion: 0,
    exchangeType,
    initiator,
    response: (flags & StepFlag.RESPONSE) !== 0,
    higherVersion: false,
    messageId,
  };
}

function marked(octets: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(octets.length + 4);
  datagram.set(octets, 4);
  return datagram;
}

/** Mutations hardly ever get the length in an IKE header right. */
function withLength(octets: Uint8Array): Uint8Array {
  if (octets.length >= ikeHeaderLength)
    new DataView(octets.buffer, octets.byteOffset).setUint32(24, octets.length);
  return octets;
}

const elsewhere: Endpoint = { address: address('198.51.100.9'), port: 4500 };

/** Says everything to the host, and then ends it. Throws if it breaks a promise. */
export function play(host: EngineHost, script: Uint8Array): void {
  const steps = decodeSteps(script);
  const peer = endpoints[host.side === 'moon' ? 'sun' : 'moon'];
  for (const [index, step] of steps.entries()) {
    const { flags, exchangeType, octets } = step;
    host.wait(waitsMs[flags >>> 5] ?? 0);
    const newest = (flags & StepFlag.NEWEST) !== 0;
    const keys = newest ? host.keys.at(-1) : host.keys[0];
    let datagram: Uint8Array;
    if ((flags & StepFlag.SEALED) !== 0 && keys !== undefined) {
      // Whoever rekeys the IKE SA is the initiator of the new one.
      const initiator = (host.side === 'sun') !== (newest && (exchangeType & otherRoleBit) !== 0);
      const header = headerOf(keys, { ...step, exchangeType: exchangeType & ~otherRoleBit }, initiator);
      const { firstPayload, octets: text } = step;
      datagram = sealText(keys, { header, firstPayload, text }, 0x7000_0000 + index);
    } else {
      datagram = step.messageId === 0 ? withLength(octets) : octets;
    }
    const shared = (flags & StepFlag.MARKED) !== 0;
    const port = shared ? natTraversalPort : endpoints[host.side].port;
    host.sent.length = 0;
    host.give({
      kind: 'datagram',
      local: { address: endpoints[host.side].address, port },
      remote: (flags & StepFlag.ELSEWHERE) !== 0 ? elsewhere : { ...peer, port },
      octets: shared ? marked(datagram) : datagram,
    });
    // A response may come in fragments, requests may begin beside it; more would be amplification.
    if (host.sent.length > 16) throw new Error(`broken promise: ${host.sent.length} datagrams for one`);
    host.checkBounds(index + 1);
  }
  host.close();
}
