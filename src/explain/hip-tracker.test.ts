// HIP in a story: what a rendezvous server passes on, and what hosts say of their addresses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, addressBytes, type Spi } from '#sa';
import {
  encodeHipPacket,
  HipNotifyType,
  HipPacketType,
  type HipParameter,
  type Hit,
  IpProtocol,
  LocatorType,
  TrafficType,
} from '#wire';
import { readHip } from './hip-header.ts';
import { CaptureBuilder, left, right } from './testing/capture-builder.ts';
import { explained } from './testing/story.ts';

const moon = '20010022000000000000000000000001' as Hit;
const sun = '20010022000000000000000000000002' as Hit;
const hub = address('198.51.100.3');

function packet(packetType: number, sender: Hit, receiver: Hit, ...parameters: HipParameter[]): Uint8Array {
  return encodeHipPacket({ header: { packetType, anonymous: false, sender, receiver }, parameters });
}

const groups: HipParameter = { type: 'DH_GROUP_LIST', groups: [7] };
const from: HipParameter = { type: 'FROM', address: addressBytes(left) };

function textsOf(capture: CaptureBuilder): string[] {
  const { peers } = explained(capture.file());
  return peers
    .flatMap(({ events }) => events)
    .toSorted((one, other) => one.frame - other.frame)
    .map(({ text }) => text);
}

// RFC 8004 3.3, 4.2.2, 4.2.3
test('a call by way of a rendezvous server says who passes it on, whose it is, and how the answer came about', () => {
  const capture = new CaptureBuilder();
  capture.ip(left, hub, IpProtocol.HIP, packet(HipPacketType.I1, moon, sun, groups));
  capture.ip(hub, right, IpProtocol.HIP, packet(HipPacketType.I1, moon, sun, groups, from));
  const via: HipParameter = { type: 'VIA_RVS', addresses: [addressBytes(hub)] };
  capture.ip(right, left, IpProtocol.HIP, packet(HipPacketType.R1, sun, moon, via));
  assert.deepEqual(textsOf(capture), [
    '192.0.2.1 sends HIP I1 as 2001:22:0:0:0:0:0:1',
    '198.51.100.3 passes on HIP I1 of 192.0.2.1, which is 2001:22:0:0:0:0:0:1',
    '192.0.2.2 sends HIP R1 as 2001:22:0:0:0:0:0:2, asked by way of 198.51.100.3',
  ]);
});

// RFC 7401 5.2.19, 5.3.6
test('a NOTIFY says of what, and how often it is an error', () => {
  const capture = new CaptureBuilder();
  for (const notifyType of [HipNotifyType.NO_DH_PROPOSAL_CHOSEN, HipNotifyType.I2_ACKNOWLEDGEMENT, 999]) {
    const parameter: HipParameter = { type: 'NOTIFICATION', notifyType, data: new Uint8Array() };
    capture.ip(right, left, IpProtocol.HIP, packet(HipPacketType.NOTIFY, sun, moon, parameter));
  }
  assert.deepEqual(
    textsOf(capture).map((text) => text.replace(/.* as 2001:22:0:0:0:0:0:2/, '')),
    [': NO_DH_PROPOSAL_CHOSEN', ': I2_ACKNOWLEDGEMENT', ': NOTIFY(999)'],
  );
  const [peers] = explained(capture.file()).peers;
  assert.deepEqual(
    peers?.findings.map(({ code, severity, what }) => [code, severity, what]),
    [
      ['hip-notify', 'problem', '192.0.2.2 says NO_DH_PROPOSAL_CHOSEN to 192.0.2.1'],
      ['hip-notify', 'problem', '192.0.2.2 says NOTIFY(999) to 192.0.2.1'],
    ],
  );
});

// RFC 8046 4
test('an UPDATE with addresses names them, with an asterisk at the preferred one', () => {
  const common = { trafficType: TrafficType.BOTH, lifetimeSeconds: 600, spi: 0xc001 as Spi };
  const locator = (text: string, preferred: boolean) =>
    ({
      ...common,
      preferred,
      locatorType: LocatorType.ESP_SPI_ADDRESS,
      address: addressBytes(address(text)),
    }) as const;
  const strange = { ...common, preferred: false, locatorType: 77, body: new Uint8Array(4) };
  const locators = [locator('192.0.2.1', false), strange, locator('2001:db8::1', true)];
  const capture = new CaptureBuilder();
  const info: HipParameter = { type: 'ESP_INFO', keymatIndex: 0, oldSpi: 0xc001, newSpi: 0xc001 };
  const update = packet(HipPacketType.UPDATE, moon, sun, info, { type: 'LOCATOR_SET', locators });
  capture.ip(left, right, IpProtocol.HIP, update);
  assert.deepEqual(textsOf(capture), [
    '192.0.2.1 sends HIP UPDATE as 2001:22:0:0:0:0:0:1, reachable at 192.0.2.1 2001:db8::1*, SPI 0000c001',
  ]);
});

test('whatever stands behind a header is read to its end, or not at all', () => {
  const header = packet(HipPacketType.UPDATE, moon, sun);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(65, 193, 65498, 65502), (octets, type) => {
      const whole = new Uint8Array(44 + octets.length);
      whole.set(header);
      whole[1] = Math.ceil(whole.length / 8) - 1;
      whole.set([type >>> 8, type & 0xff, octets.length >>> 8, octets.length & 0xff], 40);
      whole.set(octets, 44);
      const { locators = [], via = [] } = readHip(whole);
      assert.ok(locators.length <= 8 && via.length <= 8);
    }),
  );
});
