// An answer to IKE_SA_INIT goes to whomever the request names: it is no longer than that, unless a cookie came back (RFC 7296 2.6).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type Endpoint } from '#sa';
import { decodeIkeMessage, encodeIkeMessage, NotifyType, notify, type Payload } from '#wire';
import { configuration, connection } from '../testing/configurations.ts';
import { EnginePair } from '../testing/two-engines.ts';

const stranger: Endpoint = { address: address('203.0.113.1'), port: 5000 };

function pair(): EnginePair {
  const anybody = connection('sun', { remoteAddresses: [{ kind: 'any' }] });
  return new EnginePair({ sun: configuration('sun', { connections: [anybody] }) }).start();
}

/** Moon's first request with nothing that it could do without. */
function smallest(hosts: EnginePair, ...before: readonly Payload[]): Uint8Array {
  hosts.moon.command({ kind: 'initiate', child: 'net' });
  const { header, payloads } = decodeIkeMessage(hosts.wire.shift()!.octets);
  const needed = payloads.flatMap((payload): Payload[] =>
    payload.type === 'Nonce'
      ? [{ ...payload, data: payload.data.slice(0, 16) }]
      : payload.type === 'SA' || payload.type === 'KE'
        ? [payload]
        : [],
  );
  return encodeIkeMessage({ header, payloads: [...before, ...needed] });
}

test('the shortest request is asked for a cookie first, and leaves nothing', () => {
  const hosts = pair();
  const request = smallest(hosts);
  hosts.sun.receive(request, stranger);
  const [demand] = hosts.sun.sent;
  assert.ok(demand !== undefined && demand.octets.length <= request.length);
  const [cookie] = decodeIkeMessage(demand.octets).payloads;
  assert.ok(cookie?.type === 'N' && cookie.notifyType === NotifyType.COOKIE);
  assert.equal(hosts.sun.engine.tables().halfOpen, 0);
  assert.equal(hosts.sun.eventsOf('cookie-demanded').length, 1);

  const { header, payloads } = decodeIkeMessage(request);
  const proven = encodeIkeMessage({
    header,
    payloads: [notify(NotifyType.COOKIE, { data: cookie.data }), ...payloads],
  });
  hosts.sun.receive(proven, stranger);
  const answer = decodeIkeMessage(hosts.sun.sent[1]!.octets);
  assert.ok(answer.payloads.some(({ type }) => type === 'KE'));
  assert.equal(hosts.sun.engine.tables().halfOpen, 1);
});

test('a cookie of nobody proves nothing', () => {
  const hosts = pair();
  const forged = notify(NotifyType.COOKIE, { data: new Uint8Array(64) });
  const request = smallest(hosts, forged);
  hosts.sun.receive(request, stranger);
  assert.ok(hosts.sun.sent.every(({ octets }) => octets.length <= request.length));
});

test('what a host of ours asks with a shared key is answered at once, in as many octets at most', () => {
  const hosts = new EnginePair().start();
  hosts.moon.command({ kind: 'initiate', child: 'net' });
  const request = hosts.wire[0]!.octets.length;
  hosts.settle();
  assert.equal(hosts.sun.eventsOf('cookie-demanded').length, 0);
  assert.ok(hosts.sun.sent[0]!.octets.length <= request);
  assert.equal(hosts.moon.established, 1);
});
