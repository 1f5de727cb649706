// The peer has lost a Child SA that we still use, and says so when it is to be rekeyed (RFC 7296 2.25).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ke } from '#sa';
import { decodeIkeMessage } from '#wire';
import { child, connection, espProposal } from '../../testing/connections.ts';
import type { HostOptions } from '../../testing/host.ts';
import { Pair } from '../../testing/pair.ts';

/** Moon has a Child SA, number 2, that sun does not know: sun was put back to a moment before it was made. */
function forgetful(sunAfterwards?: HostOptions['connections']): Pair {
  const pair = new Pair({
    moon: { connections: [connection('moon', { messageIdSync: true })] },
    sun: { connections: [connection('sun', { messageIdSync: true })], checkpoints: true },
  }).establish();
  const { moon, sun } = pair;
  const before = sun.checkpoint()!;
  moon.command({ kind: 'initiate-child', child: child('moon') });
  pair.settle();
  assert.equal(sun.sa.children.length, 2);
  if (sunAfterwards !== undefined) sun.connections = sunAfterwards;
  sun.restart(before);
  sun.command({ kind: 'synchronize-message-ids', skip: 0 });
  pair.settle();
  assert.equal(sun.sa.children.length, 1);
  assert.equal(moon.sa.children.length, 2);
  return pair;
}

/** What carries traffic or keeps it from leaving unprotected. */
function protection({ moon }: Pair): { readonly policy: boolean; readonly outbound: number | undefined } {
  return { policy: moon.policies.has(2), outbound: moon.outboundOfChild.get(2) };
}

test('the policy stays until another Child SA stands in the place of the lost one', () => {
  const pair = forgetful();
  const { moon, sun } = pair;
  const lost = moon.sa.children[1]!;
  moon.command({ kind: 'rekey-child', childId: 2 });
  pair.deliver(sun);
  // CHILD_SA_NOT_FOUND
  pair.deliver(moon);
  assert.equal(moon.eventsOf('child-unknown-to-peer')[0]?.child.inboundSpi, lost.inboundSpi);
  // While the new one is being made, however often its request is lost.
  pair.drop(sun);
  pair.wait(3000);
  assert.deepEqual(protection(pair), { policy: true, outbound: lost.outboundSpi });
  assert.deepEqual(moon.eventsOf('child-ended'), []);
  pair.run(60_000);
  const made = moon.sa.children[1]!;
  assert.equal(made.childId, 2);
  assert.equal(made.generation, 1);
  assert.deepEqual(protection(pair), { policy: true, outbound: made.outboundSpi });
  assert.deepEqual(
    moon.eventsOf('child-rekeyed').map((event) => event.replaced.inboundSpi),
    [lost.inboundSpi],
  );
  assert.equal(moon.eventsOf('child-ended')[0]?.failure.code, 'replaced');
  pair.assertKeysAgree();
  for (const host of [moon, sun]) {
    assert.equal(host.installed.size, 4, host.name);
    assert.equal(host.reservedSpis.size, 2, host.name);
    assert.equal(host.policies.size, 2, host.name);
  }
  // Nothing was asked to delete what is not there.
  assert.deepEqual(sun.eventsOf('child-ended'), []);
});

test('the lost Child SA goes when the peer refuses another', () => {
  const connections = [
    connection('sun', {
      messageIdSync: true,
      children: [child('sun', { proposals: [espProposal(Ke.MODP_2048)] })],
    }),
  ];
  const pair = forgetful(connections);
  const { moon } = pair;
  moon.command({ kind: 'rekey-child', childId: 2 });
  pair.run(1000);
  assert.equal(moon.sa.children.length, 1);
  assert.equal(moon.policies.has(2), false);
  assert.equal(moon.installed.size, 2);
  assert.equal(moon.reservedSpis.size, 1);
  assert.equal(moon.eventsOf('child-ended')[0]?.failure.code, 'child-sa-not-found');
  assert.equal(moon.eventsOf('child-failed')[0]?.name, child('moon').name);
});

test('a request to close the lost Child SA is heard while another is being made', () => {
  const pair = forgetful();
  const { moon, sun } = pair;
  moon.command({ kind: 'rekey-child', childId: 2 });
  pair.deliver(sun);
  pair.deliver(moon);
  moon.command({ kind: 'delete-child', childId: 2 });
  pair.run(60_000);
  for (const host of [moon, sun]) {
    assert.equal(host.sa.children.length, 1, host.name);
    assert.equal(host.installed.size, 2, host.name);
    assert.equal(host.policies.size, 1, host.name);
  }
});

test('while the peer puts us off, another one is asked for soon, and then ever less often', () => {
  const pair = forgetful();
  const { moon, sun } = pair;
  moon.command({ kind: 'rekey-child', childId: 2 });
  pair.deliver(sun);
  pair.deliver(moon);
  // Sun is about to replace the IKE SA, and gets no answer.
  sun.command({ kind: 'rekey-ike' });
  const asked: number[] = [];
  while (moon.now < 6_000) {
    pair.wait(50);
    for (const datagram of pair.wire.splice(0)) {
      if (datagram.to === sun) asked.push(moon.now);
      // What sun asks is lost, what it answers arrives.
      const { header } = decodeIkeMessage(datagram.octets);
      if (datagram.to === sun || header.response) pair.deliver(datagram.to, datagram);
    }
  }
  const waits = asked.slice(1).map((at, i) => at - asked[i]!);
  assert.ok(waits.length >= 3 && waits[0]! >= 500 && waits[0]! <= 800, `${waits}`);
  assert.ok(waits.at(-1)! > waits[0]!, `${waits}`);
  assert.equal(protection(pair).policy, true);
});
