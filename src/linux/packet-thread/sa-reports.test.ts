// Which SAs are told of, and for how long they are remembered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, type SaCommand, type SaCounters, type SaParameters, type Spi } from '#sa';
import { SaReports } from './sa-reports.ts';

const [home, first, second] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(address);
const spi = 0x1001 as Spi;
const counters: SaCounters = { bytes: 100, packets: 1, integrityFailures: 0, replays: 0, malformed: 0 };

const outbound = (remote = first!, childId = 1): SaCommand => ({
  kind: 'install',
  sa: { protocol: 'esp', direction: 'outbound', spi, childId, local: home!, remote } as SaParameters,
});
const removal = (remote: typeof first): SaCommand => ({
  ...{ kind: 'remove', protocol: 'esp', direction: 'outbound', spi },
  remote: remote!,
});
const move: SaCommand = {
  ...{ kind: 'update-addresses', protocol: 'esp', direction: 'outbound', spi, childId: 1 },
  local: { address: home!, port: 0 },
  remote: { address: second!, port: 0 },
  encapsulated: false,
};

/** Asks for counters by where the SA leads, as finding it without that means to look at all. */
function asked(reports: SaReports): unknown[] {
  const remotes: unknown[] = [];
  reports.take({
    counters: (_protocol, _direction, _spi, remote) => {
      remotes.push(remote);
      return counters;
    },
  });
  return remotes;
}

test('an SA is asked for by where it leads, and told of when it moved on', () => {
  const reports = new SaReports();
  reports.follow(outbound());
  const plane = { counters: () => counters };
  assert.deepEqual(reports.take(plane), [
    { protocol: 'esp', direction: 'outbound', spi, childId: 1, counters },
  ]);
  assert.deepEqual(reports.take(plane), []);
  assert.deepEqual(asked(reports), [first]);
});

test('an SA whose peer has another address is known by that, and forgotten by it', () => {
  const reports = new SaReports();
  reports.follow(outbound());
  reports.follow(move);
  assert.deepEqual(asked(reports), [second]);
  reports.follow(removal(second));
  assert.deepEqual(asked(reports), []);
});

test('two peers may have chosen the same SPI', () => {
  const reports = new SaReports();
  reports.follow(outbound());
  reports.follow(outbound(second, 2));
  reports.follow(removal(first));
  assert.deepEqual(asked(reports), [second]);
});
