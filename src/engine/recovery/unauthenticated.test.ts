// Whatever strangers send, in any order and from any source: no SA changes, nothing is amplified, nothing grows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, type IpAddress } from '#sa';
import { invalidIkeSpi, invalidMajorVersion, ipOverheadBytes, unprotectedInvalidSpi } from '#unknown-spi';
import {
  decodeIkeMessage,
  ExchangeType,
  encodeIkeMessage,
  type IkeMessage,
  type IkeSpi,
  type NotifyPayload,
  NotifyType,
  type Payload,
} from '#wire';
import { addresses, text } from '../testing/connections.ts';
import { type Datagram, established, TwoHosts } from './testing/two-hosts.ts';

const sources: readonly IpAddress[] = [
  ...['10.0.0.1', '10.0.0.7', '198.51.100.2', '203.0.113.9'].map(address),
  ...['224.0.0.1', '0.0.0.0'].map(address),
  addresses.moon,
  addresses.sun,
];

type Spis = { readonly initiatorSpi: IkeSpi; readonly responderSpi: IkeSpi };

/** Two gateways in touch; sun forgot an earlier IKE SA of theirs, and has it in its history. */
class Scene {
  readonly hosts = new TwoHosts({ sun: { connection: { remoteAddresses: [{ kind: 'any' }] } } });
  readonly live: Spis;
  readonly forgotten: Spis;
  readonly forgottenSpi: number;
  /** What moon once began an IKE SA with: a good IKE_SA_INIT request. */
  readonly beginning: Uint8Array;
  readonly sas: string;
  readonly balance: Map<IpAddress, number> = new Map();
  readonly sent = { halfOpen: 0, protected: 0, unauthenticated: 0 };

  constructor() {
    const { hosts } = this;
    let beginning: Datagram | undefined;
    hosts.moon.give(0, { kind: 'command', id: 1, command: { kind: 'initiate', connection: 'gateway' } });
    hosts.settle((datagram) => {
      beginning ??= datagram;
      return true;
    });
    this.beginning = beginning!.octets;
    this.forgotten = this.#spis();
    this.forgottenSpi = [...hosts.moon.outbound.keys()].at(-1)!;
    hosts.restart(hosts.sun);
    hosts.sendEsp(hosts.moon);
    hosts.settle();
    this.live = this.#spis();
    assert.notEqual(this.live.initiatorSpi, this.forgotten.initiatorSpi);
    this.sas = this.standing();
    // What was earned and spent until here is none of the strangers'.
    hosts.wait(120_000);
    this.hosts.sun.events.length = 0;
  }

  #spis(): Spis {
    const [sa] = this.hosts.moon.engine.status().ikeSas.filter(({ phase }) => phase === 'established');
    assert.ok(sa !== undefined);
    return { initiatorSpi: sa.initiatorSpi, responderSpi: sa.responderSpi };
  }

  standing(): string {
    const { sun } = this.hosts;
    return JSON.stringify([established(sun), [...sun.inbound.keys()], [...sun.outbound.keys()]]);
  }

  /** sun hears this from a source that may be a lie. */
  hear(source: IpAddress, octets: Uint8Array): void {
    this.#credit(source, octets.length + ipOverheadBytes(source, true));
    const local = { address: source, port: 500 };
    this.hosts.receive(this.hosts.sun, { local, remote: { address: addresses.sun, port: 500 }, octets });
    this.account();
  }

  seePacket(source: IpAddress, protocol: 'esp' | 'ah', spi: number, lengthBytes: number): void {
    this.#credit(source, lengthBytes + ipOverheadBytes(source, false));
    const { hosts } = this;
    hosts.sun.give(hosts.now, {
      kind: 'data-plane',
      event: {
        kind: 'unknown-spi',
        evidence: {
          protocol,
          spi,
          source: { address: source, port: 0 },
          destination: { address: addresses.sun, port: 0 },
          encapsulated: false,
          lengthBytes,
          mergedBytes: lengthBytes,
          count: 1,
        },
      },
    });
    this.account();
  }

  #credit(source: IpAddress, bytes: number): void {
    this.balance.set(source, (this.balance.get(source) ?? 0) + bytes);
  }

  /** Judges everything that sun has said since, and lets moon answer what was meant for it. */
  account(): void {
    for (const datagram of this.hosts.sun.sent) this.#judge(datagram);
    this.hosts.settle();
  }

  #judge({ remote, octets }: Datagram): void {
    const message = decodeIkeMessage(octets);
    const { header, payloads } = message;
    if (payloads.some(({ type }) => type === 'SK' || type === 'SKF')) {
      assert.equal(remote.address, addresses.moon);
      this.sent.protected++;
      return;
    }
    if (header.exchangeType === ExchangeType.IKE_SA_INIT && payloads.some(({ type }) => type === 'SA')) {
      // The named exception: bounded by the half-open table, and by its COOKIE threshold.
      assert.ok(header.response, 'nobody makes us call');
      this.sent.halfOpen++;
      return;
    }
    const left =
      (this.balance.get(remote.address) ?? 0) - octets.length - ipOverheadBytes(remote.address, true);
    assert.ok(left >= 0, `${remote.address} got ${-left} octets more than came from there`);
    this.balance.set(remote.address, left);
    this.sent.unauthenticated++;
    assert.ok(
      !(hasToken(message) && header.initiatorSpi === this.live.initiatorSpi),
      'a token of a live IKE SA',
    );
  }
}

