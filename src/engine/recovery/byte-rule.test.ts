// What merged evidence is worth: every octet that came in claiming a source, and none that did not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandomness } from '#crypto';
import { MemoryDataPlane } from '#ipsec';
import { address, type Endpoint } from '#sa';
import { decodeIkeMessage, NotifyType } from '#wire';
import { addresses, text } from '../testing/connections.ts';
import { type TestHost, TwoHosts } from './testing/two-hosts.ts';

const strangers = [addresses.moon, address('203.0.113.7'), address('203.0.113.8')] as const;

interface Arrival {
  readonly from: number;
  readonly known: boolean;
  readonly encapsulated: boolean;
  readonly lengthBytes: number;
  readonly afterMs: number;
  /** The engine hears of what has come so far. */
  readonly told: boolean;
}

/** sun has restarted; a data plane of its own tells its engine what arrives. */
class Restarted {
  readonly hosts: TwoHosts = new TwoHosts({
    sun: { connection: { remoteAddresses: [{ kind: 'any' }] } },
  });
  readonly sun: TestHost = this.hosts.sun;
  readonly plane: MemoryDataPlane = new MemoryDataPlane({ randomness: seededRandomness(text('plane')) });
  readonly spi: number;
  readonly balance: Map<string, number> = new Map();

  constructor() {
    this.hosts.connect();
    [this.spi] = [...this.hosts.moon.outbound.keys()] as [number];
    this.hosts.restart(this.sun);
    this.sun.sent.length = 0;
  }

  arrive({ from, known, encapsulated, lengthBytes, afterMs, told }: Arrival): void {
    const { hosts } = this;
    hosts.now += afterMs;
    const octets = new Uint8Array(lengthBytes).fill(3);
    new DataView(octets.buffer).setUint32(0, known ? this.spi : 0xc0ff_ee00 + from);
    const remote: Endpoint = { address: strangers[from]!, port: encapsulated ? 4500 : 0 };
    const local: Endpoint = { address: addresses.sun, port: encapsulated ? 4500 : 0 };
    this.plane.inbound({ local, remote, protocol: encapsulated ? 'udp' : 'esp', octets }, hosts.now);
    this.#add(remote.address, lengthBytes + (encapsulated ? 28 : 20));
    if (!told) return;
    for (let output = this.plane.poll(); output !== undefined; output = this.plane.poll()) {
      if (output.kind === 'event') this.sun.give(hosts.now, { kind: 'data-plane', event: output.event });
    }
    for (const sent of this.sun.sent) this.#add(sent.remote.address, -(sent.octets.length + 28));
  }

  /** What was said since the last time. */
  said(): number[][] {
    return this.sun.sent.splice(0).map(({ local, octets }) => {
      // On the shared port a non-ESP marker comes first.
      const { payloads } = decodeIkeMessage(local.port === 4500 ? octets.subarray(4) : octets);
      return payloads.flatMap((one) => (one.type === 'N' ? [one.notifyType] : []));
    });
  }

  #add(source: string, bytes: number): void {
    this.balance.set(source, (this.balance.get(source) ?? 0) + bytes);
  }
}

test('packets that were too short for an answer pay for one together, when they are told of as one', () => {
  const one = new Restarted();
  const arrival = { from: 0, known: true, encapsulated: false, lengthBytes: 24, afterMs: 1, told: false };
  for (let i = 0; i < 4; i++) one.arrive(arrival);
  one.arrive({ ...arrival, told: true });
  assert.deepEqual(one.said(), [[NotifyType.INVALID_SPI, NotifyType.QUICK_CRASH_DETECTION]]);
});

test('for any packets from anybody, merged or not: never does more go to an address than came claiming it', () => {
  const anyArrival: fc.Arbitrary<Arrival> = fc.record({
    from: fc.nat(strangers.length - 1),
    known: fc.boolean(),
    encapsulated: fc.boolean(),
    // Behind a non-ESP marker it would be IKE, and of one octet a keepalive.
    lengthBytes: fc.oneof(fc.integer({ min: 8, max: 120 }), fc.integer({ min: 8, max: 1_400 })),
    afterMs: fc.oneof(fc.nat(20), fc.nat(2_000)),
    told: fc.boolean(),
  });
  let answers = 0;
  fc.assert(
    fc.property(fc.array(anyArrival, { maxLength: 60 }), (arrivals) => {
      const one = new Restarted();
      for (const arrival of arrivals) {
        one.arrive(arrival);
        for (const [source, bytes] of one.balance) assert.ok(bytes >= 0, `${source}: ${bytes}`);
        answers += one.said().length;
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(answers > 15, `${answers} answers`);
});
