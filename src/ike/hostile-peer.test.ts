// What a peer that is who it says can make us hold, or keep us from doing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type Spi, spiBytes } from '#sa';
import { ExchangeType, encodeMessageIdSync, IdType, NotifyType, type Payload, ProtocolId } from '#wire';
import { selectorsToWire } from './negotiation/traffic-selectors.ts';
import { findNotify, notify } from './payloads/notify.ts';
import { child, connection, networks } from './testing/connections.ts';
import { insider } from './testing/insider.ts';
import { Pair } from './testing/pair.ts';
import { resumingPair } from './testing/resumption.ts';

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

/** A request of moon's to rekey the Child SA that moon receives by. */
function rekeying(spi: Uint8Array, fresh: Uint8Array = spiBytes(++spis as Spi)): Payload[] {
  return [{ ...notify(NotifyType.REKEY_SA), protocolId: ProtocolId.ESP, spi }, ...agreement(fresh, true)];
}

// RFC 7296 1.3
test('a peer that wants Child SAs without end has some, and then NO_ADDITIONAL_SAS', () => {
  const hostile = insider();
  const { sun } = hostile.pair;
  let answer: readonly Payload[] = [];
  for (let i = 0; i < 1_030; i++) {
    hostile.send(agreement(spiBytes(++spis as Spi), true), ExchangeType.CREATE_CHILD_SA);
    answer = hostile.answer();
  }
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
    hostile.send(rekeying(spi), ExchangeType.CREATE_CHILD_SA);
    answer = hostile.answer();
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

// RFC 7296 2.8: each SA has an SPI of its own; a data plane could not tell two of them apart, nor remove one alone.
test('an SPI that the peer uses already makes no second SA, whoever asks for one', () => {
  const { pair, send, answer, respond } = insider();
  const { sun } = pair;
  const [old] = sun.sa.children;
  const used = spiBytes(old!.outboundSpi);
  for (const request of [agreement(used, true), rekeying(used, used)]) {
    send(request, ExchangeType.CREATE_CHILD_SA);
    assert.ok(findNotify(answer(), NotifyType.NO_PROPOSAL_CHOSEN));
  }
  sun.command({ kind: 'rekey-child', childId: 1 });
  assert.ok(respond(agreement(used)));
  assert.ok(respond([]), 'what it made is deleted');
  assert.equal(sun.eventsOf('child-failed').length, 3);
  assert.deepEqual(
    sun.sa.children.map(({ outboundSpi, phase }) => [outboundSpi, phase]),
    [[old!.outboundSpi, 'installed']],
  );
  assert.ok(sun.installed.has(`outbound ${old!.outboundSpi}`));
  assert.equal(sun.reservedSpis.size, 1);
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

test('a synchronisation beside a rekeying that is put off leaves nobody to be answered', () => {
  const synchronized = { messageIdSync: true };
  const hostile = insider(
    true,
    new Pair({
      moon: { connections: [connection('moon', synchronized)] },
      sun: { connections: [connection('sun', synchronized)] },
    }),
  );
  const { pair, send, respond } = hostile;
  const { sun } = pair;
  const [old] = sun.sa.children;
  sun.command({ kind: 'rekey-child', childId: 1 });
  assert.ok(respond(agreement(Uint8Array.of(9, 9, 9, 9))));
  send(rekeying(spiBytes(old!.outboundSpi)), ExchangeType.CREATE_CHILD_SA);
  const sync = encodeMessageIdSync({ nonce: Uint8Array.of(1, 2, 3, 4), nextSent: 9, nextReceived: 0 });
  send([notify(NotifyType.IKEV2_MESSAGE_ID_SYNC, sync)], ExchangeType.INFORMATIONAL, 0);
  for (let i = 0; i < 3; i++) respond([]);
  assert.equal(sun.sa.children.length, 1);
  assert.equal(sun.sa.phase, 'established');
});

test('an identity as long as a message may be is refused: what we make of it would not fit one', () => {
  const moon = connection('moon');
  const sun = connection('sun', { name: 'a-connection-with-quite-a-long-name-of-its-own' });
  const identity = { idType: IdType.FQDN, data: new Uint8Array(32_000).fill(97) };
  const pair = resumingPair({
    moon: { local: { ...moon.local, identity } },
    sun: { name: sun.name, remote: { ...sun.remote, identity: { kind: 'any' } } },
  });
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  assert.equal(pair.sun.sas[0]?.phase, 'ended');
});

// RFC 7383 5: who fragments what it never ends makes us hold it, and before IKE_AUTH anybody can.
test('of a message in fragments less is held before the peer is authenticated than afterwards', () => {
  const payloads: Payload[] = [{ type: 'V', data: new Uint8Array(60_000) }];
  const dropped = (authenticated: boolean): number => {
    const { pair, sendWithoutEnd } = insider(authenticated);
    const exchangeType = authenticated ? ExchangeType.INFORMATIONAL : ExchangeType.IKE_AUTH;
    sendWithoutEnd(payloads, exchangeType, 1_280);
    return pair.sun
      .eventsOf('message-rejected')
      .filter(({ reason }) => reason === 'a fragment was dropped: limit').length;
  };
  assert.equal(dropped(true), 0);
  const late = dropped(false);
  assert.ok(late > 20 && late < 30, `${late} of 48 fragments were dropped`);
});

// RFC 7296 3.15.1: no more addresses than were asked for.
test('a gateway that gives hundreds of addresses and name servers is believed the first of them', () => {
  const addresses = Array.from({ length: 300 }, (_, i) => address(`10.9.${i >> 8}.${i & 255}`));
  const pair = new Pair({
    moon: { connections: [connection('moon', { virtualAddresses: [address('0.0.0.0')] })] },
    sun: {
      connections: [connection('sun', { pools: ['pool'] })],
      lease: { addresses, dns: addresses.slice(0, 200), attributes: [] },
    },
  });
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  const [given] = pair.moon.eventsOf('virtual-addresses');
  assert.deepEqual(given?.addresses, [address('10.9.0.0')]);
  assert.equal(given.dns.length, 16);
});