function hasToken({ payloads }: IkeMessage): boolean {
  return payloads.some(
    (payload): payload is NotifyPayload =>
      payload.type === 'N' && payload.notifyType === NotifyType.QUICK_CRASH_DETECTION,
  );
}

interface Stimulus {
  readonly kind: number;
  readonly source: IpAddress;
  readonly detail: number;
  readonly afterMs: number;
}

const anyStimuli: fc.Arbitrary<Stimulus[]> = fc.array(
  fc.nat({ max: 0x7fff_ffff }).map(
    (word): Stimulus => ({
      source: sources[word & 7]!,
      afterMs: ((word >> 3) & 7) * 37,
      kind: (word >> 6) & 15,
      detail: word >> 10,
    }),
  ),
  { minLength: 40, maxLength: 60 },
);

function stimulate(scene: Scene, { kind, source, detail }: Stimulus): void {
  const spis = [scene.live, scene.forgotten, made(detail)][detail % 3]!;
  const request = {
    ...spis,
    majorVersion: 2,
    minorVersion: 0,
    exchangeType: 35 + (detail & 3),
    initiator: (detail & 4) !== 0,
    response: false,
    higherVersion: false,
    messageId: detail & 7,
  };
  const token = text(`${detail} is no token of ours`.slice(0, 16).padEnd(16));
  const spi = [scene.forgottenSpi, 256 + detail][detail & 1]!;
  switch (kind) {
    case 0:
    case 1:
    case 2:
      scene.seePacket(source, kind === 2 ? 'ah' : 'esp', spi, detail & 255);
      return;
    case 3:
      scene.hear(source, unprotectedInvalidSpi(outboundSpi(scene, detail), spis, [token]));
      return;
    case 4:
      scene.hear(source, invalidIkeSpi(request, [token, token]));
      return;
    case 5:
      scene.hear(source, invalidMajorVersion(request));
      return;
    case 6:
    case 7:
      scene.hear(source, message({ ...request, response: kind === 7 }, garbage(detail)));
      return;
    case 8:
      scene.hear(source, message({ ...request, majorVersion: 3 }, garbage(detail)));
      return;
    case 9:
    case 10: {
      // Another initiator's SPI each time: a new half-open IKE SA if we let it.
      const octets = scene.beginning.slice();
      new DataView(octets.buffer).setUint32(0, detail + 1);
      scene.hear(source, octets);
      return;
    }
    case 11:
      scene.hear(source, scene.beginning.subarray(0, detail % scene.beginning.length));
      return;
    case 12:
      scene.hosts.sun.give(scene.hosts.now, {
        kind: 'icmp-error',
        from: source,
        quote: { source: addresses.sun, destination: addresses.moon, spi: outboundSpi(scene, detail) },
      });
      scene.account();
      return;
    default:
      scene.hear(source, new Uint8Array(detail & 127).fill(detail));
  }
}

function outboundSpi({ hosts }: Scene, detail: number): number {
  return (detail & 8) === 0 ? [...hosts.sun.outbound.keys()].at(-1)! : detail + 256;
}

function made(detail: number): Spis {
  const hex = detail.toString(16).padStart(16, '1');
  return { initiatorSpi: hex as IkeSpi, responderSpi: hex as IkeSpi };
}

function garbage(detail: number): Payload[] {
  return [{ type: 'N', protocolId: 0, spi: new Uint8Array(0), notifyType: detail & 0xffff, data: text('?') }];
}

function message(header: Parameters<typeof encodeIkeMessage>[0]['header'], payloads: Payload[]): Uint8Array {
  return encodeIkeMessage({ header, payloads });
}

test('for any datagrams of strangers: no SA changes, no octet more goes out than came in, no token of a live IKE SA', () => {
  const sent = { halfOpen: 0, protected: 0, unauthenticated: 0 };
  fc.assert(
    fc.property(anyStimuli, (stimuli) => {
      const scene = new Scene();
      const { sun } = scene.hosts;
      const limit = sun.configuration.halfOpen.halfOpenMax;
      const begunAt = scene.hosts.now;
      for (const stimulus of stimuli) {
        scene.hosts.wait(stimulus.afterMs);
        stimulate(scene, stimulus);
        assert.equal(scene.standing(), scene.sas);
        assert.ok(sun.engine.status().ikeSas.length <= 1 + limit);
      }
      // One liveness check in a window, whatever was said; each window is a second at least.
      assert.ok(
        scene.sent.protected <= 2 + (scene.hosts.now - begunAt) / 1_000,
        `${scene.sent.protected} checks`,
      );
      for (const kind of ['halfOpen', 'protected', 'unauthenticated'] as const)
        sent[kind] += scene.sent[kind];
    }),
    { numRuns: 150 },
  );
  // Strangers were answered in every way there is: what was judged did happen.
  for (const [kind, count] of Object.entries(sent)) assert.ok(count > 50, `${count} ${kind}`);
});
