// A peer that proves who it is, and says whatever it likes in UPDATE: it ends no host, and every answer fits into a packet.
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandomness } from '#crypto';
import { address, addressBytes, keyExchangeOfDhGroup } from '#sa';
import {
  decodeHipPacket,
  HipPacketType,
  type HipParameter,
  hipParameterTypeOf,
  type Locator,
  LocatorType,
} from '#wire';
import { registrarDefaults } from './configuration.ts';
import { bareAssociation, bareHost, barePath } from './testing/bare-host.ts';
import { testIdentity } from './testing/identities.ts';
import { tend } from './timers.ts';
import { receiveUpdate } from './update/receive-update.ts';
import { protectedPacket } from './update/send-update.ts';

const randomness = seededRandomness(Uint8Array.of(2));
const publicValue = randomness.keyPair(keyExchangeOfDhGroup(7)!).publicValue;

/** What the peer of a bare association receives by. */
const spi = 0x2000;

const anyLocator: fc.Arbitrary<Locator> = fc.record({
  trafficType: fc.nat(3),
  preferred: fc.boolean(),
  lifetimeSeconds: fc.constantFrom(1, 60, 0xffff_ffff),
  locatorType: fc.constant(LocatorType.ESP_SPI_ADDRESS),
  spi: fc.constantFrom(spi, 5),
  address: fc
    .constantFrom('192.0.2.2', '192.0.2.77', '2001:db8::7', '224.0.0.1', '127.0.0.1')
    .map((one) => addressBytes(address(one))),
});

const unknownLocator: fc.Arbitrary<Locator> = fc.record({
  trafficType: fc.nat(3),
  preferred: fc.constant(true),
  lifetimeSeconds: fc.constant(60),
  locatorType: fc.constant(77),
  body: fc.constantFrom(20, 900, 900).map((length) => new Uint8Array(length)),
});

const types = fc.array(fc.nat(255), { maxLength: 40 });
const lifetime = fc.nat(255);

const anyParameter: fc.Arbitrary<HipParameter> = fc.oneof(
  fc.record({
    type: fc.constant('ESP_INFO' as const),
    keymatIndex: fc.constantFrom(0, 1, 128, 400, 65_535),
    oldSpi: fc.constantFrom(0, spi, 5),
    newSpi: fc.constantFrom(0, 1, spi, 0x3000, 0x3001),
  }),
  fc.record({
    type: fc.constant('DIFFIE_HELLMAN' as const),
    group: fc.constantFrom(4, 7, 7, 99),
    publicValue: fc.constantFrom(publicValue, new Uint8Array(64), new Uint8Array(384)),
  }),
  fc.record({
    type: fc.constant('LOCATOR_SET' as const),
    locators: fc.array(fc.oneof(anyLocator, unknownLocator), { maxLength: 3 }),
  }),
  fc.record({
    type: fc.constant('ECHO_REQUEST_SIGNED' as const),
    data: fc.constantFrom(0, 8, 512, 513, 1_500).map((length) => new Uint8Array(length)),
  }),
  fc.record({
    type: fc.constant('ACK' as const),
    updateIds: fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ type: fc.constant('REG_REQUEST' as const), lifetime, registrationTypes: types }),
  fc.record({ type: fc.constant('REG_RESPONSE' as const), lifetime, registrationTypes: types }),
);

test('whatever a peer says in UPDATE packets under its keys, the host goes on', () => {
  const [long, short] = [testIdentity('rsa-a'), testIdentity('p256-a')];
  const anyUpdate = fc.uniqueArray(anyParameter, { maxLength: 5, selector: ({ type }) => type });
  fc.assert(
    fc.property(fc.array(anyUpdate, { maxLength: 6 }), (updates) => {
      const peer = bareHost();
      const there = bareAssociation(peer, short, long, 'responder');
      const state = bareHost({
        identities: [long],
        registrar: registrarDefaults,
        addresses: [barePath.local.address],
      });
      const { association } = bareAssociation(state, long, short, 'initiator');
      for (const [updateId, said] of updates.entries()) {
        const parameters: HipParameter[] = [...said, { type: 'SEQ', updateId }];
        parameters.sort((one, other) => hipParameterTypeOf(one) - hipParameterTypeOf(other));
        let octets: Uint8Array;
        try {
          octets = protectedPacket(
            peer,
            there.association,
            there.standing.keys,
            HipPacketType.UPDATE,
            parameters,
          );
        } catch {
          // It is the peer's own that is too long.
          continue;
        }
        receiveUpdate(state, { packet: decodeHipPacket(octets), path: barePath });
        state.at += 1_500;
        tend(state, association);
        while (state.poll() !== undefined);
      }
    }),
    { numRuns: 200 },
  );
});
