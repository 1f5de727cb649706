// What a peer that is who it says can make us hold, or keep us from doing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Spi, spiBytes } from '#sa';
import { ExchangeType, encodeMessageIdSync, NotifyType, type Payload, ProtocolId } from '#wire';
import { selectorsToWire } from './negotiation/traffic-selectors.ts';
import { findNotify, notify } from './notify.ts';
import { child, connection, networks } from './testing/connections.ts';
import { type Insider, insider } from './testing/insider.ts';
import { Pair } from './testing/pair.ts';

let spis = 0x1000_0000;

/** What both messages of CREATE_CHILD_SA have, with moon's SPI. */
function agreement(spi: Uint8Array, byInitiator = false): Payload[] {
  const transforms = [
    { type: 1, id: 20, attributes: [{ type: 14, value: 128 }] },
    { type: 5, id: 0, attributes: [] },
  ];
  const [tsi, tsr] = byInitiator ? [networks.moon, networks.sun] : [networks.sun, networks.moon];
  return [
    { type: 'SA', proposals: [{ number: 1, protocolId: ProtocolId.ESP, spi, transforms }] },
    { type: 'Nonce', data: new Uint8Array(32) },
    { type: 'TSi', selectors: selectorsToWire([tsi]) },
    { type: 'TSr', selectors: selectorsToWire([tsr]) },
  ];
}

/** A request of moon's for a Child SA; with `replacing`, for a rekeying of the one that moon receives by. */
function requestChild({ send, answer }: Insider, replacing?: Uint8Array): readonly Payload[] {
  const rekey: Payload = {
    ...notify(NotifyType.REKEY_SA),
    protocolId: ProtocolId.ESP,
    spi: replacing ?? new Uint8Array(0),
  };
  const child = agreement(spiBytes(++spis as Spi), true);
  send([...(replacing === undefined ? [] : [rekey]), ...child], ExchangeType.CREATE_CHILD_SA);
  return answer();
}

// RFC 7296 1.3
test('a peer that wants Child SAs without end has some, and then NO_ADDITIONAL_SAS', () => {
  const hostile = insider();
  const { sun } = hostile.pair;
  let answer: readonly Payload[] = [];
  for (let i = 0; i < 1_030; i++) answer = requestChild(hostile);
  assert.ok(findNotify(answer, NotifyType.NO_ADDITIONAL_SAS));
  assert.equal(sun.sa.children.length, 1_024);
  assert.equal(sun.reservedSpis.size, 1_024);
  assert.equal(sun.sa.phase, 'established');
});

test('a peer that rekeys without end, and deletes nothing, is refused too', () => {
  const hostile = insider();
  const { sun } = hostile.pair;
  let spi = spiBytes(sun.sasOf('outbound')[0]!.spi);
  let answer: readonly Payload[] = [];
  for (let i = 0; i < 2_060; i++) {
    answer = requestChild(hostile, spi);
    if (findNotify(answer, NotifyType.NO_ADDITIONAL_SAS) === undefined) spi = spiBytes(spis as Spi);
  }
  assert.ok(findNotify(answer, NotifyType.NO_ADDITIONAL_SAS));
  assert.equal(sun.sa.children.length, 2_048);
  assert.equal(sun.sa.phase, 'established');
});

// RFC 7296 1.4.1: a Delete may overtake the answer that made its SA, but not thousands of them.
test('SPIs that nobody has yet and that are deleted all the same are remembered up to a point', () => {
  const { pair, send, respond } = insider();
  pair.sun.command({ kind: 'initiate-child', child: child('sun') });
  const spi = Uint8Array.of(9, 9, 9, 9);
  const others = Array.from({ length: 300 }, (_, i) => spiBytes((0x2000_0000 + i) as Spi));
  for (const one of [...others, spi]) {
    send([{ type: 'D', protocolId: ProtocolId.ESP, spiSize: 4, spis: [one] }]);
  }
  assert.ok(respond(agreement(spi)));
  assert.equal(pair.sun.eventsOf('child-established').length, 2);
});

test('a Message ID that a synchronisation asks for, and that leaves none, is refused', () => {
  const synchronized = { messageIdSync: true };
  const { pair, send } = insider(
    true,
    new Pair({
      moon: { connections: [connection('moon', synchronized)] },
      sun: { connections: [connection('sun', { ...synchronized, overTimeMs: 1_000, reauthTimeMs: 1_000 })] },
    }),
  );
  const nonce = Uint8Array.of(1, 2, 3, 4);
  const sync = encodeMessageIdSync({ nonce, nextSent: 3, nextReceived: 0xffff_ffff });
  send([notify(NotifyType.IKEV2_MESSAGE_ID_SYNC, sync)], ExchangeType.INFORMATIONAL, 0);
  pair.wire.length = 0;
  pair.run(60_000);
  assert.equal(pair.sun.sas[0]?.phase, 'ended');
});
