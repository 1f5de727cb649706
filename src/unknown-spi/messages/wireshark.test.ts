// Each kind of unprotected message as tshark reads it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { address, addressBytes } from '#sa';
import { CaptureWriter, encodeIp, encodeUdp, IpProtocol } from '#wire';
import { ikeHeader, initiatorSpi, responderSpi } from '../testing/facts.ts';
import { meaninglessSpis, unprotectedInvalidSpi } from './one-way-notify.ts';
import { parameterProblem } from './parameter-problem.ts';
import { invalidIkeSpi, invalidMajorVersion } from './refusal.ts';

const installed = spawnSync('tshark', ['--version'], { stdio: 'ignore' }).status === 0;
const skip = installed ? false : 'tshark not installed';

const from = address('192.0.2.1');
const to = address('198.51.100.2');

function packet(protocol: number, payload: Uint8Array): Uint8Array {
  return encodeIp({
    version: 4,
    dscp: 0,
    ecn: 0,
    identification: 1,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: 64,
    source: addressBytes(from),
    destination: addressBytes(to),
    options: new Uint8Array(),
    protocol,
    payload,
  });
}

function ike(payload: Uint8Array): Uint8Array {
  const addresses = { source: addressBytes(from), destination: addressBytes(to) };
  const datagram = { sourcePort: 500, destinationPort: 500, checksummed: true, payload };
  return packet(IpProtocol.UDP, encodeUdp(datagram, addresses));
}

/** The wanted fields of each packet, as tshark prints them. */
function dissect(t: TestContext, packets: readonly Uint8Array[], fields: readonly string[]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-unknown-spi-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'messages.pcapng');
  const writer = new CaptureWriter({ application: 'wayward', interfaces: [{}] });
  const blocks = packets.map((octets, i) => writer.packet({ timestampNs: BigInt(i), octets }));
  writeFileSync(path, Buffer.concat([writer.start(), ...blocks]));
  const words = ['-r', path, '-n', '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
  return execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split('\t'));
}

test('tshark reads SPIs, flags, exchange type, Message ID, notify types and data as they were meant', {
  skip,
}, (t) => {
  const tokens = [1, 2, 3, 4].map((fill) => new Uint8Array(16).fill(fill));
  const request = ikeHeader({ exchangeType: 37, messageId: 41, initiator: true });
  const rows = dissect(
    t,
    [
      ike(unprotectedInvalidSpi(0xc0ffee00, meaninglessSpis(undefined), [])),
      ike(unprotectedInvalidSpi(0xc0ffee00, { initiatorSpi, responderSpi }, tokens.slice(0, 1))),
      ike(invalidIkeSpi(request, tokens)),
      ike(invalidMajorVersion(ikeHeader({ majorVersion: 3, exchangeType: 34, messageId: 7 }))),
    ],
    [
      'isakmp.ispi',
      'isakmp.rspi',
      'isakmp.version',
      'isakmp.exchangetype',
      'isakmp.flags',
      'isakmp.messageid',
      'isakmp.notify.protoid',
      'isakmp.notify.msgtype',
      'isakmp.notify.data',
      '_ws.malformed',
    ],
  );
  const token = (fill: number): string => `0${fill}`.repeat(16);
  const none = '0000000000000000';
  /** As tshark says that a notify carries no data. */
  const absent = '<MISSING>';
  assert.deepEqual(rows, [
    [none, none, '0x20', '37', '0x08', '0x00000000', '0', '11', 'c0ffee00', ''],
    [
      ...[initiatorSpi, responderSpi, '0x20', '37', '0x08', '0x00000000'],
      ...['0,1', '11,16419', `c0ffee00,${token(1)}`, ''],
    ],
    [
      ...[initiatorSpi, responderSpi, '0x20', '37', '0x20', '0x00000029'],
      ...['0,1,1,1,1', '4,16419,16419,16419,16419', [absent, ...[1, 2, 3, 4].map(token)].join(), ''],
    ],
    [initiatorSpi, responderSpi, '0x20', '34', '0x20', '0x00000007', '0', '5', absent, ''],
  ]);
});

test('tshark sees the Parameter Problem point at the SPI of the packet it quotes', { skip }, (t) => {
  const esp = new Uint8Array(40);
  esp.set([0xc0, 0xff, 0xee, 0x00, 0, 0, 0, 9]);
  const problem = parameterProblem(packet(IpProtocol.ESP, esp), 20, { from, to }, 1_000);
  assert.deepEqual(
    dissect(
      t,
      [packet(IpProtocol.ICMP, problem!)],
      ['icmp.type', 'icmp.code', 'icmp.pointer', 'esp.spi', '_ws.malformed'],
    ),
    [['12', '0', '20', '0xc0ffee00', '']],
  );
});
