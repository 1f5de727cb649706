// Guessing at a gateway: what each try costs, and that who knows the secret gets in meanwhile.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { identityFromText } from '#ike';
import { address, type Endpoint, type IpAddress } from '#sa';
import { decodeIkeHeader, ExchangeType } from '#wire';
import { eventFields } from '../events/event-fields.ts';
import { eventText } from '../events/event-text.ts';
import { addresses, configuration } from '../testing/configurations.ts';
import { sharedSecret } from '../testing/connections.ts';
import { eapConfigurations, eapHosts } from '../testing/eap-hosts.ts';
import { EnginePair } from '../testing/two-engines.ts';

const elsewhere = address('203.0.113.9');

function reasonsOf(pair: EnginePair): string[] {
  return pair.sun
    .eventsOf('ike')
    .flatMap(({ event }) => (event.kind === 'ike-failed' ? [event.failure.detail] : []));
}

/** Moon tries, and hears at once or later. @returns milliseconds that it took, or `undefined` if it has not heard of it */
function tryOnce(pair: EnginePair, patienceMs = 0): number | undefined {
  const id = pair.moon.command({ kind: 'initiate', child: 'net' });
  const began = pair.now;
  pair.settle();
  const quick = pair.now;
  for (; pair.moon.results.get(id) === undefined && pair.now - began < patienceMs; ) pair.run(100);
  return pair.moon.results.get(id) === undefined ? undefined : pair.now === quick ? 0 : pair.now - began;
}

/** Everything that moon sends comes from there, and what is sent there comes to moon. */
function settleFrom(pair: EnginePair, from: IpAddress): void {
  pair.further.add(from);
  for (let datagram = pair.wire.shift(); datagram !== undefined; datagram = pair.wire.shift()) {
    pair.now++;
    const there = (end: Endpoint): Endpoint =>
      end.address === addresses.moon ? { ...end, address: from } : end;
    const back = (end: Endpoint): Endpoint =>
      end.address === from ? { ...end, address: addresses.moon } : end;
    pair.deliver(
      datagram.source.address === addresses.moon
        ? { ...datagram, source: there(datagram.source) }
        : { ...datagram, to: 'moon', destination: back(datagram.destination) },
    );
  }
}

