// IKE_SA_INIT has two answers, and nobody vouches for either (RFC 7296 2.4): who is first, who is second, and what that costs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExchangeType } from '#wire';
import { only, responderOnly } from '../recovery/testing/seen.ts';
import { type Datagram, established, TwoHosts } from '../recovery/testing/two-hosts.ts';

const responderSpiAt = 8;

/** As somebody would answer who sees the request: the same, with an SPI of his own. */
function forged(answer: Datagram): Datagram {
  const octets = answer.octets.slice();
  octets.fill(0x66, responderSpiAt, responderSpiAt + 8);
  return { ...answer, octets };
}

function calling(): { readonly hosts: TwoHosts; readonly answer: Datagram } {
  const hosts = new TwoHosts();
  const { moon, sun } = hosts;
  moon.give(0, { kind: 'command', id: 1, command: { kind: 'initiate', connection: 'gateway' } });
  hosts.receive(sun, only(moon));
  return { hosts, answer: only(sun) };
}

function calls({ moon }: TwoHosts): number {
  return moon.eventsOf('connecting').length;
}

function doubts({ moon }: TwoHosts): number {
  return moon.eventsOf('ike').filter(({ event }) => event.kind === 'answered-twice').length;
}

test('the forged answer is first: once IKE_AUTH stays unanswered the exchange begins anew, and is no failed try', () => {
  const { hosts, answer } = calling();
  const { moon } = hosts;
  hosts.receive(moon, forged(answer));
  hosts.receive(moon, answer);
  hosts.receive(moon, answer);
  assert.deepEqual([calls(hosts), doubts(hosts)], [1, 1]);
  hosts.wait(990);
  assert.deepEqual([calls(hosts), established(moon)], [1, []]);
  hosts.wait(20);
  assert.deepEqual([calls(hosts), established(moon).length], [2, 1]);
  assert.equal(moon.eventsOf('connect-failed').length, 0);
  assert.deepEqual(moon.answers.get(1), { ok: true, count: 1 });
  assert.equal(moon.engine.status().ikeSas.length, 1);
});

test('the forged answer is second: nothing comes of it', () => {
  const { hosts, answer } = calling();
  const { moon } = hosts;
  hosts.receive(moon, answer);
  hosts.receive(moon, forged(answer));
  assert.equal(doubts(hosts), 1);
  hosts.settle();
  hosts.wait(10_000);
  assert.deepEqual([calls(hosts), established(moon).length], [1, 1]);
});

test('the same answer again, one without an SPI, and one from elsewhere are no second answer', () => {
  const { hosts, answer } = calling();
  const { moon, sun } = hosts;
  hosts.receive(moon, answer);
  const withoutSpi = forged(answer);
  withoutSpi.octets.fill(0, responderSpiAt, responderSpiAt + 8);
  const elsewhere = { ...forged(answer), local: { ...answer.local, address: moon.sent[0]!.local.address } };
  for (const one of [answer, withoutSpi, elsewhere]) hosts.receive(moon, one);
  assert.equal(doubts(hosts), 0);
  assert.equal(sun.sent.length, 0);
});

test('whoever is first each time makes the initiator begin anew a few times, and ever more seldom', () => {
  const { hosts, answer } = calling();
  const { moon } = hosts;
  hosts.receive(moon, forged(answer));
  hosts.receive(moon, answer);
  const at: number[] = [];
  hosts.wait(60_000, (datagram) => {
    const isFirstAnswer = datagram.from === 'sun' && datagram.octets[18] === ExchangeType.IKE_SA_INIT;
    if (isFirstAnswer) {
      at.push(hosts.now);
      hosts.receive(moon, forged(datagram));
    }
    return true;
  });
  assert.deepEqual(established(moon), []);
  // After one repetition and after two; the third time all tries are had, and only then has the try failed.
  assert.deepEqual(at, [1_000, 4_000]);
  assert.equal(moon.eventsOf('connect-failed').length, 1);
  assert.equal(moon.engine.status().ikeSas.length, 0);
});

// RFC 5723 4.3.2: the answer to IKE_SESSION_RESUME is no more vouched for than that to IKE_SA_INIT.
test('a ticket that somebody else answers first costs as little', () => {
  const resumption = { ticketLifetimeMs: 3_600_000, freshKeyExchange: false };
  const recordKey = new Uint8Array(32).fill(5);
  const hosts = new TwoHosts({
    moon: { connection: { resumption }, recordKey },
    sun: { connection: { ...responderOnly.connection, resumption }, recordKey },
  });
  hosts.connect();
  const { moon, sun } = hosts;
  hosts.restart(sun);
  hosts.sendEsp(moon);
  let answers = 0;
  const forgeFirst = (datagram: Datagram): boolean => {
    const { from, octets } = datagram;
    if (from === 'sun' && octets[18] === ExchangeType.IKE_SESSION_RESUME && answers++ === 0)
      hosts.receive(moon, forged(datagram));
    return true;
  };
  hosts.settle(forgeFirst);
  assert.deepEqual([answers, doubts(hosts), established(moon)], [1, 1, []]);
  hosts.wait(1_010, forgeFirst);
  assert.equal(established(moon).length, 1);
});
