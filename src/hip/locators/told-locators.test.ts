// What a peer may say of its addresses, and what is made of it (RFC 8046 4, 5.3, 6.2.2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, addressBytes, type Spi } from '#sa';
import {
  decodeHipPacket,
  HipNotifyType,
  HipPacketType,
  type HipParameter,
  type Locator,
  LocatorType,
  TrafficType,
} from '#wire';
import { addressesOf, type HipHostState } from '../host-state.ts';
import type { HipOutput } from '../interface.ts';
import { bareAssociation, bareHost, barePath } from '../testing/bare-host.ts';
import { testIdentity } from '../testing/identities.ts';
import { receiveUpdate } from '../update/receive-update.ts';
import { protectedPacket } from '../update/send-update.ts';
import { tendLocators } from './choose-path.ts';
import { peerLocatorsMax } from './peer-locators.ts';

const source = barePath.remote;

/** A host that has an association, and a peer that says whatever it is told to. */
class Listener {
  readonly state: HipHostState;
  readonly #own = testIdentity('p256-a');
  readonly #peer = testIdentity('p256-b');
  readonly #there = bareAssociation(bareHost(), this.#peer, this.#own, 'responder');
  readonly #thereState = bareHost();
  readonly #here: ReturnType<typeof bareAssociation>;
  #updateId = 0;

