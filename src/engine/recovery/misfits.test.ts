// What looks like a hint or like proof and is none, each beside what would be one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { invalidIkeSpi, unprotectedInvalidSpi } from '#unknown-spi';
import {
  decodeIkeMessage,
  ExchangeType,
  type IkeHeader,
  type IkeSpi,
  ikeSpiBytes,
  NotifyType,
  PayloadType,
} from '#wire';
import { addresses } from '../testing/connections.ts';
import { only, responderOnly } from './testing/seen.ts';
import { TwoHosts } from './testing/two-hosts.ts';

const flagsAt = 19;
const responseFlag = 0x20;

/** sun has restarted: its token for moon is known to whoever hears it, and moon's question is not answered. */
class Asking {
  readonly hosts: TwoHosts = new TwoHosts({ sun: responderOnly });
  readonly request: IkeHeader;
  readonly token: Uint8Array;
  readonly spi: number;

  constructor() {
    const { hosts } = this;
    const { moon, sun } = hosts;
    hosts.connect();
    this.spi = [...moon.outbound.keys()][0]!;
    hosts.restart(sun);
    hosts.sendEsp(moon);
    const told = decodeIkeMessage(only(sun).octets).payloads.flatMap((payload) =>
      payload.type === 'N' && payload.notifyType === NotifyType.QUICK_CRASH_DETECTION ? [payload.data] : [],
    );
    this.token = told[0]!;
    const quote = { source: addresses.moon, destination: addresses.sun, spi: this.spi };
    moon.give(hosts.now, { kind: 'icmp-error', from: addresses.sun, quote });
    this.request = decodeIkeMessage(only(moon).octets).header;
    moon.events.length = 0;
  }

  /** What moon makes of it. */
  tell(octets: Uint8Array): string | undefined {
    const { moon } = this.hosts;
    moon.events.length = 0;
    const [local, remote] = [addresses.sun, addresses.moon].map((address) => ({ address, port: 500 }));
    this.hosts.receive(moon, { local: local!, remote: remote!, octets });
    return moon.eventsOf('hint').at(-1)?.outcome;
  }
}

// RFC 7296 1.5
test('INVALID_SPI is said outside of exchanges, and in no response', () => {
  const asking = new Asking();
  const octets = unprotectedInvalidSpi(asking.spi, asking.request, []);
  assert.equal(asking.tell(octets), 'probe-outstanding');
  octets[flagsAt] = octets[flagsAt]! | responseFlag;
  assert.equal(asking.tell(octets), undefined);
});

// RFC 7296 2.21.4
test('INVALID_IKE_SPI names both SPIs of the IKE SA', () => {
  const asking = new Asking();
  const { request } = asking;
  assert.equal(asking.tell(invalidIkeSpi(request, [])), 'probe-outstanding');
  const responderSpi = '6666666666666666' as IkeSpi;
  assert.equal(asking.tell(invalidIkeSpi({ ...request, responderSpi }, [])), 'no-such-request');
});

// RFC 6290 4.5
test('a token beside INVALID_IKE_SPI proves something in a response only', () => {
  const asking = new Asking();
  const octets = invalidIkeSpi(asking.request, [asking.token]);
  octets[flagsAt] = octets[flagsAt]! & ~responseFlag;
  assert.equal(asking.tell(octets), 'not-a-response');
  assert.equal(asking.tell(invalidIkeSpi(asking.request, [asking.token])), 'proven');
});

// RFC 6290 8.1
test('no more than a hundred messages with tokens are compared for one source at once', () => {
  const asking = new Asking();
  const wrong = invalidIkeSpi(asking.request, [new Uint8Array(16).fill(1)]);
  for (let i = 0; i < 100; i++) {
    asking.tell(wrong);
    assert.equal(asking.hosts.moon.eventsOf('hint')[0]?.outcome, 'token-unknown');
  }
  asking.tell(wrong);
  assert.equal(asking.hosts.moon.eventsOf('hint')[0]?.outcome, 'too-many-tokens');
  asking.hosts.now += 10;
  assert.equal(asking.tell(invalidIkeSpi(asking.request, [asking.token])), 'proven');
});

// A token is longer than what a request needs to have.
test('whoever asks with the shortest request gets no more than that for it', () => {
  const { hosts } = new Asking();
  const { sun } = hosts;
  const stranger = { address: address('203.0.113.9'), port: 500 };
  const octets = new Uint8Array(32);
  octets.set(ikeSpiBytes('7777777777777777' as IkeSpi));
  octets.set(ikeSpiBytes('8888888888888888' as IkeSpi), 8);
  octets.set([PayloadType.SK, 0x20, ExchangeType.INFORMATIONAL, 0x08], 16);
  octets[27] = octets.length;
  octets[31] = 4;
  hosts.receive(sun, { local: stranger, remote: { address: addresses.sun, port: 500 }, octets });
  const [answer] = sun.sent;
  assert.equal(
    sun.eventsOf('unknown-ike-message').at(-1)?.outcome,
    answer === undefined ? 'prefix-credit' : 'sent',
  );
  assert.ok((answer?.octets.length ?? 0) <= octets.length);
});