describe('a password', () => {
  test('that is wrong too often is judged later, and the machine that asks again meanwhile changes nothing', () => {
    const pair = eapHosts({}, 'roses').start();
    for (let wrong = 0; wrong < 8; wrong++) assert.equal(tryOnce(pair), 0);
    const took = tryOnce(pair, 20_000);
    assert.ok(took !== undefined && took >= 4_500 && took < 5_500, `${took} ms`);
    assert.deepEqual([...new Set(reasonsOf(pair))], ['EAP: carol gave a wrong password']);
    const [braked, ...more] = pair.sun.eventsOf('guess-braked');
    assert.equal(more.length, 0);
    assert.deepEqual(eventFields(braked!), {
      connection: 'gateway',
      outcome: 'delayed',
      by: 'user-and-source',
      secret: 'password',
      user: 'carol',
      remote: '192.0.2.1:500',
    });
    assert.equal(
      eventText(braked!).text,
      'gateway: 192.0.2.1:500, who says to be carol, has to wait to be heard: too many wrong passwords came from where it is',
    );
    assert.equal(pair.sun.engine.status().counts['guess-braked user-and-source delayed'], 1);
  });

  test('that is not heard is told in a line of strangers, of which no more are written than one in a second', () => {
    const pair = eapHosts({}, 'roses').start();
    for (let wrong = 0; wrong < 30; wrong++) {
      pair.moon.command({ kind: 'initiate', child: 'net' });
      pair.settle();
      pair.moon.command({ kind: 'terminate', connection: 'gateway' });
      pair.settle();
    }
    const failed = pair.sun.eventsOf('ike').filter(({ event }) => event.kind === 'ike-failed');
    const unheard = failed.filter((event) => eventFields(event)['code'] === 'too-many-tries');
    assert.ok(unheard.length > 10, `${unheard.length} of ${failed.length}`);
    assert.equal(eventText(unheard[0]!).ofStrangers, true);
    assert.match(
      eventText(unheard[0]!).text,
      /EAP: carol was not heard: too many wrong passwords came before/,
    );
    assert.equal(eventText(failed[0]!).ofStrangers, undefined);
  });

  test('that is right is not judged at once either where too many wrong ones came from, and gets its user in', () => {
    const pair = eapHosts({}, 'roses').start();
    for (let wrong = 0; wrong < 8; wrong++) tryOnce(pair);
    pair.moon.command({ kind: 'load', configuration: eapConfigurations().moon });
    const took = tryOnce(pair, 20_000);
    assert.ok(took !== undefined && took >= 4_000 && took < 5_500, `${took} ms`);
    assert.equal(pair.sun.established, 1);
    // And from now on it is a machine that is known.
    pair.moon.command({ kind: 'terminate', connection: 'gateway' });
    pair.settle();
    assert.equal(tryOnce(pair), 0);
    assert.equal(pair.sun.established, 1);
  });

  test('is judged at once for who is elsewhere', () => {
    const pair = eapHosts({ remoteAddresses: [{ kind: 'any' }] }, 'roses').start();
    for (let wrong = 0; wrong < 9; wrong++) tryOnce(pair, 20_000);
    pair.moon.command({ kind: 'load', configuration: eapConfigurations().moon });
    pair.moon.command({ kind: 'initiate', child: 'net' });
    settleFrom(pair, elsewhere);
    assert.equal(pair.sun.established, 1);
  });

  test('comes from where its IKE SA was begun, whatever address its later messages have', () => {
    const pair = eapHosts({ remoteAddresses: [{ kind: 'any' }] }, 'roses').start();
    for (let number = 1; number <= 9; number++) {
      pair.moon.command({ kind: 'initiate', child: 'net' });
      const pretended = address(`198.51.100.${number}`);
      pair.further.add(pretended);
      while (pair.wire.length > 0) {
        const datagram = pair.wire.shift()!;
        pair.now++;
        const { exchangeType } = decodeIkeHeader(
          datagram.octets.subarray(datagram.destination.port === 4500 ? 4 : 0),
        );
        const forged = datagram.to === 'sun' && exchangeType === ExchangeType.IKE_AUTH;
        if (forged) pair.deliver({ ...datagram, source: { ...datagram.source, address: pretended } });
        else
          pair.deliver({
            ...datagram,
            to: datagram.to,
            destination: { ...datagram.destination, address: addresses[datagram.to] },
          });
      }
    }
    assert.deepEqual(reasonsOf(pair), new Array(8).fill('EAP: carol gave a wrong password'));
    assert.equal(pair.sun.eventsOf('guess-braked').length, 1);
  });

  test('that waits to be judged waits in a half-open IKE SA, and no longer than that', () => {
    const base = eapConfigurations({}, 'roses');
    const halfOpen = {
      cookieThreshold: 10,
      cookieThresholdPerSource: 10,
      halfOpenMax: 10,
      halfOpenTimeoutMs: 3_000,
    };
    const pair = new EnginePair({ ...base, sun: { ...base.sun, halfOpen } }).start();
    for (let wrong = 0; wrong < 8; wrong++) tryOnce(pair);
    pair.moon.command({ kind: 'initiate', child: 'net' });
    pair.settle();
    assert.equal(pair.sun.engine.tables().halfOpen, 1);
    pair.cut = true;
    pair.run(3_000);
    const { ikeSas, halfOpen: left } = pair.sun.engine.tables();
    assert.deepEqual([ikeSas, left], [0, 0]);
  });

  test('of a user that nobody is takes as long', () => {
    const pair = eapHosts({ name: 'gateway' }, 'roses');
    const nobody = eapConfigurations({}, 'roses').moon;
    const [client] = nobody.connections;
    const dave = identityFromText('dave');
    pair.start();
    pair.moon.command({
      kind: 'load',
      configuration: {
        ...nobody,
        connections: [{ ...client!, local: { ...client!.local, eapIdentity: dave } }],
        credentials: {
          ...nobody.credentials,
          eapSecrets: [{ owners: [{ kind: 'exact', identity: dave }], secret: Uint8Array.of(1) }],
        },
      },
    });
    for (let wrong = 0; wrong < 8; wrong++) assert.equal(tryOnce(pair), 0);
    const took = tryOnce(pair, 20_000);
    assert.ok(took !== undefined && took >= 4_500 && took < 5_500, `${took} ms`);
  });
});

// RFC 7296 2.15
describe('a pre-shared key', () => {
  const wrong = configuration('moon', { credentials: sharedSecret('wrong') });

  test('that is wrong too often is judged later, and then not at all', () => {
    const pair = new EnginePair({ moon: wrong }).start();
    for (let tries = 0; tries < 8; tries++) assert.equal(tryOnce(pair), 0);
    const took = tryOnce(pair, 20_000);
    assert.ok(took !== undefined && took >= 4_500 && took < 5_500, `${took} ms`);
    assert.equal(pair.sun.eventsOf('guess-braked')[0]?.secret, 'pre-shared-key');
  });

  test('that is right after some wrong ones gets its owner in', () => {
    const pair = new EnginePair({ moon: wrong }).start();
    for (let tries = 0; tries < 8; tries++) tryOnce(pair);
    pair.moon.command({ kind: 'load', configuration: configuration('moon') });
    const took = tryOnce(pair, 20_000);
    assert.ok(took !== undefined && took < 5_500, `${took} ms`);
    assert.equal(pair.sun.established, 1);
  });
});