  constructor() {
    this.state = bareHost({ identities: [this.#own] });
    this.#here = bareAssociation(this.state, this.#own, this.#peer, 'initiator');
  }

  hear(locators: readonly Locator[], more: readonly HipParameter[] = []): HipOutput[] {
    const { association, standing } = this.#there;
    const octets = protectedPacket(this.#thereState, association, standing.keys, HipPacketType.UPDATE, [
      { type: 'SEQ', updateId: this.#updateId++ },
      { type: 'LOCATOR_SET', locators },
      ...more,
    ]);
    receiveUpdate(this.state, { packet: decodeHipPacket(octets), path: barePath });
    return this.drain();
  }

  drain(): HipOutput[] {
    const outputs: HipOutput[] = [];
    for (let output = this.state.poll(); output !== undefined; output = this.state.poll())
      outputs.push(output);
    return outputs;
  }

  pass(ms: number): HipOutput[] {
    this.state.at += ms;
    tendLocators(this.state, this.#here.association, this.#here.standing);
    return this.drain();
  }

  get known(): string[] {
    return this.#here.standing.locators.all.map(({ address: one, state }) => `${one} ${state}`);
  }

  get probes(): number {
    return this.#here.standing.updates.probes.size;
  }

  /** The peer acknowledges what came to it by its own address, so that there is room for more. */
  acknowledgeLapsed(): void {
    const { association, standing } = this.#there;
    for (const { updateId, echo, lapsed } of [...this.#here.standing.updates.probes.values()]) {
      if (!lapsed) continue;
      const octets = protectedPacket(this.#thereState, association, standing.keys, HipPacketType.UPDATE, [
        { type: 'ACK', updateIds: [updateId] },
        { type: 'ECHO_RESPONSE_SIGNED', data: echo },
      ]);
      receiveUpdate(this.state, { packet: decodeHipPacket(octets), path: barePath });
    }
  }

  set rttMs(ms: number) {
    this.#here.standing.rttMs = ms;
  }

  get inUse(): string {
    return this.#here.association.path.remote.address;
  }
}

const common = { trafficType: TrafficType.BOTH, preferred: false, lifetimeSeconds: 60 };

function locator(text: string, more: Partial<Locator> = {}): Locator {
  return {
    ...common,
    locatorType: LocatorType.ESP_SPI_ADDRESS,
    spi: 0x2000 as Spi,
    address: addressBytes(address(text)),
    ...more,
  } as Locator;
}

function destinations(outputs: readonly HipOutput[]): string[] {
  return outputs.flatMap((output) => (output.kind === 'transmit' ? [output.path.remote.address] : []));
}

// RFC 8046 5.2, 5.3, RFC 8047 5.1
test('addresses at which no peer can be, and those of other SAs, are not taken', () => {
  const listener = new Listener();
  const sent = listener.hear([
    locator('224.0.0.1'),
    locator('255.255.255.255'),
    locator('0.0.0.0'),
    locator('127.0.0.1'),
    locator('169.254.1.1'),
    locator('ff02::1'),
    locator('::'),
    locator('::1'),
    locator('fe80::1'),
    // A HIT: what is sent there would come to HIP again.
    locator('2001:20::1'),
    locator('198.51.100.1', { spi: 0x9999 as Spi }),
    locator('198.51.100.2', { trafficType: TrafficType.SIGNALING }),
    { ...common, locatorType: LocatorType.ADDRESS, address: addressBytes(address('198.51.100.3')) },
  ]);
  assert.deepEqual(listener.known, ['198.51.100.3 UNVERIFIED']);
  // Nothing else answers: it is used as far as credit goes, and asked.
  assert.equal(listener.inUse, '198.51.100.3');
  assert.deepEqual(destinations(sent), ['192.0.2.2']);
  assert.deepEqual(destinations(listener.pass(0)), ['198.51.100.3']);
});

// RFC 8046 6.2.2
test('sixty addresses cost eight, of which the preferred one is not left out', () => {
  const listener = new Listener();
  const many = Array.from({ length: 60 }, (_, i) => locator(`198.51.100.${i + 1}`));
  const wanted = locator('203.0.113.7', { preferred: true });
  const sent = destinations(listener.hear([...many, wanted]));
  assert.equal(listener.known.filter((one) => one.endsWith('UNVERIFIED')).length, peerLocatorsMax);
  assert.equal(listener.known[0], '203.0.113.7 UNVERIFIED');
  assert.deepEqual(sent, ['203.0.113.7']);
  listener.pass(0);
  assert.equal(listener.probes, peerLocatorsMax);
});

// RFC 8046 5.6, 6.2.1
test('whoever names ever new addresses has no more packets sent to them than to a few', () => {
  const listener = new Listener();
  listener.rttMs = 1;
  let packets = 0;
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 4; i++) {
      const names = Array.from({ length: 8 }, (_, j) => locator(`203.0.${second * 4 + i}.${j + 1}`));
      const outputs = [...listener.hear(names), ...listener.pass(250)];
      listener.acknowledgeLapsed();
      packets += destinations(outputs).filter((one) => one.startsWith('203.')).length;
    }
    assert.ok(listener.probes <= peerLocatorsMax);
  }
  // 240 UPDATE packets asked for 1920 addresses to be looked at.
  assert.ok(packets > 60 && packets <= 16 + 2 * 60, `${packets} packets`);
});

// RFC 8046 3.2.2, 5.3: the set speaks of the SPI that the same packet has brought.
test('an UPDATE that rekeys as well is taken for both', () => {
  const listener = new Listener();
  const info = { type: 'ESP_INFO', keymatIndex: 500, oldSpi: 0x2000, newSpi: 0x3000 } as const;
  const sent = listener.hear([locator('198.51.100.1', { preferred: true, spi: 0x3000 as Spi })], [info]);
  assert.deepEqual(listener.known, ['198.51.100.1 UNVERIFIED']);
  assert.deepEqual(destinations(sent).toSorted(), ['192.0.2.2', '198.51.100.1', '198.51.100.1'].toSorted());
  // The new SAs are bounded as the old ones are.
  const limited = sent.flatMap((output) =>
    output.kind === 'sa-command' && output.command.kind === 'update-addresses' && output.command.unverified
      ? [output.command.spi]
      : [],
  );
  assert.deepEqual(new Set(limited), new Set([0x2000, 0x3000]));
});

// RFC 8046 5.3
test('a locator of a type that we cannot read is told of, if we were to use it', () => {
  const listener = new Listener();
  const strange: Locator = {
    trafficType: TrafficType.BOTH,
    preferred: true,
    lifetimeSeconds: 60,
    locatorType: 77,
    body: Uint8Array.of(1, 2, 3, 4),
  };
  const told = listener.hear([locator('192.0.2.2'), strange]).flatMap((output) => {
    if (output.kind !== 'transmit') return [];
    const { local, remote } = output.path;
    const { header, parameters } = decodeHipPacket(output.octets, addressesOf(local.address, remote.address));
    return header.packetType === HipPacketType.NOTIFY ? parameters : [];
  });
  const [notification] = told;
  assert.ok(notification?.type === 'NOTIFICATION');
  assert.equal(notification.notifyType, HipNotifyType.LOCATOR_TYPE_UNSUPPORTED);
  assert.deepEqual([...notification.data], [0, 77, 1, 1, 0, 0, 0, 60, 1, 2, 3, 4]);
  assert.deepEqual(listener.known, ['192.0.2.2 ACTIVE']);
  assert.equal(listener.hear([locator('192.0.2.2'), { ...strange, preferred: false }]).length, 1);
});

// RFC 8046 4: it deprecates all of them.
test('an empty set leaves the peer where it was, for want of anything else', () => {
  const listener = new Listener();
  listener.hear([]);
  assert.deepEqual(listener.known, [`${source.address} DEPRECATED`]);
  assert.equal(listener.inUse, source.address);
});

test('whatever a peer says, what is kept stays small, and only what was asked becomes ACTIVE (property)', () => {
  const texts = ['192.0.2.2', '198.51.100.1', '198.51.100.2', '2001:db8::1', '224.0.0.1', '2001:22::5'];
  const any: fc.Arbitrary<Locator> = fc
    .record({
      text: fc.oneof(fc.constantFrom(...texts), fc.ipV4()),
      preferred: fc.boolean(),
      lifetimeSeconds: fc.integer({ min: 1, max: 0xffff_ffff }),
      trafficType: fc.nat(3),
      spi: fc.constantFrom(0x2000, 0x2000, 7),
    })
    .map(({ text, ...more }) => locator(text, more as Partial<Locator>));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(any, { maxLength: 12 }), fc.nat(40_000)), { maxLength: 12 }),
      (says) => {
        const listener = new Listener();
        for (const [locators, ms] of says) {
          listener.hear(locators);
          listener.pass(ms);
          assert.ok(listener.known.length <= peerLocatorsMax + 1);
          assert.ok(listener.probes <= peerLocatorsMax);
          const active = listener.known.filter((one) => one.endsWith('ACTIVE'));
          assert.ok(
            active.every((one) => one === '192.0.2.2 ACTIVE'),
            listener.known.join(),
          );
        }
      },
    ),
    { numRuns: 150 },
  );
});
