// Which SAs are told of, and for how long they are remembered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type SaCommand, type SaCounters, type SaName, type SaParameters, type Spi } from '#sa';
import type { SaReport } from '../control/messages.ts';
import { SaReports } from './sa-reports.ts';

const [home, first, second] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(address);
const spi = 0x1001 as Spi;
/** What an SA carried, for tests to change; and how often it was looked at. */
class Carried {
  looks = 0;
  refusals = 0;
  #packets = 1;

  get packets(): number {
    this.looks++;
    return this.#packets;
  }

  set packets(packets: number) {
    this.#packets = packets;
  }

  counters(): SaCounters {
    const packets = this.#packets;
    return { bytes: 100 * packets, packets, integrityFailures: this.refusals, replays: 0, malformed: 0 };
  }
}

/** A data plane where every SA has carried something, by what names it. */
class Plane {
  readonly carried = new Map<string, Carried>();

  usage({ protocol, direction, spi, childId }: SaName): Carried {
    const carried = new Carried();
    this.carried.set(`${protocol} ${direction} ${spi} ${childId}`, carried);
    return carried;
  }

  get looks(): number {
    return [...this.carried.values()].reduce((sum, { looks }) => sum + looks, 0);
  }
}

const outbound = (remote = first!, childId = 1): SaCommand => ({
  kind: 'install',
  sa: { protocol: 'esp', direction: 'outbound', spi, childId, local: home!, remote } as SaParameters,
});
const removal = (childId = 1): Extract<SaCommand, { kind: 'remove' }> => ({
  ...{ kind: 'remove', protocol: 'esp', direction: 'outbound', spi, childId },
});
const move: SaCommand = {
  ...{ kind: 'update-addresses', protocol: 'esp', direction: 'outbound', spi, childId: 1 },
  local: { address: home!, port: 0 },
  remote: { address: second!, port: 0 },
  encapsulated: false,
};

function pairsOf(reports: readonly SaReport[]): number[] {
  return reports.map(({ childId }) => childId);
}

test('an SA is told of when it moved on, and only then', () => {
  const plane = new Plane();
  const reports = new SaReports(plane);
  reports.follow(outbound());
  const carried = plane.carried.get(`esp outbound ${spi} 1`)!;
  const told = { protocol: 'esp', direction: 'outbound', spi, childId: 1 };
  assert.deepEqual(reports.take(), [{ ...told, counters: carried.counters() }]);
  assert.deepEqual(reports.take(), []);
  carried.packets = 2;
  assert.deepEqual(reports.take(), [{ ...told, counters: carried.counters() }]);
  carried.refusals = 1;
  assert.deepEqual(reports.take(), [{ ...told, counters: carried.counters() }]);
  assert.deepEqual(reports.take(), []);
});

test('an SA is told of and forgotten wherever its peer is now', () => {
  const reports = new SaReports(new Plane());
  reports.follow(outbound());
  reports.follow(move);
  assert.equal(reports.takeLast(removal(2)), undefined);
  assert.equal(reports.takeLast(removal())?.childId, 1);
  reports.follow(removal());
  assert.equal(reports.takeLast(removal()), undefined);
  assert.deepEqual(reports.take(), []);
});

test('two peers may have chosen the same SPI', () => {
  const reports = new SaReports(new Plane());
  reports.follow(outbound());
  reports.follow(outbound(second, 2));
  reports.follow(removal());
  assert.deepEqual(pairsOf(reports.take()), [2]);
});

test('the last of an SA is told once, and one of 1,000 that goes is the only one that is looked at', () => {
  const plane = new Plane();
  const reports = new SaReports(plane);
  for (let i = 0; i < 1_000; i++) reports.follow(outbound(address(`192.0.${i >> 8}.${i & 0xff}`), i));
  const { looks } = plane;
  const command = removal(257);
  assert.equal(reports.takeLast(command)?.childId, 257);
  assert.equal(plane.looks - looks, 1);
  assert.equal(reports.takeLast(command), undefined, 'told already');
  reports.follow(command);
  assert.equal(reports.take().length, 999);
});
