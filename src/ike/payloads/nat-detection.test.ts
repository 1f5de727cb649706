// Given the hashes a peer sent and the addresses we see: who is behind a NAT.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { address, type Endpoint } from '#sa';
import { type IkeSpi, zeroIkeSpi } from '#wire';
import { judgeNat, natDetectionHash, natDetectionNotifies } from './nat-detection.ts';

const spis = {
  initiatorSpi: '0123456789abcdef' as IkeSpi,
  responderSpi: 'fedcba9876543210' as IkeSpi,
};
const endpoint = (text: string, port: number): Endpoint => ({ address: address(text), port });
const client = endpoint('10.0.0.5', 500);
const natOutside = endpoint('203.0.113.9', 31_000);
const server = endpoint('192.0.2.1', 500);
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

describe('NAT detection (RFC 7296 2.23)', () => {
  it('hashes SPIs, address and port', () => {
    // Python: hashlib.sha1(spis + ip.packed + pack('>H', port))
    assert.equal(
      hex(natDetectionHash(spis, endpoint('192.0.2.1', 500))),
      'b43b59394bf8bc930246a8f80b6fddf05c58d9bf',
    );
    assert.equal(
      hex(natDetectionHash(spis, endpoint('2001:db8::1', 4500))),
      '9de8bfefaab479f0d5a5609a6de20595c6307502',
    );
  });

  it('sees no NAT where addresses arrive as they were sent', () => {
    const sent = natDetectionNotifies(spis, client, server);
    assert.deepEqual(judgeNat(sent, spis, server, client), { supported: true, local: false, remote: false });
  });

  it('sees the NAT in front of the peer, and the one in front of us', () => {
    const sent = natDetectionNotifies(spis, client, server);
    assert.deepEqual(judgeNat(sent, spis, server, natOutside), {
      supported: true,
      local: false,
      remote: true,
    });
    const inside = endpoint('172.16.0.1', 500);
    assert.deepEqual(judgeNat(sent, spis, inside, client), { supported: true, local: true, remote: false });
  });

  it('is content with one source hash of several that matches', () => {
    const [other] = natDetectionNotifies(spis, endpoint('198.51.100.3', 500), server);
    const sent = [other!, ...natDetectionNotifies(spis, client, server)];
    assert.equal(judgeNat(sent, spis, server, client).remote, false);
  });

  it('is another for other SPIs', () => {
    const sent = natDetectionNotifies({ ...spis, responderSpi: zeroIkeSpi }, client, server);
    assert.deepEqual(judgeNat(sent, spis, server, client), { supported: true, local: true, remote: true });
  });

  it('can be made to see a NAT that is not there', () => {
    const sent = natDetectionNotifies(spis, client, server, true);
    assert.deepEqual(judgeNat(sent, spis, server, client), { supported: true, local: false, remote: true });
  });

  it('is not supported by a peer that sends nothing or half of it', () => {
    const none = { supported: false, local: false, remote: false };
    assert.deepEqual(judgeNat([], spis, server, client), none);
    const [source] = natDetectionNotifies(spis, client, server);
    assert.deepEqual(judgeNat([source!], spis, server, client), none);
  });
});
