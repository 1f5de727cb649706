// Evidence and facts of an ordinary unknown SPI, for tests that change one thing at a time.
import { address, type Endpoint, type UnknownSpiEvidence } from '#sa';
import { type IkeSpi, PayloadType, type ReceivedIkeHeader } from '#wire';
import type { SpiFacts, SpiHistoryFact } from '../verdict/esp-verdict.ts';
import type { IkeFacts, UnknownIkeEvidence } from '../verdict/ike-verdict.ts';
import { unknownSpiPolicy } from '../verdict/policy.ts';

export const ourEnd: Endpoint = { address: address('192.0.2.1'), port: 4500 };
export const peerEnd: Endpoint = { address: address('198.51.100.2'), port: 34_567 };
export const initiatorSpi = '0102030405060708' as IkeSpi;
export const responderSpi = 'a1a2a3a4a5a6a7a8' as IkeSpi;

export function evidence(changes: Partial<UnknownSpiEvidence> = {}): UnknownSpiEvidence {
  return {
    protocol: 'esp',
    spi: 0xc0ffee00,
    sequence: 7,
    source: peerEnd,
    destination: ourEnd,
    encapsulated: true,
    lengthBytes: 136,
    count: 1,
    mergedBytes: (changes.lengthBytes ?? 136) * (changes.count ?? 1),
    ...changes,
  };
}

export function facts(changes: Partial<SpiFacts> = {}): SpiFacts {
  return {
    policy: unknownSpiPolicy('shy'),
    ready: true,
    destinationIsOurs: true,
    owner: 'nobody',
    history: undefined,
    ikeSa: undefined,
    historyIkeSaLive: false,
    configured: { ike: true, hip: false },
    ...changes,
  };
}

export function historyFact(changes: Partial<SpiHistoryFact> = {}): SpiHistoryFact {
  return {
    keying: 'ike',
    initiatorSpi,
    responderSpi,
    quickCrashDetection: true,
    late: false,
    reestablishable: true,
    ...changes,
  };
}

/** A liveness check of a peer whose IKE SA is forgotten. */
export function ikeHeader(changes: Partial<ReceivedIkeHeader> = {}): ReceivedIkeHeader {
  return {
    initiatorSpi,
    responderSpi,
    nextPayload: PayloadType.SK,
    majorVersion: 2,
    minorVersion: 0,
    exchangeType: 37,
    initiator: true,
    response: false,
    higherVersion: false,
    messageId: 41,
    length: 80,
    ...changes,
  };
}

export function ikeEvidence(changes: Partial<ReceivedIkeHeader> = {}): UnknownIkeEvidence {
  const header = ikeHeader(changes);
  return { header, source: peerEnd, destination: ourEnd, lengthBytes: header.length };
}

export function ikeFacts(changes: Partial<IkeFacts> = {}): IkeFacts {
  return {
    policy: unknownSpiPolicy('shy'),
    ready: true,
    destinationIsOurs: true,
    claimedByOther: false,
    ikeSaLive: false,
    history: undefined,
    ...changes,
  };
}
