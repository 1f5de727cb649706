// ESP packets whose octets are known from elsewhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, Encr, Integ, type SaDirection, type SaParameters, type Spi } from '#sa';
import { DataPath } from '../data-path.ts';
import { PacketSlot } from '../packet-slot.ts';
import { Spd } from '../policy/spd.ts';
import { Sad } from '../sad.ts';
import { InboundSa, OutboundSa } from '../security-association.ts';
import { hex, policyFor, selectors, toHex } from '../testing/fixtures.ts';
import { type EspVector, scapyVectors } from '../testing/scapy-vectors.ts';
import { Verdict } from '../verdicts.ts';

function parameters(vector: EspVector, direction: SaDirection): SaParameters {
  const [here, there] =
    direction === 'outbound' ? [vector.local, vector.remote] : [vector.remote, vector.local];
  return {
    direction,
    protocol: 'esp',
    spi: 0xc0ffee01 as Spi,
    mode: vector.mode,
    local: address(here),
    remote: address(there),
    encryption: { id: Encr[vector.encr], keyLengthBits: vector.keyLengthBits, key: hex(vector.key) },
    ...(vector.integ === undefined
      ? {}
      : { integrity: { id: Integ[vector.integ], key: hex(vector.integrityKey) } }),
    esn: vector.esn,
    replayWindow: 64,
    selectors: { local: selectors('0.0.0.0/0', '::/0'), remote: selectors('0.0.0.0/0', '::/0') },
    lifetimes: {},
    childId: 1,
    generation: 0,
    copyDscp: 'no',
    copyDf: false,
  };
}

function pathWith(vector: EspVector): DataPath {
  const sad = new Sad();
  const spd = new Spd();
  // As if all packets before this one had been sent and received.
  const before = BigInt(vector.sequenceHigh) * 0x1_0000_0000n + BigInt(vector.sequenceLow) - 1n;
  const last = { high: Number(before >> 32n), low: Number(before & 0xffff_ffffn) };
  sad.addOutbound(new OutboundSa(parameters(vector, 'outbound'), 0, { last }));
  sad.addInbound(new InboundSa(parameters(vector, 'inbound'), 0, { last }));
  spd.install(policyFor(parameters(vector, 'outbound')));
  return new DataPath(sad, spd, { randomness: { bytes: () => hex(vector.iv) } });
}

for (const vector of scapyVectors) {
  const family = vector.packet.startsWith('6') ? 'IPv6' : 'IPv4';
  const outer = vector.local.includes(':') ? 'IPv6' : 'IPv4';
  const name = [vector.encr, vector.keyLengthBits, vector.integ, vector.mode, family, 'over', outer].join(
    ' ',
  );

  // RFC 4303 2, 2.3, 3.3.2.1, 3.3.2.2
  // RFC 4303 3.3
  test(`scapy's packet comes out of encapsulation: ${name}`, () => {
    const packet = hex(vector.packet);
    const slot = new PacketSlot(new Uint8Array(400), 24, packet.length);
    slot.buffer.set(packet, 24);
    pathWith(vector).encapsulate([slot], 0);
    assert.equal(slot.verdict, Verdict.SEALED);
    assert.equal(toHex(slot.octets), vector.esp);
  });

  // RFC 4303 3.4, 3.4.4.1, 3.4.4.2
  test(`scapy's packet goes into decapsulation: ${name}`, () => {
    const esp = hex(vector.esp);
    const slot = new PacketSlot(new Uint8Array(400), 40, esp.length);
    slot.buffer.set(esp, 40);
    slot.local = { address: address(vector.remote), port: 0 };
    slot.remote = { address: address(vector.local), port: 0 };
    pathWith(vector).decapsulate([slot], 0);
    assert.equal(slot.verdict, Verdict.OPENED);
    const packet = toHex(slot.octets);
    if (vector.mode === 'tunnel') assert.equal(packet, vector.packet);
    // In transport mode the outer header is used, of which identification and DF are not known here.
    else
      assert.equal(packet.slice(outer === 'IPv6' ? 80 : 40), vector.packet.slice(outer === 'IPv6' ? 80 : 40));
  });
}

test('the packet of RFC 7634 appendix A is opened', () => {
  const inner =
    '45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f' +
    '101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637';
  const esp =
    '010203040000000510111213141516172403' +
    '9428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb61aa95dfab4c02f72aa71e7c' +
    '4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da9165b82829f641e076aaa8266b7fb0f7b11b369907e1ad43';
  const sad = new Sad();
  const spd = new Spd();
  const receiver: SaParameters = {
    direction: 'inbound',
    protocol: 'esp',
    spi: 0x01020304 as Spi,
    mode: 'tunnel',
    local: address('203.0.113.5'),
    remote: address('203.0.113.153'),
    encryption: {
      id: Encr.CHACHA20_POLY1305,
      keyLengthBits: 256,
      key: Uint8Array.from({ length: 36 }, (_, i) => 0x80 + i),
    },
    esn: false,
    replayWindow: 32,
    selectors: { local: selectors('192.0.2.0/24'), remote: selectors('198.51.100.0/24') },
    lifetimes: {},
    childId: 1,
    generation: 0,
    copyDscp: 'no',
    copyDf: false,
  };
  sad.addInbound(new InboundSa(receiver, 0));
  spd.install(policyFor(receiver));
  const octets = hex(esp);
  const slot = new PacketSlot(octets, 0, octets.length);
  new DataPath(sad, spd, { randomness: { bytes: (count) => new Uint8Array(count) } }).decapsulate([slot], 0);
  assert.equal(slot.verdict, Verdict.OPENED);
  assert.equal(toHex(slot.octets), inner);
});
