// Which thread has an SA: inbound ones by their SPI, outbound ones beside the first inbound one of their pair.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, type SaCommand, type SaDirection, type Spi } from '#sa';
import { SaPlacement } from './sa-placement.ts';
import { installation, removal } from './testing/commands.ts';

const threads = 4;

function use(childId: number, spi: number): SaCommand {
  return { kind: 'use-outbound', protocol: 'esp', childId, spi: spi as Spi };
}

function move(childId: number, direction: SaDirection, spi: number, to: string): SaCommand {
  const endpoint = { address: address(to), port: 4500 };
  return {
    ...{ kind: 'update-addresses', protocol: 'esp', direction, childId, spi: spi as Spi },
    ...{ local: endpoint, remote: endpoint, encapsulated: true },
  };
}

test('an inbound SA is in the thread that its SPI names', () => {
  const placement = new SaPlacement(threads);
  fc.assert(
    fc.property(fc.integer({ min: 256, max: 0xffff_ffff }), (spi) => {
      const thread = spi % threads;
      assert.equal(placement.ask(installation('inbound', spi, 1)), thread);
      assert.equal(placement.ask(move(1, 'inbound', spi, '192.0.2.9')), thread);
      assert.equal(placement.ask(removal('inbound', spi, 1)), thread);
    }),
  );
});

test('outbound SAs of a pair stay beside its first inbound one, over all rekeyings', () => {
  const placement = new SaPlacement(threads);
  placement.ask(installation('inbound', 1003, 7));
  assert.equal(placement.ask(installation('outbound', 5000, 7)), 3);
  assert.equal(placement.ask(use(7, 5000)), 3);
  placement.ask(installation('inbound', 1004, 7, 1));
  assert.equal(placement.ask(installation('outbound', 5001, 7, 1)), 3);
  assert.equal(placement.ask(use(7, 5001)), 3);
  placement.ask(removal('inbound', 1003, 7));
  assert.equal(placement.ask(removal('outbound', 5000, 7)), 3);
  assert.equal(placement.sealerOf(7), 3);
  assert.equal(placement.ask(removal('outbound', 5001, 7)), 3);
  assert.equal(placement.sealerOf(7), undefined);
});

test('one that comes before the inbound one has some thread, and the pair keeps it', () => {
  const placement = new SaPlacement(threads);
  const thread = placement.ask(installation('outbound', 5000, 7));
  placement.ask(installation('inbound', 1002, 7));
  assert.equal(placement.ask(installation('outbound', 5001, 7, 1)), thread);
});

test('two outbound SAs of one peer never have one SPI, whichever threads they would be in', () => {
  const placement = new SaPlacement(threads);
  placement.ask(installation('inbound', 1000, 1));
  placement.ask(installation('inbound', 1001, 2));
  assert.equal(placement.ask(installation('outbound', 5000, 1)), 0);
  const second = placement.ask(installation('outbound', 5000, 2));
  assert.deepEqual(typeof second === 'object' && !second.ok && second.code, 'exists');
  assert.equal(placement.sealerOf(2), undefined);
  placement.ask(removal('outbound', 5000, 2));
  assert.equal(placement.sealerOf(1), 0, 'what was refused to one pair is not taken from the other');
  assert.equal(placement.ask(installation('outbound', 5000, 2, 0, '192.0.2.99')), 1);
  const moved = placement.ask(move(2, 'outbound', 5000, '192.0.2.2'));
  assert.deepEqual(typeof moved === 'object' && !moved.ok && moved.code, 'exists');
  assert.equal(placement.ask(move(2, 'outbound', 5000, '192.0.2.3')), 1);
  assert.equal(placement.ask(removal('outbound', 5000, 2)), 1);
  assert.equal(placement.ask(installation('outbound', 5000, 2, 0, '192.0.2.3')), 1, 'the SPI is free again');
});

test('what was refused leaves nothing behind, and an older SA of its name stays', () => {
  const placement = new SaPlacement(threads);
  placement.ask(installation('inbound', 1001, 1));
  const outbound = installation('outbound', 5000, 1);
  placement.ask(outbound);
  assert.equal(placement.refused(outbound.sa, placement.known(outbound.sa)), true);
  assert.equal(placement.sealerOf(1), undefined);
  const again = placement.ask(installation('inbound', 1001, 2));
  assert.equal(typeof again === 'object' && !again.ok && again.code, 'exists');
  assert.deepEqual(
    [...placement.inbound()].map(({ spi, thread }) => [spi, thread]),
    [[1001, 1]],
  );
});

test('a refusal that comes after the removal does not take the SA that has got the name since', () => {
  const placement = new SaPlacement(threads);
  const asked = installation('inbound', 1001, 1);
  placement.ask(asked);
  const known = placement.known(asked.sa);
  placement.ask(removal('inbound', 1001, 1));
  placement.ask(asked);
  assert.equal(placement.refused(asked.sa, known), false);
  assert.equal([...placement.inbound()].length, 1);
});

test('an SA whose move was refused is where it was', () => {
  const placement = new SaPlacement(threads);
  placement.ask(installation('inbound', 1000, 1));
  placement.ask(installation('outbound', 5000, 1));
  placement.ask(move(1, 'outbound', 5000, '192.0.2.9'));
  // Nobody has carried it out: the address is free for another pair, and the old one is not.
  assert.equal(placement.ask(installation('outbound', 5000, 2, 0, '192.0.2.9')), 2);
  const here = placement.ask(installation('outbound', 5000, 3));
  assert.equal(typeof here === 'object' && !here.ok && here.code, 'exists');
});
