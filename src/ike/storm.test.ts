// Random wishes of two hosts over a wire that loses, repeats and reorders: in the end both have the same SAs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ke } from '#sa';
import { child, connection, espProposal } from './testing/connections.ts';
import type { Host } from './testing/host.ts';
import { Pair } from './testing/pair.ts';

/** A small generator of its own, so that a failure is repeated by its seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed * 2654435761 + 1;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

function wish(host: Host, roll: (sides: number) => number): void {
  const live = host.sas.filter(({ phase }) => phase === 'established');
  const sa = live.at(-1);
  if (sa === undefined) return;
  const childId = sa.children[roll(Math.max(1, sa.children.length))]?.childId ?? 0;
  switch (roll(8)) {
    case 0:
    case 1:
    case 2:
      host.command({ kind: 'rekey-child', childId }, sa);
      return;
    case 3:
    case 4:
      host.command({ kind: 'rekey-ike' }, sa);
      return;
    case 5:
      host.command({ kind: 'delete-child', childId }, sa);
      return;
    case 6:
      host.command({ kind: 'initiate-child', child: host.connections[0]!.children[0]! }, sa);
      return;
    default:
      host.command({ kind: 'check-liveness', reason: 'storm' }, sa);
  }
}

function storm(seed: number, windowSize: number): void {
  const roll = dice(seed);
  const proposals = [espProposal(...(roll(2) === 0 ? [] : [Ke.CURVE25519]))];
  const retransmit = { baseMs: 500, factor: 1.5, tries: 12, jitter: 0 };
  const pair = new Pair({
    moon: {
      seed: `moon ${seed}`,
      connections: [connection('moon', { windowSize, retransmit, children: [child('moon', { proposals })] })],
    },
    sun: {
      seed: `sun ${seed}`,
      connections: [connection('sun', { windowSize, retransmit, children: [child('sun', { proposals })] })],
    },
  }).establish();
  for (let step = 0; step < 120; step++) {
    pair.collect();
    const choice = roll(10);
    if (choice < 3) wish(roll(2) === 0 ? pair.moon : pair.sun, roll);
    else if (choice < 8 && pair.wire.length > 0) {
      const at = roll(pair.wire.length);
      const datagram = pair.wire[at]!;
      // One in five is repeated later, one in five is lost.
      const fate = roll(5);
      if (fate !== 0) pair.wire.splice(at, 1);
      if (fate !== 1) pair.deliver(datagram.to, datagram);
    } else pair.wait(roll(700));
  }
  // The wire heals. A Delete whose answer was lost is repeated to an SA that is gone until its tries are spent.
  pair.run(250_000);
  pair.assertKeysAgree();
  const { moon, sun } = pair;
  const live = (host: Host): Host['sas'] => host.sas.filter(({ phase }) => phase !== 'ended');
  assert.equal(live(moon).length, 1, 'moon');
  assert.equal(live(sun).length, 1, 'sun');
  assert.equal(moon.sa.initiatorSpi, sun.sa.initiatorSpi);
  assert.equal(moon.sa.responderSpi, sun.sa.responderSpi);
  const inbound = moon.sa.children.map(({ inboundSpi }) => inboundSpi).sort();
  const outbound = sun.sa.children.map(({ outboundSpi }) => outboundSpi).sort();
  assert.deepEqual(inbound, outbound);
  for (const host of [moon, sun]) {
    assert.equal(host.installed.size, 2 * host.sa.children.length, host.name);
    assert.equal(host.reservedSpis.size, host.sa.children.length, host.name);
    assert.equal(host.policies.size, new Set(host.sa.children.map(({ childId }) => childId)).size);
    assert.deepEqual(host.sa.queued, []);
    assert.deepEqual(host.sa.outstanding, []);
    for (const each of host.sa.children) {
      assert.equal(each.phase, 'installed', `${host.name} ${each.phase}`);
      assert.equal(host.outboundOfChild.get(each.childId), each.outboundSpi, host.name);
    }
    assert.equal(
      host.eventsOf('child-failed').filter(({ failure }) => failure.code === 'no-answer').length,
      0,
    );
  }
}

for (const windowSize of [1, 4]) {
  test(`after a storm both ends agree (windows of ${windowSize})`, () => {
    for (let seed = 1; seed <= 300; seed++) {
      try {
        storm(seed, windowSize);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
}
