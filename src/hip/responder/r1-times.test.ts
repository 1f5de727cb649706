// How long an R1 is offered, and how long its answers are taken (RFC 7401 6.7.1: Delta T and Delta S; 5.2.4).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeHipPacket, hipParameter } from '#wire';
import { hipDefaults } from '../configuration.ts';
import { AskedResponder } from '../testing/asked-responder.ts';
import { HandmadeInitiator } from '../testing/handmade-initiator.ts';
import { testIdentity } from '../testing/identities.ts';
import { puzzleLifetimeMs } from './r1-pool.ts';

const offeredMs = 15 * 60_000;
const stormMs = 1_000;
const lifetimeMs = puzzleLifetimeMs(hipDefaults.puzzle.lifetime);

function generation(r1: Uint8Array): bigint {
  return hipParameter(decodeHipPacket(r1).parameters, 'R1_COUNTER')!.counter;
}

describe('an R1', () => {
  test('is offered for Delta T and not longer, and the next one is of a later generation', () => {
    const hosts = new AskedResponder();
    const first = generation(hosts.askR1());
    hosts.wait(offeredMs - 1);
    assert.equal(generation(hosts.askR1()), first);
    hosts.wait(1);
    assert.equal(generation(hosts.askR1()), first + 1n);
  });

  test('that was answered is not offered any more, but in a storm for a second', () => {
    const hosts = new AskedResponder();
    const r1 = hosts.askR1();
    const first = generation(r1);
    hosts.tell(hosts.initiator.i2(r1));
    assert.equal(hosts.sun.eventsOf('established').length, 1);
    const other = new HandmadeInitiator(testIdentity('p384-a'), hosts.sun.hit);
    hosts.wait(stormMs - 1);
    assert.equal(generation(hosts.askR1(other)), first);
    hosts.wait(1);
    assert.equal(generation(hosts.askR1(other)), first + 1n);
  });

  test('may be answered for Delta S, the lifetime of its puzzle, after it was offered last', () => {
    const hosts = new AskedResponder();
    hosts.askR1();
    hosts.wait(offeredMs - 1);
    const r1 = hosts.askR1();
    hosts.wait(lifetimeMs);
    assert.notEqual(generation(hosts.askR1()), generation(r1));
    hosts.tell(hosts.initiator.i2(r1));
    assert.equal(hosts.sun.eventsOf('established').length, 1);
    assert.deepEqual(hosts.sun.rejections, []);
  });

  test('may not be answered any later, and its private value is gone', () => {
    const hosts = new AskedResponder();
    hosts.askR1();
    hosts.wait(offeredMs - 1);
    const r1 = hosts.askR1();
    hosts.wait(lifetimeMs + 1);
    assert.equal(hosts.sun.privateValues.size, 0);
    hosts.tell(hosts.initiator.i2(r1));
    assert.deepEqual(hosts.sun.rejections, ['I2 stale-puzzle']);
  });

  // RFC 7401 4.1.1: others have it already, and may still answer it.
  test('that one Initiator has answered may be answered by others while its puzzle lives, and not longer', () => {
    const hosts = new AskedResponder();
    const other = new HandmadeInitiator(testIdentity('p384-a'), hosts.sun.hit);
    hosts.sun.configuration = { ...hosts.sun.configuration, accept: 'any' };
    const { configuration } = hosts.sun;
    hosts.sun.give(hosts.now, { kind: 'command', command: { kind: 'load', configuration } });
    const r1 = hosts.askR1();
    const [early, late] = [hosts.askR1(other), hosts.askR1(other)];
    assert.equal(generation(early), generation(r1));
    hosts.tell(hosts.initiator.i2(r1));
    hosts.wait(lifetimeMs + stormMs - 1);
    hosts.tell(other.i2(early, { spi: 0x1001 }));
    assert.equal(hosts.sun.eventsOf('established').length, 2);
    hosts.wait(1);
    hosts.tell(other.i2(late, { spi: 0x1002 }));
    assert.deepEqual(hosts.sun.rejections, ['I2 stale-puzzle']);
  });
});
