// Packets with AH whose octets are known from elsewhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Integ, type SaDirection, type SaParameters, type Spi } from '#sa';
import { DataPath } from '../data-path.ts';
import { PacketSlot } from '../packet-slot.ts';
import { Spd } from '../policy/spd.ts';
import { Sad } from '../sad.ts';
import { InboundSa, OutboundSa } from '../security-association.ts';
import { hex, policyFor, receiverOuter, selectors, senderOuter, toHex } from '../testing/fixtures.ts';
import { type AhVector, scapyAhVectors } from '../testing/scapy-ah-vectors.ts';
import { Verdict } from '../verdicts.ts';

function parameters(vector: AhVector, direction: SaDirection): SaParameters {
  const [sender, receiver] = [senderOuter[vector.outer], receiverOuter[vector.outer]];
  const [local, remote] = direction === 'outbound' ? [sender, receiver] : [receiver, sender];
  return {
    direction,
    protocol: 'ah',
    spi: 0xc0ffee01 as Spi,
    mode: vector.mode,
    local,
    remote,
    integrity: { id: Integ[vector.integ], key: hex(vector.integrityKey) },
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

function pathWith(vector: AhVector): DataPath {
  const sad = new Sad();
  const spd = new Spd();
  // As if all packets before this one had been sent and received.
  const before = BigInt(vector.sequenceHigh) * 0x1_0000_0000n + BigInt(vector.sequenceLow) - 1n;
  const last = { high: Number(before >> 32n), low: Number(before & 0xffff_ffffn) };
  sad.addOutbound(new OutboundSa(parameters(vector, 'outbound'), 0, { last }));
  sad.addInbound(new InboundSa(parameters(vector, 'inbound'), 0, { last }));
  spd.install(policyFor(parameters(vector, 'outbound')));
  return new DataPath(sad, spd, { randomness: { bytes: (count) => new Uint8Array(count) } });
}

function slotWith(octets: Uint8Array): PacketSlot {
  const slot = new PacketSlot(new Uint8Array(500), 100, octets.length);
  slot.buffer.set(octets, 100);
  return slot;
}

for (const vector of scapyAhVectors) {
  const name = `${vector.mode}, ${vector.name}, ${vector.integ}`;

  test(`scapy's packet comes out of AH encapsulation: ${name}`, () => {
    const slot = slotWith(hex(vector.packet));
    pathWith(vector).encapsulate([slot], 0);
    assert.equal(slot.verdict, Verdict.SEALED);
    assert.equal(toHex(slot.octets), vector.ah);
  });

  test(`scapy's packet goes into AH decapsulation: ${name}`, () => {
    const slot = slotWith(hex(vector.ah));
    slot.protocol = 'ah';
    pathWith(vector).decapsulate([slot], 0);
    assert.equal(slot.verdict, Verdict.OPENED);
    assert.equal(toHex(slot.octets), vector.packet);
  });
}
