// Arbitrary AH packets for property tests.
import fc from 'fast-check';
import { plainRecord } from '../../testing/plain-record.ts';
import { type AhPacket, ahIcvLengthMax } from '../header.ts';

export const ahPackets: fc.Arbitrary<AhPacket> = plainRecord<AhPacket>({
  nextHeader: fc.nat(255),
  spi: fc.nat(0xffff_ffff),
  sequence: fc.nat(0xffff_ffff),
  icv: fc
    .oneof(fc.nat(16), fc.constant(ahIcvLengthMax / 4))
    .chain((words) => fc.uint8Array({ minLength: words * 4, maxLength: words * 4, size: 'max' })),
  payload: fc.uint8Array({ maxLength: 64, size: 'max' }),
});
