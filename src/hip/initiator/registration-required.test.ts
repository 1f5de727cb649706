// A registrar that has associations only with hosts that register (RFC 8003 3.2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendHipMac2, appendHipSignature } from '#crypto';
import type { Spi } from '#sa';
import { decodeHipPacket, encodeHipPacket, encodeHipParameters, HipNotifyType, HipPacketType } from '#wire';
import type { AcceptedR1 } from '../association.ts';
import { bareAssociation, bareHost, barePath } from '../testing/bare-host.ts';
import { testIdentity } from '../testing/identities.ts';
import { receiveR2 } from './receive-r2.ts';

test('an R2 with REG_REQUIRED ends the exchange, and nothing stands', () => {
  const own = testIdentity('p256-a');
  const registrar = testIdentity('p256-b');
  const state = bareHost({ identities: [own] });
  const { association, standing } = bareAssociation(state, own, registrar, 'initiator');
  const there = bareAssociation(bareHost(), registrar, own, 'responder');
  const { algorithm, octets: hostIdentity } = registrar.identity;
  const hostId = encodeHipParameters([{ type: 'HOST_ID', algorithm, hostIdentity }]);
  association.standing = undefined;
  association.attempt = {
    name: 'I2-SENT',
    path: barePath,
    packet: new Uint8Array(),
    repetitions: 0,
    nextAt: 1_000,
    sentAt: 0,
    renewals: 0,
    call: { name: 'I1-SENT', path: barePath, packet: new Uint8Array(), repetitions: 0, nextAt: 1_000 },
    r1: { identity: registrar.identity, hostId } as AcceptedR1,
    keys: standing.keys,
    inboundSpi: 0x1000 as Spi,
    keymatIndex: 0,
  };
  const bare = encodeHipPacket({
    header: {
      packetType: HipPacketType.R2,
      anonymous: false,
      sender: registrar.identity.hit,
      receiver: own.identity.hit,
    },
    parameters: [{ type: 'NOTIFICATION', notifyType: HipNotifyType.REG_REQUIRED, data: new Uint8Array() }],
  });
  const { integrity } = there.standing.keys.own;
  const authenticated = appendHipMac2(bare, registrar.identity.hit, integrity, hostId);
  const octets = appendHipSignature(authenticated, registrar.key, state.ports.randomness);
  receiveR2(state, { packet: decodeHipPacket(octets), path: barePath });
  assert.equal(association.state, 'E-FAILED');
  const said: string[] = [];
  for (let output = state.poll(); output !== undefined; output = state.poll())
    if (output.kind === 'event' && output.event.kind === 'failed') said.push(output.event.reason);
  assert.deepEqual(said, ['the peer has associations only with hosts that register with it']);
});
