// Crash after crash over a wire that loses, repeats and reorders: whatever comes back is the same at both ends, and no
// ticket makes two IKE SAs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Pair } from '../testing/pair.ts';
import { loseSun, resumingPair } from '../testing/resumption.ts';

/** What happens to the oldest datagram. */
const fates = fc.array(fc.constantFrom('deliver', 'deliver', 'deliver', 'lose', 'repeat', 'defer', 'wait'), {
  maxLength: 40,
});

function suffer(pair: Pair, schedule: readonly string[]): void {
  for (const fate of schedule) {
    pair.collect();
    const datagram = pair.wire.shift();
    if (fate === 'wait' || datagram === undefined) {
      if (datagram !== undefined) pair.wire.unshift(datagram);
      pair.wait(400);
    } else if (fate === 'defer') pair.wire.push(datagram);
    else if (fate !== 'lose') {
      if (fate === 'repeat') pair.wire.push(datagram);
      pair.deliver(datagram.to, datagram);
    }
  }
}

/** By ticket if there is one, and in full if that fails, as a host does. */
function comeBack(pair: Pair, schedule: readonly string[]): void {
  const { moon, sun } = pair;
  const ticket = moon.clientTickets.pop();
  if (ticket !== undefined) {
    const sa = moon.resume(sun.endpoint, ticket);
    suffer(pair, schedule);
    // The wire heals.
    for (let second = 0; second < 60 && sa.phase === 'connecting'; second++) pair.run(1000);
    if (sa.phase === 'established') return;
    assert.equal(sa.phase, 'ended');
  }
  moon.initiate(sun.endpoint);
  pair.settle();
}

test('after each crash both ends have the same IKE SA and Child SA again', () => {
  let resumed = 0;
  fc.assert(
    fc.property(
      fc.array(fates, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('value', 'reference'),
      (schedules, form) => {
        const pair = resumingPair({ issuer: { form } }).establish();
        for (const schedule of schedules) {
          loseSun(pair);
          comeBack(pair, schedule);
          pair.run(5_000);
          assert.equal(pair.moon.sa.phase, 'established');
          const twin = pair.sun.sas.find(
            ({ initiatorSpi, responderSpi }) =>
              initiatorSpi === pair.moon.sa.initiatorSpi && responderSpi === pair.moon.sa.responderSpi,
          );
          assert.equal(twin?.phase, 'established');
          const inbound = pair.moon.sa.children.map(({ inboundSpi }) => inboundSpi);
          assert.deepEqual(
            inbound,
            twin?.children.map(({ outboundSpi }) => outboundSpi),
          );
          for (const spi of inbound) {
            const [ours, theirs] = [
              pair.moon.installed.get(`inbound ${spi}`),
              pair.sun.installed.get(`outbound ${spi}`),
            ];
            assert.deepEqual(ours?.encryption, theirs?.encryption);
          }
        }
        const formers = pair.sun
          .eventsOf('ike-resumed')
          .map(({ former }) => `${former.initiator} ${former.responder}`);
        assert.equal(new Set(formers).size, formers.length);
        resumed += pair.moon.eventsOf('ike-resumed').length;
      },
    ),
    { numRuns: 50, seed: 5723 },
  );
  assert.ok(resumed > 25, `only ${resumed} resumptions: this tests something else`);
});
