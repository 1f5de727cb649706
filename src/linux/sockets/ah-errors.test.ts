// ICMPv6 errors about AH, which anybody can send.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, addressBytes } from '#sa';
import { IpProtocol, writeU32 } from '#wire';
import { AhErrors } from './ah-errors.ts';
import type { DatagramSocket, ReceivedDatagram } from './datagram-socket.ts';

const local = { address: address('2001:db8::1'), port: 0 };
const remote = { address: address('2001:db8:1::9'), port: 0 };
const peer = address('2001:db8:1::1');

/** Destination unreachable, about a packet with AH from this address. */
function errorAbout(source: string): ReceivedDatagram {
  const octets = new Uint8Array(8 + 40 + 12);
  octets[0] = 1;
  octets[8] = 0x60;
  octets[14] = IpProtocol.AH;
  octets.set(addressBytes(address(source)), 16);
  octets.set(addressBytes(peer), 32);
  writeU32(octets, 52, 0xc000_0001);
  writeU32(octets, 56, 7);
  return { local, remote, trafficClass: 0, octets };
}

function reading(next: () => ReceivedDatagram | undefined): AhErrors {
  const socket = { fd: -1, filter: () => undefined, receive: next };
  return new AhErrors(socket as unknown as DatagramSocket);
}

test('an error about a packet of ours tells whose it was', () => {
  const waiting = [errorAbout('2001:db8::5'), errorAbout(local.address)];
  const errors = reading(() => waiting.shift());
  assert.deepEqual(errors.receive(), {
    from: remote.address,
    quote: { source: local.address, destination: peer, spi: 0xc000_0001, sequence: 7 },
  });
  assert.equal(errors.receive(), undefined);
});

test('a flood of errors about others’ packets does not keep a call from coming back', () => {
  let count = 0;
  const errors = reading(() => {
    assert.ok(++count < 10_000, 'it does not come back');
    return errorAbout('2001:db8::5');
  });
  assert.equal(errors.receive(), undefined);
});
