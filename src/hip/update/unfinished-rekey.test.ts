// A rekeying that never comes to its end has used up its keys all the same (RFC 7402 6.8, 6.9).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SaCommand } from '#sa';
import { decodeHipPacket, HipPacketType, type HipParameter } from '#wire';
import { hipDefaults } from '../configuration.ts';
import { bareAssociation, bareHost, barePath } from '../testing/bare-host.ts';
import { testIdentity } from '../testing/identities.ts';
import { tend } from '../timers.ts';
import { receiveUpdate } from './receive-update.ts';
import { protectedPacket } from './send-update.ts';

// RFC 7402 7: from one KEYMAT, the keys of each pair of SAs are further behind.
test('a peer that rekeys without a Diffie-Hellman value gets no keys twice, although nobody acknowledged the first rekeying', () => {
  const [own, other] = [testIdentity('p256-a'), testIdentity('p256-b')];
  const peer = bareHost();
  const there = bareAssociation(peer, other, own, 'responder');
  const state = bareHost({ identities: [own] });
  const { association, standing } = bareAssociation(state, own, other, 'initiator');
  const keymatIndex = standing.keys.nextIndex;
  const rekey = (updateId: number, newSpi: number): void => {
    const parameters: HipParameter[] = [
      { type: 'ESP_INFO', keymatIndex, oldSpi: 0x2000, newSpi },
      { type: 'SEQ', updateId },
    ];
    const { UPDATE } = HipPacketType;
    const octets = protectedPacket(peer, there.association, there.standing.keys, UPDATE, parameters);
    receiveUpdate(state, { packet: decodeHipPacket(octets), path: barePath });
  };
  const commands: SaCommand[] = [];
  const rejections: string[] = [];
  const listen = (): void => {
    for (let output = state.poll(); output !== undefined; output = state.poll()) {
      if (output.kind === 'sa-command') commands.push(output.command);
      if (output.kind === 'event' && output.event.kind === 'rejected') rejections.push(output.event.reason);
    }
  };
  rekey(0, 0x2001);
  listen();
  assert.equal(commands.filter(({ kind }) => kind === 'install').length, 2);
  // Nobody acknowledges our half.
  for (let i = 0; i <= hipDefaults.retransmission.tries; i++) {
    state.at = standing.updates.outstanding!.nextAt;
    tend(state, association);
  }
  assert.ok(standing.updates.halfIsSpent);
  listen();
  commands.length = 0;
  rekey(1, 0x2002);
  listen();
  assert.deepEqual(commands, []);
  assert.deepEqual(rejections, ['keymat-index']);
});
