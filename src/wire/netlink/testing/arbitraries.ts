// Arbitrary netlink messages and attributes for property tests.
import fc from 'fast-check';
import { plainRecord } from '../../testing/plain-record.ts';
import type { NetlinkAttribute } from '../attribute.ts';
import type { NetlinkMessage } from '../message.ts';

export const netlinkMessages: fc.Arbitrary<NetlinkMessage> = plainRecord<NetlinkMessage>({
  type: fc.nat(0xffff),
  flags: fc.nat(0xffff),
  sequence: fc.nat(0xffff_ffff),
  portId: fc.nat(0xffff_ffff),
  payload: fc.uint8Array({ maxLength: 40, size: 'max' }),
});

export const netlinkAttributes: fc.Arbitrary<NetlinkAttribute> = plainRecord<NetlinkAttribute>({
  type: fc.nat(0x3fff),
  payload: fc.uint8Array({ maxLength: 20, size: 'max' }),
});
