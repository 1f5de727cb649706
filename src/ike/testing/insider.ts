// A peer that knows the keys and says what it likes: moon's keys in the hands of a test.
import assert from 'node:assert/strict';
import { packetCipher } from '#crypto';
import type { Endpoint } from '#sa';
import { decodeIkeMessage, ExchangeType, type IkeHeader, type Payload } from '#wire';
import { MessageSealer, openMessage } from '../protection/sealed-message.ts';
import { type Datagram, Pair } from './pair.ts';

export interface Insider {
  readonly pair: Pair;
  /** Where its messages come from. */
  from: Endpoint;
  /** A request of moon's, with the next Message ID or with this one. */
  send(payloads: readonly Payload[], exchangeType?: number, id?: number): void;
  /** The same in fragments that fill packets of so many octets; the last one is held back. */
  sendWithoutEnd(payloads: readonly Payload[], exchangeType: number, packetBytes: number): void;
  /** The payloads of sun's next message. */
  answer(): readonly Payload[];
  /** Answers the oldest request of sun's; false if there is none. */
  respond(payloads: readonly Payload[]): boolean;
}

/** @param authenticated whether IKE_AUTH is done already */
export function insider(authenticated = true, pair: Pair = new Pair()): Insider {
  pair.moon.initiate(pair.sun.endpoint, { keyLog: true });
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  if (authenticated) pair.settle();
  else pair.drop(pair.sun);
  const keys = pair.moon.keyLog.find((entry) => entry.kind === 'ike');
  assert.ok(keys);
  const cipher = (key: Uint8Array): ReturnType<typeof packetCipher> =>
    packetCipher({ encryption: { ...keys.suite.encr, key } });
  const sealer = new MessageSealer(cipher(keys.skEi), pair.moon.randomness, 1_000_000n);
  const opener = cipher(keys.skEr);
  let messageId = authenticated ? 2 : 1;
  type Said = Pick<IkeHeader, 'exchangeType' | 'response' | 'messageId'>;
  const headerOf = (said: Said): IkeHeader => ({
    initiatorSpi: keys.initiatorSpi,
    responderSpi: keys.responderSpi,
    majorVersion: 2,
    minorVersion: 0,
    initiator: true,
    higherVersion: false,
    ...said,
  });
  const say = (said: Said, payloads: readonly Payload[]): void => pass(sealer.seal(headerOf(said), payloads));
  const pass = (octets: Uint8Array): void => {
    const datagram: Datagram = {
      to: pair.sun,
      source: self.from,
      destination: pair.sun.endpoint,
      octets,
    };
    pair.deliver(pair.sun, datagram);
  };
  const self: Insider = {
    pair,
    from: pair.moon.endpoint,
    send(payloads, exchangeType = ExchangeType.INFORMATIONAL, id = messageId++) {
      say({ exchangeType, response: false, messageId: id }, payloads);
    },
    sendWithoutEnd(payloads, exchangeType, packetBytes) {
      const header = headerOf({ exchangeType, response: false, messageId });
      const limits = { packetBytes, ipv6: false, marker: false };
      for (const fragment of sealer.sealFragmented(header, payloads, limits).slice(0, -1)) pass(fragment);
    },
    answer() {
      const opening = openMessage(decodeIkeMessage(pair.take(pair.moon).octets), opener);
      assert.equal(opening.kind, 'opened');
      return opening.payloads;
    },
    respond(payloads) {
      pair.collect();
      const requests = pair.wire.map(({ octets }) => decodeIkeMessage(octets).header);
      const request = requests.find(({ response, initiator }) => !response && !initiator);
      if (request === undefined) return false;
      pair.wire.splice(requests.indexOf(request), 1);
      say({ exchangeType: request.exchangeType, response: true, messageId: request.messageId }, payloads);
      return true;
    },
  };
  return self;
}
