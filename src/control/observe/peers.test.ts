// What is told of a peer that may move (RFC 4555).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IkeSaStatus } from '#engine';
import { address, type Endpoint } from '#sa';
import { peerOf } from './peers.ts';

const end = (host: string): Endpoint => ({ address: address(host), port: 4500 });

const standing = {
  ...{ ikeId: 3, connection: 'gateway', phase: 'established', initiator: true },
  ...{ initiatorSpi: '01', responderSpi: '02', local: end('192.0.2.1'), remote: end('192.0.2.2') },
  nat: { supported: true, local: false, remote: false },
  peer: {},
} as unknown as IkeSaStatus;

test('without MOBIKE there is nothing about moves', () => {
  const peer = peerOf(standing);
  assert.equal('mobility' in peer || 'lastMove' in peer, false);
});

test('who decides, where else the peer is, and where Child SAs lead if that is elsewhere', () => {
  const tunnel = { local: end('192.0.2.1'), remote: end('192.0.2.2') };
  const peerAddresses = [address('2001:db8::7')];
  const told = (more: object) => peerOf({ ...standing, ...more }).mobility;
  assert.deepEqual(told({ mobility: { client: true, peerAddresses, tunnel } }), {
    weDecide: true,
    furtherAddresses: ['2001:db8::7'],
  });
  assert.deepEqual(
    told({ remote: end('198.51.100.9'), mobility: { client: false, peerAddresses: [], tunnel } }),
    { weDecide: false, furtherAddresses: [], tunnelsTo: '192.0.2.2:4500' },
  );
});

test('the last move, in whole milliseconds', () => {
  const from = { local: end('198.51.100.9'), remote: end('192.0.2.2') };
  assert.deepEqual(peerOf({ ...standing, lastMove: { by: 'us', from, msAgo: 5.4 } }).lastMove, {
    by: 'us',
    fromLocal: '198.51.100.9:4500',
    fromRemote: '192.0.2.2:4500',
    msAgo: 5,
  });
});
