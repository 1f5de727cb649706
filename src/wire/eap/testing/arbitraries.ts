// Arbitrary EAP packets for property tests.
import fc from 'fast-check';
import { EapCode, type EapPacket, type MsChapRequest, type MsChapResponse } from '../index.ts';

const u8 = fc.nat(255);
const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength, size: 'max' });
const exactly = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

export const eapPackets: fc.Arbitrary<EapPacket> = fc.oneof(
  fc
    .tuple(fc.constantFrom(EapCode.REQUEST, EapCode.RESPONSE), u8, u8, octets(80))
    .map(([code, identifier, type, data]): EapPacket => ({ code, identifier, type, data })),
  fc
    .tuple(fc.constantFrom(EapCode.SUCCESS, EapCode.FAILURE), u8)
    .map(([code, identifier]): EapPacket => ({ code, identifier })),
);

export const msChapRequests: fc.Arbitrary<MsChapRequest> = fc.oneof(
  fc
    .tuple(u8, exactly(16), octets(40))
    .map(
      ([identifier, challenge, name]): MsChapRequest => ({ kind: 'challenge', identifier, challenge, name }),
    ),
  fc
    .tuple(fc.constantFrom('success' as const, 'failure' as const), u8, octets(60))
    .map(([kind, identifier, message]): MsChapRequest => ({ kind, identifier, message })),
);

export const msChapResponses: fc.Arbitrary<MsChapResponse> = fc.oneof(
  fc.tuple(u8, exactly(16), exactly(24), octets(40)).map(
    ([identifier, peerChallenge, ntResponse, name]): MsChapResponse => ({
      kind: 'response',
      identifier,
      peerChallenge,
      ntResponse,
      name,
    }),
  ),
  fc.constantFrom<MsChapResponse>({ kind: 'success' }, { kind: 'failure' }),
);
