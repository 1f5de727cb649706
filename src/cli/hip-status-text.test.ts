// How `wayward status` shows HIP: everything that is known of an association, and nothing that is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DaemonStatus } from '#daemon';
import { address, Encr, hitFromAddress, type Spi } from '#sa';
import { hipText } from './hip-status-text.ts';

type HipAssociation = DaemonStatus['engine']['hip'][number];

const calling: HipAssociation = {
  local: hitFromAddress(address('2001:22::1'))!,
  remote: hitFromAddress(address('2001:21::2'))!,
  path: {
    local: { address: address('192.0.2.1'), port: 0 },
    remote: { address: address('192.0.2.2'), port: 0 },
  },
  state: 'I1-SENT',
};

const status = {
  engine: { at: 5_000 },
  counters: [{ spi: 0xc001, direction: 'inbound', counters: { bytes: 84, packets: 1 } }],
} as unknown as DaemonStatus;

test('an association that is being called has HITs and addresses', () => {
  assert.deepEqual(hipText(calling, status), [
    'hip 2001:21::2: I1-SENT',
    '  local  2001:22::1 @ 192.0.2.1',
    '  remote 2001:21::2 @ 192.0.2.2',
  ]);
});

test('one that stands also has a suite, a round trip, SPIs and what they carried', () => {
  const standing: HipAssociation = {
    ...calling,
    peer: 'sun',
    path: {
      local: { address: address('192.0.2.1'), port: 10500 },
      remote: { address: address('192.0.2.2'), port: 10500 },
    },
    state: 'ESTABLISHED',
    attempt: 'I2-SENT',
    childId: 1,
    inboundSpi: 0xc001 as Spi,
    outboundSpi: 0xc002 as Spi,
    suite: { protocol: 'esp', encr: { id: Encr.AES_GCM_16, keyLengthBits: 128 }, esn: false },
    rttMs: 3.4,
  };
  assert.deepEqual(hipText(standing, status), [
    'hip sun: ESTABLISHED, called anew (I2-SENT)',
    '  local  2001:22::1 @ 192.0.2.1:10500',
    '  remote 2001:21::2 @ 192.0.2.2:10500 in UDP',
    '  aes128gcm16, round trip 3 ms',
    '    in  0000c001, 84 octets, 1 packets',
    '    out 0000c002, 0 octets, 0 packets',
  ]);
});

test('a peer with several addresses has them listed with what is known of each', () => {
  const locators = [
    { address: address('192.0.2.2'), state: 'ACTIVE', preferred: true, until: 65_000 },
    { address: address('2001:db8::2'), state: 'UNVERIFIED', preferred: false },
  ] as const;
  assert.deepEqual(hipText({ ...calling, locators }, status).slice(3), [
    '    at 192.0.2.2: ACTIVE, preferred, for 60 s',
    '    at 2001:db8::2: UNVERIFIED',
  ]);
});

test('registrations say who is whose client, and for how long yet', () => {
  const lines = (more: Partial<HipAssociation>): string[] =>
    hipText({ ...calling, ...more }, status).slice(3);
  assert.deepEqual(lines({ client: { until: 65_000 } }), ['  is our client for rendezvous, for 60 s']);
  assert.deepEqual(lines({ registration: { state: 'registered', until: 35_000 } }), [
    '  is our rendezvous server, for 30 s',
  ]);
  assert.deepEqual(lines({ registration: { state: 'refused', failure: 0 } }), [
    '  is not our rendezvous server: CREDENTIALS_REQUIRED',
  ]);
  assert.deepEqual(lines({ registration: { state: 'unavailable' } }), [
    '  is no rendezvous server at the moment',
  ]);
});
