// Locators that we cannot read, and a peer that prefers more of them than a packet has room for (RFC 8046 5.3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeHipPacket, HipPacketType, hipPacketLengthMax, hipParameter, type Locator } from '#wire';
import { addressesOf } from '../host-state.ts';
import { bareAssociation, bareHost, barePath } from '../testing/bare-host.ts';
import { testIdentity } from '../testing/identities.ts';
import { receiveUpdate } from '../update/receive-update.ts';
import { protectedPacket } from '../update/send-update.ts';

const long = testIdentity('rsa-a');
const short = testIdentity('p256-a');

function unknown(octets: number): Locator {
  const common = { trafficType: 0, preferred: true, lifetimeSeconds: 60 } as const;
  return { ...common, locatorType: 77, body: new Uint8Array(octets) };
}

/** How many octets of locators the NOTIFY has that answers these. */
function notified(locators: readonly Locator[]): number | undefined {
  const peer = bareHost();
  const there = bareAssociation(peer, short, long, 'responder');
  const state = bareHost({ identities: [long] });
  bareAssociation(state, long, short, 'initiator');
  const { association, standing } = there;
  const update = protectedPacket(peer, association, standing.keys, HipPacketType.UPDATE, [
    { type: 'LOCATOR_SET', locators },
    { type: 'SEQ', updateId: 0 },
  ]);
  receiveUpdate(state, { packet: decodeHipPacket(update), path: barePath });
  for (let output = state.poll(); output !== undefined; output = state.poll()) {
    if (output.kind !== 'transmit') continue;
    assert.ok(output.octets.length <= hipPacketLengthMax);
    const packet = decodeHipPacket(
      output.octets,
      addressesOf(barePath.local.address, barePath.remote.address),
    );
    const notification = hipParameter(packet.parameters, 'NOTIFICATION');
    if (notification !== undefined) return notification.data.length;
  }
  return undefined;
}

test('a preferred locator that we cannot read is told as it came', () => {
  assert.equal(notified([unknown(20)]), 28);
});

test('and of many there are those for which there is room', () => {
  assert.equal(notified([unknown(900), unknown(892)]), 908);
});
