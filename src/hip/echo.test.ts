// A peer that wants more octets back than an answer has room for (RFC 7401 5.2.20, 5.2.21).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendHipParameters, decodeHipPacket, HipPacketType, hipPacketLengthMax } from '#wire';
import { receiveClose } from './close/close.ts';
import { registrarDefaults } from './configuration.ts';
import { bareAssociation, bareHost, barePath } from './testing/bare-host.ts';
import { testIdentity } from './testing/identities.ts';
import { receiveUpdate } from './update/receive-update.ts';
import { protectedPacket } from './update/send-update.ts';

const long = testIdentity('rsa-a');
const short = testIdentity('p256-a');

function outputs(octets: number, packetType: number): string[] {
  const peer = bareHost();
  const there = bareAssociation(peer, short, long, 'responder');
  const state = bareHost({ identities: [long], registrar: registrarDefaults });
  bareAssociation(state, long, short, 'initiator');
  const packet = decodeHipPacket(
    protectedPacket(peer, there.association, there.standing.keys, packetType, [
      ...(packetType === HipPacketType.UPDATE ? [{ type: 'SEQ' as const, updateId: 0 }] : []),
      { type: 'ECHO_REQUEST_SIGNED', data: new Uint8Array(octets) },
      { type: 'REG_REQUEST', lifetime: 100, registrationTypes: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
    ]),
  );
  const receive = packetType === HipPacketType.UPDATE ? receiveUpdate : receiveClose;
  receive(state, { packet, path: barePath });
  const said: string[] = [];
  for (let output = state.poll(); output !== undefined; output = state.poll()) {
    if (output.kind === 'transmit') said.push(`${output.octets.length <= hipPacketLengthMax}`);
    if (output.kind === 'event' && output.event.kind === 'rejected') said.push(output.event.reason);
  }
  return said;
}

test('an UPDATE is answered with any echo that leaves room, and refused with another', () => {
  assert.deepEqual(outputs(512, HipPacketType.UPDATE), ['true']);
  assert.deepEqual(outputs(513, HipPacketType.UPDATE), ['echo']);
  assert.deepEqual(outputs(1_800, HipPacketType.UPDATE), ['echo']);
});

test('a CLOSE is, too', () => {
  assert.deepEqual(outputs(1_800, HipPacketType.CLOSE), ['echo']);
});

// RFC 7401 5.2.21
for (const [packetType, name] of [
  [HipPacketType.UPDATE, 'UPDATE'],
  [HipPacketType.CLOSE, 'CLOSE'],
] as const)
  test(`what somebody has added to ${name} on the way comes back behind the signature`, () => {
    const peer = bareHost();
    const there = bareAssociation(peer, short, long, 'responder');
    const state = bareHost({ identities: [long] });
    bareAssociation(state, long, short, 'initiator');
    const octets = protectedPacket(peer, there.association, there.standing.keys, packetType, [
      ...(packetType === HipPacketType.UPDATE ? [{ type: 'SEQ' as const, updateId: 0 }] : []),
      { type: 'ECHO_REQUEST_SIGNED', data: Uint8Array.of(1) },
    ]);
    const added = appendHipParameters(octets, [{ type: 'ECHO_REQUEST_UNSIGNED', data: Uint8Array.of(2) }]);
    const receive = packetType === HipPacketType.UPDATE ? receiveUpdate : receiveClose;
    const echoes = (): string[] => {
      const said: string[] = [];
      for (let output = state.poll(); output !== undefined; output = state.poll()) {
        if (output.kind !== 'transmit') continue;
        for (const one of decodeHipPacket(withoutChecksum(output.octets)).parameters)
          if (one.type === 'ECHO_RESPONSE_SIGNED' || one.type === 'ECHO_RESPONSE_UNSIGNED')
            said.push(`${one.type} ${one.data}`);
      }
      return said;
    };
    receive(state, { packet: decodeHipPacket(added), path: barePath });
    assert.deepEqual(echoes(), ['ECHO_RESPONSE_SIGNED 1', 'ECHO_RESPONSE_UNSIGNED 2']);
    receive(state, { packet: decodeHipPacket(added), path: barePath });
    assert.deepEqual(echoes(), ['ECHO_RESPONSE_SIGNED 1', 'ECHO_RESPONSE_UNSIGNED 2']);
  });

function withoutChecksum(octets: Uint8Array): Uint8Array {
  const packet = octets.slice();
  return packet.fill(0, 4, 6);
}
