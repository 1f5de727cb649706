import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeIp } from '#wire';
import { ipPacket, toHex } from '../testing/fixtures.ts';
import { icmpErrorAbout } from './icmp-error.ts';

const tooBig = { kind: 'too-big', mtuBytes: 1300 } as const;

test('nobody is told who could not be the one source of one packet', () => {
  const silent = [
    ipPacket({ fragmentOffset: 800 }),
    ipPacket({ source: '0.0.0.0' }),
    ipPacket({ source: '224.0.0.5' }),
    ipPacket({ source: '127.0.0.1' }),
    ipPacket({ destination: '224.0.0.5' }),
    ipPacket({ destination: '255.255.255.255' }),
    ipPacket({ source: '::', destination: '2001:db8::1' }),
    ipPacket({ source: 'ff02::1', destination: '2001:db8::1' }),
    ipPacket({ source: '2001:db8::1', destination: 'ff02::1' }),
    // ICMP errors: destination unreachable, packet too big.
    ipPacket({ protocol: 1, sourcePort: 0x0301 }),
    ipPacket({ source: '2001:db8::1', destination: '2001:db8::2', protocol: 58, sourcePort: 0x0200 }),
    new Uint8Array(30),
  ];
  for (const packet of silent) assert.equal(icmpErrorAbout(packet, tooBig), undefined, toHex(packet));
});

test('an error quotes as much as its own size allows, and goes back where the packet came from', () => {
  for (const [source, destination, lengthBytes] of [
    ['10.1.0.5', '10.2.0.7', 576],
    ['2001:db8:1::5', '2001:db8:2::7', 1280],
  ] as const) {
    const packet = ipPacket({ source, destination, dataBytes: 1400 });
    const answer = icmpErrorAbout(packet, tooBig);
    assert.equal(answer?.length, lengthBytes);
    const read = decodeIp(answer!);
    const about = decodeIp(packet);
    assert.deepEqual(
      [toHex(read.source), toHex(read.destination)],
      [toHex(about.destination), toHex(about.source)],
    );
  }
});
