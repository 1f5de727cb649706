// Arbitrary UDP datagrams for property tests.
import fc from 'fast-check';
import { plainRecord } from '../../testing/plain-record.ts';
import type { UdpDatagram } from '../datagram.ts';

export const udpDatagrams: fc.Arbitrary<UdpDatagram> = plainRecord<UdpDatagram>({
  sourcePort: fc.nat(0xffff),
  destinationPort: fc.nat(0xffff),
  checksummed: fc.boolean(),
  payload: fc.uint8Array({ maxLength: 64, size: 'max' }),
});
