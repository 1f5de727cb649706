// How long an R1 is offered, and how long its answers are taken (RFC 7401 6.7.1: Delta T and Delta S; 5.2.4).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeHipPacket, hipParameter, hipUdpPort } from '#wire';
import { hipDefaults } from '../configuration.ts';
import { HandmadeInitiator } from '../testing/handmade-initiator.ts';
import { testIdentity } from '../testing/identities.ts';
import { TwoHosts } from '../testing/two-hosts.ts';
import { puzzleLifetimeMs } from './r1-pool.ts';

const offeredMs = 15 * 60_000;
const stormMs = 1_000;
const lifetimeMs = puzzleLifetimeMs(hipDefaults.puzzle.lifetime);

class Asked extends TwoHosts {
  readonly initiator = new HandmadeInitiator(testIdentity('p256-a'), this.sun.hit);

  tell(octets: Uint8Array): Uint8Array | undefined {
    const { sun } = this;
    const path = {
      local: { ...sun.endpoint, port: hipUdpPort },
      remote: { ...this.moon.endpoint, port: hipUdpPort },
    };
    sun.sent.length = 0;
    sun.give(this.now, { kind: 'packet', path, octets });
    return sun.sent[0]?.octets;
  }

  get r1(): Uint8Array {
    const r1 = this.tell(this.initiator.i1);
    assert.ok(r1 !== undefined);
    return r1;
  }

  /** Time passes, and the host does what it does by itself. */
  pass(ms: number): void {
    this.wait(ms);
  }
}

function generation(r1: Uint8Array): bigint {
  return hipParameter(decodeHipPacket(r1).parameters, 'R1_COUNTER')!.counter;
}

describe('an R1', () => {
  test('is offered for Delta T and not longer, and the next one is of a later generation', () => {
    const hosts = new Asked();
    const first = generation(hosts.r1);
    hosts.pass(offeredMs - 1);
    assert.equal(generation(hosts.r1), first);
    hosts.pass(1);
    assert.equal(generation(hosts.r1), first + 1n);
  });

  test('that was answered is not offered any more, but in a storm for a second', () => {
    const hosts = new Asked();
    const { r1 } = hosts;
    const first = generation(r1);
    hosts.tell(hosts.initiator.i2(r1));
    assert.equal(hosts.sun.eventsOf('established').length, 1);
    const other = new HandmadeInitiator(testIdentity('p384-a'), hosts.sun.hit);
    hosts.pass(stormMs - 1);
    assert.equal(generation(hosts.tell(other.i1)!), first);
    hosts.pass(1);
    assert.equal(generation(hosts.tell(other.i1)!), first + 1n);
  });

  test('may be answered for Delta S, the lifetime of its puzzle, after it was offered last', () => {
    const hosts = new Asked();
    hosts.r1;
    hosts.pass(offeredMs - 1);
    const { r1 } = hosts;
    hosts.pass(lifetimeMs);
    assert.notEqual(generation(hosts.r1), generation(r1));
    hosts.tell(hosts.initiator.i2(r1));
    assert.equal(hosts.sun.eventsOf('established').length, 1);
    assert.deepEqual(hosts.sun.rejections, []);
  });

  test('may not be answered any later, and its private value is gone', () => {
    const hosts = new Asked();
    hosts.r1;
    hosts.pass(offeredMs - 1);
    const { r1 } = hosts;
    hosts.pass(lifetimeMs + 1);
    assert.equal(hosts.sun.privateValues.size, 0);
    hosts.tell(hosts.initiator.i2(r1));
    assert.deepEqual(hosts.sun.rejections, ['I2 stale-puzzle']);
  });

  // RFC 7401 4.1.1: others have it already, and may still answer it.
  test('that one Initiator has answered may be answered by others while its puzzle lives, and not longer', () => {
    const hosts = new Asked();
    const other = new HandmadeInitiator(testIdentity('p384-a'), hosts.sun.hit);
    hosts.sun.configuration = { ...hosts.sun.configuration, accept: 'any' };
    const { configuration } = hosts.sun;
    hosts.sun.give(hosts.now, { kind: 'command', command: { kind: 'load', configuration } });
    const { r1 } = hosts;
    const [early, late] = [hosts.tell(other.i1)!, hosts.tell(other.i1)!];
    assert.equal(generation(early), generation(r1));
    hosts.tell(hosts.initiator.i2(r1));
    hosts.pass(lifetimeMs + stormMs - 1);
    hosts.tell(other.i2(early, { spi: 0x1001 }));
    assert.equal(hosts.sun.eventsOf('established').length, 2);
    hosts.pass(1);
    hosts.tell(other.i2(late, { spi: 0x1002 }));
    assert.deepEqual(hosts.sun.rejections, ['I2 stale-puzzle']);
  });
});
