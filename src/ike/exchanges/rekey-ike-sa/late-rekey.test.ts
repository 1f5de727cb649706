// The peer wants to rekey a Child SA that we have just replaced and are closing: its request crossed our Delete (RFC 7296 2.25.1).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeIkeMessage } from '#wire';
import { type Datagram, Pair } from '../../testing/pair.ts';

interface Crossing {
  readonly pair: Pair;
  /** Moon's Delete of the replaced pair, on its way to sun. */
  readonly removal: Datagram;
}

const isResponse = ({ octets }: Datagram): boolean => decodeIkeMessage(octets).header.response;

/** Both rekey at once; moon is done before it hears of it. */
function crossing(): Crossing {
  const pair = new Pair().establish();
  const { moon, sun } = pair;
  moon.command({ kind: 'rekey-child', childId: 1 });
  sun.command({ kind: 'rekey-child', childId: 1 });
  const late = pair.take(moon);
  pair.deliver(sun);
  pair.deliver(moon);
  const removal = pair.take(sun);
  pair.deliver(moon, late);
  return { pair, removal };
}

test('it is put off, but not before it has heard of our Delete: else it might take its own pair for the one that stands', () => {
  const { pair, removal } = crossing();
  const { moon, sun } = pair;
  assert.deepEqual(pair.wire, [], 'no answer yet');
  pair.deliver(sun, removal);
  // The answer to the Delete; only then is sun's own request answered.
  const [answer, ...none] = pair.wire;
  assert.ok(answer !== undefined && isResponse(answer) && none.length === 0);
  pair.deliver(moon);
  assert.equal(pair.wire.length, 1);
  assert.ok(isResponse(pair.wire[0]!));
  pair.run(60_000);
  for (const host of [moon, sun]) {
    assert.equal(host.sa.children.length, 1, host.name);
    assert.deepEqual(host.sa.outstanding, [], host.name);
    assert.equal(host.sa.children[0]?.outboundInUse, true, host.name);
  }
  pair.assertKeysAgree();
});

test('it is answered at once when the IKE SA is closed meanwhile', () => {
  const { pair } = crossing();
  const { moon, sun } = pair;
  // RFC 7296 1.4.1: the Delete of the IKE SA closes all there is.
  sun.command({ kind: 'delete', reason: 'test' });
  moon.command({ kind: 'delete', reason: 'test' });
  pair.run(60_000);
  for (const host of [moon, sun]) {
    assert.equal(host.sa.phase, 'ended', host.name);
    assert.equal(host.installed.size, 0, host.name);
  }
});

test('repeated while it waits, it is answered once', () => {
  const { pair, removal } = crossing();
  const { moon, sun } = pair;
  pair.wait(1_000);
  // Sun asks again, moon deletes again.
  const again = pair.wire.splice(0);
  assert.equal(again.filter(({ to }) => to === moon).length, 1);
  for (const datagram of again.filter(({ to }) => to === moon)) pair.deliver(moon, datagram);
  assert.deepEqual(pair.wire, []);
  pair.deliver(sun, removal);
  pair.deliver(moon);
  assert.equal(pair.wire.length, 1);
  pair.settle();
  assert.deepEqual(sun.sa.outstanding, []);
});
