// Datagrams of nobody in particular: what reaches an IKE SA, what is answered without one, and what is not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, type Endpoint } from '#sa';
import {
  decodeIkeMessage,
  ExchangeType,
  encodeIkeMessage,
  type IkeHeader,
  type IkeSpi,
  NotifyType,
  PayloadType,
} from '#wire';
import { configuration, connection } from './testing/configurations.ts';
import { type EngineHost, EnginePair } from './testing/two-engines.ts';

const stranger: Endpoint = { address: address('203.0.113.9'), port: 5000 };

function header(change: Partial<IkeHeader> = {}): IkeHeader {
  return {
    initiatorSpi: '1111111111111111' as IkeSpi,
    responderSpi: '2222222222222222' as IkeSpi,
    majorVersion: 2,
    minorVersion: 0,
    exchangeType: ExchangeType.INFORMATIONAL,
    initiator: true,
    response: false,
    higherVersion: false,
    messageId: 7,
    ...change,
  };
}

/** A message as long as a real one, which claims to be encrypted. */
function message(change: Partial<IkeHeader> = {}): Uint8Array {
  const octets = encodeIkeMessage({
    header: header({ ...change, majorVersion: 2 }),
    payloads: [{ type: 'V', data: new Uint8Array(40) }],
  });
  octets[16] = PayloadType.SK;
  octets[17] = ((change.majorVersion ?? 2) << 4) | (change.minorVersion ?? 0);
  return octets;
}

function reasons(host: EngineHost): string[] {
  return host.eventsOf('datagram-ignored').map(({ reason }) => reason);
}

describe('a datagram', () => {
  test('on the shared port is told apart by its first octets (RFC 3948 2)', () => {
    const { sun } = new EnginePair().start();
    sun.receive(Uint8Array.of(0xff), stranger, 4500);
    sun.receive(Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 1, 9, 9, 9, 9), stranger, 4500);
    sun.receive(Uint8Array.of(0, 0), stranger, 4500);
    sun.receive(new Uint8Array([0, 0, 0, 0, ...message()]), stranger, 4500);
    assert.deepEqual(reasons(sun), ['keepalive', 'esp', 'malformed', 'unknown-ike-spi']);
  });

  test('shorter or longer than its header claims is no IKE message and gets no answer', () => {
    const { sun } = new EnginePair().start();
    const octets = message();
    sun.receive(octets.subarray(0, octets.length - 1), stranger);
    sun.receive(new Uint8Array([...octets, 0]), stranger);
    sun.receive(octets.subarray(0, 27), stranger);
    assert.deepEqual(reasons(sun), ['malformed', 'malformed', 'malformed']);
    assert.equal(sun.sent.length, 0);
  });

  test('from where no connection leads is not answered', () => {
    const { moon, sun } = new EnginePair().start();
    moon.command({ kind: 'initiate', child: 'net' });
    const request = moon.sent[0]!.octets;
    sun.receive(request, stranger);
    assert.deepEqual(reasons(sun), ['no-connection']);
    assert.equal(sun.sent.length, 0);
  });
});

describe('INVALID_IKE_SPI (RFC 7296 2.21.4)', () => {
  test('answers a request, with its SPIs, exchange type and Message ID', () => {
    const { sun } = new EnginePair().start();
    sun.receive(message({ minorVersion: 3 }), stranger);
    const [reply] = sun.sent;
    assert.deepEqual(reply?.destination, stranger);
    assert.ok(reply.octets.length <= message().length, 'never more octets than the request had');
    const decoded = decodeIkeMessage(reply.octets);
    assert.deepEqual(decoded.header, header({ initiator: false, response: true }));
    const [payload] = decoded.payloads;
    assert.equal(payload?.type === 'N' && payload.notifyType, NotifyType.INVALID_IKE_SPI);
  });

  test('never answers a response', () => {
    const { sun } = new EnginePair().start();
    sun.receive(message({ response: true }), stranger);
    assert.equal(sun.sent.length, 0);
  });

  test('goes to one source four times at once and once a second', () => {
    const pair = new EnginePair().start();
    for (let i = 0; i < 100; i++) pair.sun.receive(message({ messageId: i }), stranger);
    assert.equal(pair.sun.sent.length, 4);
    pair.now += 1000;
    for (let i = 0; i < 100; i++) pair.sun.receive(message({ messageId: i }), stranger);
    assert.equal(pair.sun.sent.length, 5);
  });
});

