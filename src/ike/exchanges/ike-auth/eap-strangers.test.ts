// What whoever can exchange keys makes a gateway with EAP hold, and send to others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { ExchangeType, type Payload } from '#wire';
import { text } from '../../testing/connections.ts';
import { eapPair } from '../../testing/eap-pair.ts';
import { insider } from '../../testing/insider.ts';

const victim = address('203.0.113.7');
const whoItIs: readonly Payload[] = [{ type: 'IDi', idType: 2, data: text('x') }];

test('our certificates go to where an IKE SA was not begun no more often than whoever is there needs', () => {
  const stranger = insider(false, eapPair());
  const { pair } = stranger;
  const sentTo = (destination: string): number => {
    pair.collect();
    return pair.wire.filter((datagram) => datagram.destination.address === destination).length;
  };
  const moon = stranger.from;
  stranger.from = { address: victim, port: 500 };
  // RFC 7296 2.11: an answer goes to where the request came from.
  for (let times = 0; times < 20; times++) stranger.send(whoItIs, ExchangeType.IKE_AUTH, 1);
  assert.equal(sentTo(victim), 1 + 3);
  // Who is where it was begun has asked for it.
  stranger.from = moon;
  stranger.send(whoItIs, ExchangeType.IKE_AUTH, 1);
  assert.equal(sentTo(moon.address), 1);
});

test('a request of somebody who is nobody yet may be no longer in one piece than in fragments', () => {
  const { pair, send, answer } = insider(false, eapPair());
  send([...whoItIs, { type: 'V', data: new Uint8Array(32_768) }], ExchangeType.IKE_AUTH);
  assert.match(
    pair.sun.eventsOf('message-rejected').at(-1)?.reason ?? '',
    /octets before anybody is authenticated/,
  );
  assert.equal(pair.sun.sa.phase, 'connecting');
  send([...whoItIs, { type: 'V', data: new Uint8Array(30_000) }], ExchangeType.IKE_AUTH, 1);
  assert.ok(answer().some(({ type }) => type === 'EAP'));
});
