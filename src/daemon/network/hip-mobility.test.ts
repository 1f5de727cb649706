// When associations move: only if the address that they use is gone, and only to one that leads to the peer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HipAssociationStatus } from '#hip';
import { address, type IpAddress } from '#sa';
import { HipMobility } from './hip-mobility.ts';

const here = address('192.0.2.1');
const there = address('192.0.2.7');
const peer = address('198.51.100.1');

function association(local: IpAddress): HipAssociationStatus {
  return {
    path: { local: { address: local, port: 0 }, remote: { address: peer, port: 0 } },
  } as HipAssociationStatus;
}

function moves(options: {
  readonly local: readonly IpAddress[];
  readonly own: readonly IpAddress[];
  readonly source?: IpAddress;
}): string[] {
  const moved: string[] = [];
  new HipMobility({
    associations: () => options.local.map(association),
    ownAddresses: () => new Set(options.own),
    sourceFor: () => options.source,
    tell: () => undefined,
    move: (from, to) => moved.push(`${from} > ${to}`),
  }).look();
  return moved;
}

test('associations move once for each address that is gone', () => {
  assert.deepEqual(moves({ local: [here, here], own: [there], source: there }), [`${here} > ${there}`]);
});

test('an address that is still there keeps its associations, whatever the kernel would choose', () => {
  assert.deepEqual(moves({ local: [here], own: [here, there], source: there }), []);
});

test('without a way to the peer, or only from an address that is none of ours, nothing moves', () => {
  assert.deepEqual(moves({ local: [here], own: [there] }), []);
  assert.deepEqual(moves({ local: [here], own: [], source: there }), []);
});

test('changes in a group are looked at once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let looked = 0;
  const mobility = new HipMobility({
    associations: () => {
      looked++;
      return [];
    },
    ownAddresses: () => new Set(),
    sourceFor: () => undefined,
    tell: () => undefined,
    move: () => assert.fail(),
  });
  for (let i = 0; i < 5; i++) mobility.changed();
  t.mock.timers.tick(10);
  assert.equal(looked, 1);
  mobility.changed();
  mobility.stop();
  t.mock.timers.tick(100);
  assert.equal(looked, 1);
});

test('the addresses that there are are told at the beginning, and whenever they are others', () => {
  const told: string[] = [];
  let own = [here, there];
  const mobility = new HipMobility({
    associations: () => [],
    ownAddresses: () => new Set(own),
    sourceFor: () => undefined,
    tell: (all) => told.push([...all].join(' ')),
    move: () => assert.fail(),
  });
  mobility.begin();
  own = [there, here];
  mobility.look();
  own = [there];
  mobility.look();
  mobility.look();
  mobility.begin();
  assert.deepEqual(told, [`${here} ${there}`, there, there]);
});
