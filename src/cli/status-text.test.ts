// How `wayward status` shows Child SAs, and what was lost of packets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DaemonStatus } from '#daemon';
import { address, Encr, type Spi, selectorOfPrefix } from '#sa';
import { statusText } from './status-text.ts';

const end = (text: string) => ({ address: address(text), port: 4500 });
const child = {
  ...{ name: 'net', childId: 1, generation: 0, mode: 'tunnel', inboundSpi: 0xc001, outboundSpi: 0xc002 },
  suite: { encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128 }, esn: false },
  local: [selectorOfPrefix('10.1.0.0/24')!],
  remote: [selectorOfPrefix('10.2.0.0/24')!],
};

function linesOf(ikeSas: readonly object[], verdicts: Readonly<Record<string, number>> = {}): string[] {
  const counters = { bytes: 84, packets: 1 };
  const status = {
    ...{ version: '0', pid: 1, uptimeMs: 0, verdicts },
    engine: { at: 0, ikeSas, hip: [], halfOpen: 0, connecting: [], traps: [], pools: [] },
    counters: [{ spi: 0xc001 as Spi, direction: 'inbound', counters }],
  } as unknown as DaemonStatus;
  return statusText(status);
}

function childLines(offloaded?: object): string[] {
  const ikeSa = {
    ...{ connection: 'gateway', ikeId: 1, phase: 'established', initiator: true },
    ...{ initiatorSpi: '01', responderSpi: '02', local: end('192.0.2.1'), remote: end('192.0.2.2') },
    virtualAddresses: [],
    children: [{ ...child, ...(offloaded !== undefined && { offloaded }) }],
  };
  return linesOf([ikeSa]).filter((line) => /^ {4}(in|out) /.test(line));
}

test('a user whom EAP has authenticated stands behind what his machine calls itself', () => {
  const ikeSa = {
    ...{ connection: 'road', ikeId: 1, phase: 'established', initiator: false },
    ...{ initiatorSpi: '01', responderSpi: '02', local: end('192.0.2.1'), remote: end('192.0.2.2') },
    ...{ remoteIdentity: '10.0.0.7', remoteEapIdentity: 'carol', virtualAddresses: [], children: [] },
  };
  assert.ok(linesOf([ikeSa]).includes('  remote 10.0.0.7 @ 192.0.2.2:4500, user carol'));
});

test('each direction of a Child SA has its SPI and what it carried', () => {
  assert.deepEqual(childLines(), [
    '    in  0000c001, 84 octets, 1 packets',
    '    out 0000c002, 0 octets, 0 packets',
  ]);
});

test('and what a network device does of it', () => {
  assert.deepEqual(childLines({ inbound: 'packet' }), [
    '    in  0000c001, 84 octets, 1 packets, offloaded (packet)',
    '    out 0000c002, 0 octets, 0 packets',
  ]);
  assert.match(childLines({ inbound: 'crypto', outbound: 'crypto' })[1]!, /0 packets, offloaded \(crypto\)$/);
});

// RFC 4555
test('an IKE SA that may move says who moves it, where else the peer is, and where Child SAs still lead', () => {
  const [here, there] = [end('192.0.2.2'), end('198.51.100.9')];
  const told = (client: boolean, remote: object, peerAddresses: readonly string[] = []): string[] => {
    const ikeSa = {
      ...{ connection: 'gateway', ikeId: 1, phase: 'established', initiator: client },
      ...{ initiatorSpi: '01', responderSpi: '02', local: end('192.0.2.1'), remote },
      mobility: { client, peerAddresses, tunnel: { local: end('192.0.2.1'), remote: here } },
      virtualAddresses: [],
      children: [],
    };
    return linesOf([ikeSa]).filter((line) => line.includes('MOBIKE'));
  };
  assert.deepEqual(told(true, here, ['203.0.113.7', '2001:db8::7']), [
    '  MOBIKE, as the end that moves; the peer can also be at 203.0.113.7 2001:db8::7',
  ]);
  assert.deepEqual(told(false, there), [
    '  MOBIKE, the peer moves; Child SAs lead to 192.0.2.2:4500 until the peer answers from 198.51.100.9:4500',
  ]);
});

test('an IKE SA that has moved says who moved, when, and from where', () => {
  const told = (by: 'us' | 'peer'): string[] => {
    const ikeSa = {
      ...{ connection: 'gateway', ikeId: 1, phase: 'established', initiator: true },
      ...{ initiatorSpi: '01', responderSpi: '02', local: end('192.0.2.1'), remote: end('192.0.2.2') },
      lastMove: { by, msAgo: 12_345, from: { local: end('198.51.100.9'), remote: end('192.0.2.2') } },
      virtualAddresses: [],
      children: [],
    };
    return linesOf([ikeSa]).filter((line) => line.includes('moved'));
  };
  assert.deepEqual(told('us'), ['  we moved 12 s ago, before it was 198.51.100.9:4500 to 192.0.2.2:4500']);
  assert.deepEqual(told('peer'), [
    '  the peer moved 12 s ago, before it was 198.51.100.9:4500 to 192.0.2.2:4500',
  ]);
});

test('packets that were lost between packet threads are told, and what there is none of is not', () => {
  const told = linesOf([], { 'hand-over-overflow': 3, 'handed-over': 9, 'socket-overflow': 0 });
  assert.deepEqual(told.slice(2), ['3 packets found no room on their way to another packet thread']);
});
