// Arbitrary ESP packets for property tests.
import fc from 'fast-check';
import { plainRecord } from '../../testing/plain-record.ts';
import type { EspPacket } from '../packet.ts';

export const espPackets: fc.Arbitrary<EspPacket> = plainRecord<EspPacket>({
  spi: fc.integer({ min: 1, max: 0xffff_ffff }),
  sequence: fc.nat(0xffff_ffff),
  body: fc.uint8Array({ maxLength: 64, size: 'max' }),
});
