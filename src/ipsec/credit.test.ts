// An address that nobody has verified gets no more octets than the peer has sent, however the two take turns (RFC 8046 5.6).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SaCommand } from '#sa';
import { MemoryDataPlane } from './memory/memory-data-plane.ts';
import {
  drain,
  flow,
  ipPacket,
  policyFor,
  receive,
  receiverOuter,
  senderOuter,
  testRandomness,
  transmitted,
} from './testing/fixtures.ts';
import { seal } from './testing/hosts.ts';

const more = { countsCredit: true } as const;

/** A host with a pair of SAs in tunnel mode, and a peer that only sends. */
class Pair {
  readonly host = new MemoryDataPlane({ randomness: testRandomness });
  readonly peer = new MemoryDataPlane({ randomness: testRandomness });
  readonly #out = flow({ more });
  readonly #in = flow({
    more,
    spi: 0x5eed_0001,
    senderSide: ['10.2.0.0/16'],
    receiverSide: ['10.1.0.0/16'],
  });

  constructor() {
    for (const [plane, sa, policyId] of [
      [this.host, this.#out.sender, 1],
      [this.host, this.#in.receiver, 2],
      [this.peer, this.#in.sender, 3],
    ] as const) {
      assert.deepEqual(plane.apply({ kind: 'install', sa }, 0), { ok: true });
      plane.apply({ kind: 'install-policy', policy: policyFor(sa, { policyId }) }, 0);
    }
  }

  move(unverified: boolean, at: number): void {
    const command: SaCommand = {
      kind: 'update-addresses',
      protocol: 'esp',
      direction: 'outbound',
      spi: this.#out.sender.spi,
      childId: 1,
      local: { address: senderOuter[4], port: 0 },
      remote: { address: receiverOuter[4], port: 0 },
      encapsulated: false,
      ...(unverified && { unverified }),
    };
    assert.deepEqual(this.host.apply(command, at), { ok: true });
  }

  /** @returns octets of the packet that came, from the ESP header on */
  hear(dataBytes: number, at: number): number {
    const packet = ipPacket({ source: '10.2.0.7', destination: '10.1.0.5', dataBytes });
    const sealed = seal(this.peer, packet, at);
    receive(this.host, sealed, at);
    drain(this.host);
    return sealed.octets.length;
  }

  /** @returns octets of the IP packets that left, in pieces of what the path carries */
  say(dataBytes: number, at: number): number {
    this.host.outbound(ipPacket({ dataBytes }), at);
    return transmitted(drain(this.host)).reduce((sum, { octets }) => sum + 20 + octets.length, 0);
  }
}

// RFC 8046 5.6.1
test('to an address that is not verified nothing goes without credit, and to one that is everything', () => {
  const pair = new Pair();
  assert.ok(pair.say(100, 0) > 0);
  pair.move(true, 0);
  assert.equal(pair.say(100, 0), 0);
  pair.hear(300, 1);
  assert.ok(pair.say(100, 2) > 0);
  pair.hear(2, 3);
  assert.equal(pair.say(1_000, 4), 0);
  assert.equal(pair.host.stats().verdicts['no-credit'], 2);
  pair.move(false, 5);
  assert.ok(pair.say(1_000, 6) > 0);
});

// RFC 8046 5.6.2
test('credit that is not used fades: a minute later a fifth of it is left', () => {
  const pair = new Pair();
  for (let i = 0; i < 100; i++) pair.hear(1_000, i);
  pair.move(true, 60_000);
  let sent = 0;
  for (let i = 0; i < 200; i++) sent += pair.say(1_000, 60_000);
  // 12 intervals: 0.2014 of about 106 packets of 1000 octets.
  assert.ok(sent > 18_000 && sent < 22_000, `${sent} octets`);
});

type Turn = readonly ['hear' | 'say' | 'wait' | 'verified' | 'unverified', number];

const turn: fc.Arbitrary<Turn> = fc.tuple(
  fc.constantFrom('hear', 'say', 'say', 'wait', 'verified', 'unverified'),
  fc.nat(1_300),
);

// RFC 8046 3.3.2, 5.6, 5.6.1, 5.6.2
test('what goes to unverified addresses never exceeds what came, aged (property)', () => {
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 60 }), (turns) => {
      const pair = new Pair();
      let at = 0;
      let unverified = false;
      /** What came and was not spent; faded at the times of RFC 8046, counted from the installation. */
      let bound = 0;
      for (const [what, amount] of turns) {
        switch (what) {
          case 'hear':
            bound += pair.hear(amount, at);
            break;
          case 'say': {
            const sent = pair.say(amount, at);
            if (!unverified) break;
            bound -= sent;
            assert.ok(bound >= 0, `${-bound} octets too many after ${JSON.stringify(turns)}`);
            break;
          }
          case 'wait': {
            const before = Math.floor(at / 5_000);
            at += amount * 10;
            bound *= (7 / 8) ** (Math.floor(at / 5_000) - before);
            break;
          }
          case 'verified':
          case 'unverified':
            unverified = what === 'unverified';
            pair.move(unverified, at);
        }
      }
      // All that is left, in small packets, so that an octet too many for each shows.
      pair.move(true, at);
      for (let sent = pair.say(1, at); sent > 0; sent = pair.say(1, at)) bound -= sent;
      assert.ok(bound >= 0, `${-bound} octets too many after ${JSON.stringify(turns)}`);
    }),
    { numRuns: 100 },
  );
});
