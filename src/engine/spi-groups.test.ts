// A data plane with several places for SAs, told apart by the remainder of the inbound SPI: a Child SA stays where it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EngineHost, EnginePair } from './testing/two-engines.ts';

const spiGroups = 4;

/** Of all inbound SAs that a host has ever installed, oldest first. */
function inboundSpis(host: EngineHost): number[] {
  return host.saCommands.flatMap((command) =>
    command.kind === 'install' && command.sa.direction === 'inbound' ? [command.sa.spi] : [],
  );
}

function assertOneGroup(pair: EnginePair, installed: number): void {
  for (const host of [pair.moon, pair.sun]) {
    const spis = inboundSpis(host);
    assert.equal(spis.length, installed, host.name);
    assert.equal(new Set(spis).size, installed, host.name);
    const groups = spis.map((spi) => spi % spiGroups);
    assert.deepEqual(new Set(groups), new Set(groups.slice(0, 1)), `${host.name}: ${groups.join(' ')}`);
  }
}

/** Delivers what is on its way, one message after the other. */
function deliverNext(pair: EnginePair, count: number): void {
  for (let i = 0; i < count; i++) {
    const next = pair.wire.shift();
    assert.ok(next !== undefined, 'a message is on its way');
    pair.deliver(next);
  }
}

// RFC 7296 2.8
test('a Child SA stays in its group over many rekeyings, whoever begins them', () => {
  const pair = new EnginePair({ spiGroups }).establish();
  for (let round = 1; round <= 8; round++) {
    const [asking, answering] = round % 3 === 0 ? [pair.sun, pair.moon] : [pair.moon, pair.sun];
    asking.command({ kind: 'rekey', child: 'net' });
    // The request: the one who answers installs its SA.
    deliverNext(pair, 1);
    assert.equal(inboundSpis(answering).length, round + 1);
    // The answer, and what deletes the old pair.
    deliverNext(pair, 1);
    assertOneGroup(pair, round + 1);
    deliverNext(pair, 2);
    assert.deepEqual(pair.wire, []);
    assert.deepEqual([pair.moon.children, pair.sun.children], [1, 1]);
  }
});

// RFC 7296 2.8.1
test('both SAs of a simultaneous rekeying are in the group of the one that they replace', () => {
  const pair = new EnginePair({ spiGroups }).establish();
  for (let round = 1; round <= 4; round++) {
    for (const host of [pair.moon, pair.sun]) host.command({ kind: 'rekey', child: 'net' });
    deliverNext(pair, 4);
    assertOneGroup(pair, 2 * round + 1);
    pair.settle();
    assert.deepEqual([pair.moon.children, pair.sun.children], [1, 1]);
  }
});

// RFC 7296 2.8
test('a Child SA stays in its group under a rekeyed IKE SA', () => {
  const pair = new EnginePair({ spiGroups }).establish();
  for (let round = 1; round <= 4; round++) {
    pair.moon.command({ kind: 'rekey', connection: 'gateway' });
    pair.settle();
    pair.sun.command({ kind: 'rekey', child: 'net' });
    pair.settle();
    assertOneGroup(pair, round + 1);
  }
});
