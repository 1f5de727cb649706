// Requests of rtnetlink, octet for octet as iproute2 6.1 sends them (seen with strace): what follows its header.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WireError } from '../error.ts';
import { decodeNetlinkAttributes, decodeNetlinkText } from '../netlink/index.ts';
import { encodeHostAddress } from './address.ts';
import { decodeLinkIndex, encodeLinkQuestion, encodeLinkUp } from './link.ts';
import {
  decodeNextHop,
  encodeDeletedRoute,
  encodeNewRoute,
  encodeRouteQuestion,
  leadsHere,
} from './route.ts';
import { encodeRule } from './rule.ts';

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
const packed = (text: string): string => text.replaceAll(' ', '');
const ipv6 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.padEnd(32, '0'), 'hex'));

test('a device is asked for by its name, and the answer has its number', () => {
  const question = encodeLinkQuestion('d0');
  assert.equal(question.length, 16 + 8);
  assert.equal(decodeLinkIndex(question), 0);
  const [name] = decodeNetlinkAttributes(question.subarray(16));
  assert.equal(decodeNetlinkText(name!.payload), 'd0');
  assert.equal(decodeLinkIndex(encodeLinkUp(0x1234_5678, 1400)), 0x1234_5678);
  for (let length = 0; length < 8; length++)
    assert.throws(() => decodeLinkIndex(question.subarray(0, length)), WireError);
});

test('ip link set d0 mtu 1400 up', () => {
  assert.equal(hex(encodeLinkUp(2, 1400)).slice(32), packed('08000400 78050000'));
  assert.equal(hex(encodeLinkUp(2, 1400)).slice(0, 32), packed('00000000 02000000 01000000 01000000'));
});

test('ip -4 address replace 192.0.2.7/32 dev d0', () => {
  const octets = encodeHostAddress(2, Uint8Array.of(192, 0, 2, 7));
  assert.equal(hex(octets), packed('02200000 02000000 08000200 c0000207 08000100 c0000207'));
});

test('ip -6 address replace 2001:db8::7/128 dev d0 nodad', () => {
  const one = '20010db8000000000000000000000007';
  assert.equal(
    hex(encodeHostAddress(2, ipv6(one))),
    packed(`0a800200 02000000 14000200 ${one} 14000100 ${one}`),
  );
});

test('ip -4 route replace 10.9.0.0/16 dev d0 table 220 src 192.0.2.7', () => {
  const octets = encodeNewRoute({
    destination: Uint8Array.of(10, 9, 0, 0),
    prefixLength: 16,
    deviceIndex: 2,
    table: 220,
    source: Uint8Array.of(192, 0, 2, 7),
  });
  assert.equal(
    hex(octets),
    packed('02100000 dc03fd01 00000000 08000100 0a090000 08000700 c0000207 08000400 02000000'),
  );
});

test('ip -6 route replace 2001:db8:9::/48 dev d0 table 220', () => {
  const octets = encodeNewRoute({
    destination: ipv6('20010db80009'),
    prefixLength: 48,
    deviceIndex: 2,
    table: 220,
  });
  assert.equal(
    hex(octets),
    packed('0a300000 dc030001 00000000 14000100 20010db8000900000000000000000000 08000400 02000000'),
  );
});

test('ip -4 route replace 10.9.0.0/16 via 198.51.100.1 dev d0 onlink table 220', () => {
  const octets = encodeNewRoute({
    destination: Uint8Array.of(10, 9, 0, 0),
    prefixLength: 16,
    deviceIndex: 2,
    table: 220,
    gateway: Uint8Array.of(198, 51, 100, 1),
  });
  assert.equal(
    hex(octets),
    packed('02100000 dc030001 04000000 08000100 0a090000 08000500 c6336401 08000400 02000000'),
  );
});

test('ip -4 route get 10.8.0.1 mark 7, and what Linux 6.18 answers', () => {
  const question = encodeRouteQuestion(Uint8Array.of(10, 8, 0, 1), 7);
  assert.equal(hex(question), packed('02200000 00000000 00000000 08000100 0a080001 08001000 07000000'));
  const answer = Uint8Array.from(
    Buffer.from(
      packed(
        `02200000 fe000001 00020000 08000f00 fe000000 08000100 0a080001 08000400 03000000
         08000700 c0000207 08000500 c0000201 08001000 07000000`,
      ).replaceAll('\n', ''),
      'hex',
    ),
  );
  assert.equal(leadsHere(answer), false);
  assert.deepEqual(decodeNextHop(answer), { deviceIndex: 3, gateway: Uint8Array.of(192, 0, 2, 1) });
  assert.deepEqual(decodeNextHop(answer.subarray(0, 12)), {});
  // RTA_METRICS with RTAX_HOPLIMIT and RTAX_MTU.
  const metrics = Uint8Array.of(20, 0, 8, 0, 8, 0, 10, 0, 64, 0, 0, 0, 8, 0, 2, 0, 0x14, 5, 0, 0);
  assert.deepEqual(decodeNextHop(Uint8Array.of(...answer.subarray(0, 12), ...metrics)), { mtuBytes: 1300 });
  for (let length = 0; length < 12; length++)
    assert.throws(() => decodeNextHop(answer.subarray(0, length)), WireError);
});

test('ip -4 route get 127.0.0.1, and the beginning of what Linux 6.18 answers', () => {
  const answer = Uint8Array.from(
    Buffer.from(packed('02200000 fe000002 00200080 08000f00 fe000000 08000100 7f000001'), 'hex'),
  );
  assert.equal(leadsHere(answer), true);
  for (let length = 0; length < 8; length++)
    assert.throws(() => leadsHere(answer.subarray(0, length)), WireError);
});

test('ip -4 route del 10.9.0.0/16 dev d0 table 220', () => {
  const octets = encodeDeletedRoute({
    destination: Uint8Array.of(10, 9, 0, 0),
    prefixLength: 16,
    deviceIndex: 2,
    table: 220,
  });
  assert.equal(hex(octets), packed('02100000 dc00ff00 00000000 08000100 0a090000 08000400 02000000'));
});

test('ip -4 rule add not fwmark 7823737 lookup 220 priority 220', () => {
  const octets = encodeRule({ version: 4, mark: 7_823_737, table: 220, priority: 220 });
  assert.equal(hex(octets), packed('02000000 dc000001 02000000 08000a00 79617700 08000600 dc000000'));
});

test('a table whose number is more than an octet goes into an attribute', () => {
  const rule = encodeRule({ version: 6, mark: 1, table: 0x1_0000, priority: 1 });
  assert.equal(rule[4], 0);
  assert.deepEqual(decodeNetlinkAttributes(rule.subarray(12)).at(-1), {
    type: 15,
    payload: Uint8Array.of(0, 0, 1, 0),
  });
});

test('an address of neither family is refused', () => {
  assert.throws(() => encodeHostAddress(1, new Uint8Array(5)), WireError);
  assert.throws(
    () => encodeNewRoute({ destination: new Uint8Array(0), prefixLength: 0, deviceIndex: 1, table: 1 }),
    WireError,
  );
});
