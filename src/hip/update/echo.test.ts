// An UPDATE that asks for an echo is answered by whoever has read it, and by nobody else (RFC 7401 5.2.20, 6.12).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeHipPacket, HipPacketType, type HipParameter, hipParameter } from '#wire';
import { bareAssociation, bareHost, barePath } from '../testing/bare-host.ts';
import { testIdentity } from '../testing/identities.ts';
import { checkLiveness } from './liveness.ts';
import { receiveUpdate } from './receive-update.ts';
import { protectedPacket } from './send-update.ts';

test('an acknowledgement without the echo, or with another one, is no sign of life', () => {
  const [own, peer] = [testIdentity('p256-a'), testIdentity('p256-b')];
  const state = bareHost({ identities: [own] });
  const { association, standing } = bareAssociation(state, own, peer, 'initiator');
  const there = bareAssociation(bareHost(), peer, own, 'responder');
  const thereState = bareHost();
  checkLiveness(state, association, standing);
  const { packet, updateId } = standing.updates.outstanding!;
  const asked = hipParameter(decodeHipPacket(packet).parameters, 'ECHO_REQUEST_SIGNED')!.data;
  const answer = (...echoes: readonly Uint8Array[]): boolean => {
    const parameters: HipParameter[] = [
      { type: 'ACK', updateIds: [updateId] },
      ...echoes.map((data) => ({ type: 'ECHO_RESPONSE_SIGNED' as const, data })),
    ];
    const { UPDATE } = HipPacketType;
    const octets = protectedPacket(thereState, there.association, there.standing.keys, UPDATE, parameters);
    receiveUpdate(state, { packet: decodeHipPacket(octets), path: barePath });
    return standing.updates.outstanding === undefined;
  };
  const other = asked.slice();
  other[0] = other[0]! ^ 1;
  assert.deepEqual([answer(), answer(other), answer(asked)], [false, false, true]);
});