describe('INVALID_MAJOR_VERSION (RFC 7296 2.5)', () => {
  test('tells a higher version ours', () => {
    const { sun } = new EnginePair().start();
    sun.receive(message({ majorVersion: 3, minorVersion: 1 }), stranger);
    const decoded = decodeIkeMessage(sun.sent[0]!.octets);
    assert.deepEqual([decoded.header.majorVersion, decoded.header.minorVersion], [2, 0]);
    assert.equal(decoded.header.response, true);
    const [payload] = decoded.payloads;
    assert.equal(payload?.type === 'N' && payload.notifyType, NotifyType.INVALID_MAJOR_VERSION);
  });

  test('is not for lower versions, nor for responses', () => {
    const { sun } = new EnginePair().start();
    sun.receive(message({ majorVersion: 1 }), stranger);
    sun.receive(message({ majorVersion: 3, response: true }), stranger);
    assert.equal(sun.sent.length, 0);
    assert.deepEqual(reasons(sun), ['version', 'unknown-ike-spi']);
  });

  test('shares its limit with INVALID_IKE_SPI', () => {
    const { sun } = new EnginePair().start();
    for (let i = 0; i < 100; i++) sun.receive(message({ majorVersion: 2 + (i % 2) }), stranger);
    assert.equal(sun.sent.length, 4);
  });
});

test('a forged message in the name of an IKE SA changes nothing', () => {
  const pair = new EnginePair().establish();
  const { moon, sun } = pair;
  const [ike] = sun.engine.status().ikeSas;
  const commands = sun.saCommands.length;
  const forged = encodeIkeMessage({
    header: header({ initiatorSpi: ike!.initiatorSpi, responderSpi: ike!.responderSpi, messageId: 2 }),
    payloads: [{ type: 'D', protocolId: 1, spiSize: 0, spis: [] }],
  });
  sun.receive(forged, stranger);
  pair.run(60_000);
  assert.deepEqual([moon.established, sun.established], [1, 1]);
  assert.equal(sun.saCommands.length, commands);
});

test('an IKE_SA_INIT request that comes twice gets the same answer, and one IKE SA', () => {
  const pair = new EnginePair({
    sun: configuration('sun', { connections: [connection('sun', { remoteAddresses: [{ kind: 'any' }] })] }),
  }).start();
  const { moon, sun } = pair;
  moon.command({ kind: 'initiate', child: 'net' });
  const request = pair.wire.shift()!;
  pair.deliver(request);
  pair.deliver(request);
  assert.equal(sun.sent.length, 2);
  assert.deepEqual(sun.sent[0]?.octets, sun.sent[1]?.octets);
  assert.equal(sun.engine.status().ikeSas.length, 1);
  // The same request from elsewhere is another initiator's, for all that we know (RFC 7296 2.1).
  sun.receive(request.octets, stranger);
  assert.equal(sun.engine.status().ikeSas.length, 2);
});

test('an address that only a later message claims to be from does not choose the connection', () => {
  const there = address('198.51.100.7');
  const pair = new EnginePair({
    sun: configuration('sun', {
      connections: [
        connection('sun', { name: 'branch', remoteAddresses: [{ kind: 'address', address: there }] }),
        connection('sun', { name: 'anywhere', remoteAddresses: [{ kind: 'any' }] }),
      ],
    }),
  }).start();
  pair.moon.command({ kind: 'initiate', child: 'net' });
  pair.deliver(pair.wire.shift()!);
  pair.deliver(pair.wire.shift()!);
  const request = pair.wire.shift()!;
  pair.deliver({ ...request, source: { ...request.source, address: there } });
  assert.deepEqual(
    pair.sun.engine.status().ikeSas.map(({ connection: name, phase }) => [name, phase]),
    [['anywhere', 'established']],
  );
});
