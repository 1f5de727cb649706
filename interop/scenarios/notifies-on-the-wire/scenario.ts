// Two waywards, and somebody who provokes every message about lost state: what tcpdump caught is read by tshark and held
// against the RFCs, field by field.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readWithKeys } from '../../harness/capture.ts';
import { eventually } from '../../harness/eventually.ts';
import type { PeerIkeSa } from '../../harness/peer.ts';
import { runProgram } from '../../harness/processes.ts';
import type { Scenario } from '../../harness/scenario.ts';
import type { Stage } from '../../harness/stage.ts';
import { Wayward } from '../../harness/wayward.ts';

/** Sends ESP as it is, or an IKE message, whose answer it waits for: what is only about to leave is lost with a killed process. */
const sender = `
import socket, sys
kind, to, octets = sys.argv[1:]
family = socket.AF_INET6 if ':' in to else socket.AF_INET
if kind == 'esp':
    socket.socket(family, socket.SOCK_RAW, 50).sendto(bytes.fromhex(octets), (to, 0))
else:
    ike = socket.socket(family, socket.SOCK_DGRAM)
    ike.settimeout(10)
    ike.sendto(bytes.fromhex(octets), (to, 500))
    ike.recv(65535)
`;

async function send(stage: Stage, kind: 'esp' | 'ike', hex: string): Promise<void> {
  const to = stage.network.wayward.outer[stage.family];
  await runProgram(['/usr/bin/python3', '-c', sender, kind, to, hex], {
    namespace: stage.network.strongswan.namespace,
  });
}

const unknownSpi = 'c0ffee42';
const strangeSpis = { initiatorSpi: '1122334455667788', responderSpi: '99aabbccddeeff00' };

/** A request that looks protected, long enough to pay for every answer. */
function request(
  { initiatorSpi, responderSpi }: Pick<PeerIkeSa, 'initiatorSpi' | 'responderSpi'>,
  { version = '20', messageId = 0 } = {},
): string {
  const id = messageId.toString(16).padStart(8, '0');
  // SK payload, INFORMATIONAL, I flag; 400 octets in all.
  return `${initiatorSpi}${responderSpi}2e${version}2508${id}00000190${'00000174'}${'a5'.repeat(368)}`;
}

const fields = [
  'isakmp.ispi',
  'isakmp.rspi',
  'isakmp.version',
  'isakmp.exchangetype',
  'isakmp.flags',
  'isakmp.messageid',
  'isakmp.notify.protoid',
  'isakmp.notify.msgtype',
  'isakmp.notify.data',
] as const;
const none = '0000000000000000';

const type = {
  invalidIkeSpi: 4,
  invalidMajorVersion: 5,
  invalidSpi: 11,
  cookie: 16390,
  ticketLtOpaque: 16409,
  ticketRequest: 16410,
  ticketOpaque: 16413,
  quickCrashDetection: 16419,
  messageIdSyncSupported: 16420,
} as const;

async function tokens(wayward: Wayward, given: 'yes' | 'no'): Promise<void> {
  const path = join(wayward.folder, 'swanctl.conf');
  await appendFile(path, `\nwayward {\n  quick_crash_detection = ${given}\n}\n`);
  await wayward.reload();
}

/** A gateway whose first key for tickets is not on its disk yet postpones them (RFC 5723 4.1): once more then. */
async function upWithTicket(peer: Wayward): Promise<boolean> {
  await peer.up('net');
  const outcomes = [...(await peer.log()).matchAll(/resumption ticket (\w+)/g)];
  if (outcomes.at(-1)?.[1] === 'received') return true;
  await peer.downIke('gateway');
  return false;
}

const scenario: Scenario = {
  expects:
    'tshark agrees on INVALID_SPI, INVALID_IKE_SPI, INVALID_MAJOR_VERSION, COOKIE, tokens, tickets, IKE_SESSION_RESUME',
  roles: ['responder'],
  async play(stage) {
    const { wayward } = stage;
    const peer = new Wayward(stage.network.strongswan.namespace, stage.strongswan.folder);
    await writeFile(join(wayward.folder, 'record.key'), randomBytes(32), { mode: 0o600 });
    try {
      await Promise.all([wayward.start(), peer.start()]);
      await eventually('a ticket at once', () => upWithTicket(peer));
      const [before] = await wayward.ikeSas();
      // Over the IKE SA that stands with the source: protected.
      await send(stage, 'esp', `${unknownSpi}00000001${'5a'.repeat(292)}`);
      await wayward.waitForLog(new RegExp(`${unknownSpi}.*notify-protected`));
      // Of no IKE SA that ever was, and of a version to come.
      await tokens(wayward, 'no');
      await send(stage, 'ike', request(strangeSpis, { messageId: 6 }));
      await wayward.waitForLog(/: invalid-ike-spi/);
      await tokens(wayward, 'yes');
      await send(stage, 'ike', request(strangeSpis, { messageId: 7 }));
      await send(stage, 'ike', request(strangeSpis, { version: '30', messageId: 8 }));
      await wayward.waitForLog(/invalid-major-version/);
      await wayward.kill();
      await wayward.start();
      await send(stage, 'ike', request(before!, { messageId: 9 }));
      await wayward.waitForLog(/invalid-ike-spi/);
      const pings = stage.keepPinging('strongswan');
      await peer.waitForLog(/recovery by token: back/);
      await pings.stop();
      await stage.stopCapture();
      await check(stage, peer.keyLogPath, before!);
    } finally {
      await peer.stop();
    }
  },
};
export default scenario;

async function check(stage: Stage, keyLogPath: string, before: PeerIkeSa): Promise<void> {
  const rows = (
    filter: string,
    wanted: readonly string[] = fields,
  ): Promise<readonly (readonly string[])[]> => readWithKeys(stage.capturePath, keyLogPath, filter, wanted);
  const having = (notifyType: number): string => `isakmp.notify.msgtype == ${notifyType}`;
  const { initiatorSpi, responderSpi } = before;
  assert.deepEqual(await rows('_ws.malformed && isakmp.flag_r == 1'), []);

  // RFC 7296 1.5, 2.21.4: under protection in an INFORMATIONAL request of ours; four octets of data, no SPI field.
  const [underKeys] = await rows(`${having(type.invalidSpi)} && isakmp.enc.decrypted`);
  const protectedOf = (row: readonly string[] | undefined): unknown[] =>
    [0, 1, 3, 4].map((at) => row?.[at]).concat(row?.slice(6).join(' '));
  assert.deepEqual(protectedOf(underKeys), [initiatorSpi, responderSpi, '37', '0x00', `0 11 ${unknownSpi}`]);

  // RFC 7296 1.5: one way, I set and R clear, Message ID 0; RFC 6290 8.2: the IKE SPIs and the token of who owned the SPI.
  const [told] = await rows(`${having(type.invalidSpi)} && ${having(type.quickCrashDetection)}`);
  const outboundSpi = before.children[0]!.inboundSpi;
  assert.deepEqual(told?.slice(0, 8), [
    ...[initiatorSpi, responderSpi, '0x20', '37', '0x08', '0x00000000'],
    ...['0,1', `${type.invalidSpi},${type.quickCrashDetection}`],
  ]);
  const [spi, token] = told![8]!.split(',');
  assert.equal(spi, outboundSpi);
  // RFC 6290 4.3: it is what the gateway gave in IKE_AUTH, or later (4.4) if its secret was not durable then; 16 to 128 octets.
  assert.match(token!, /^([0-9a-f]{2}){16,128}$/);
  const given = await rows(`${having(type.quickCrashDetection)} && isakmp.enc.decrypted`);
  const gave = given.some((row) => row[8]!.includes(token!));
  assert.ok(gave, 'the token is the one that was given');

  // RFC 7296 2.21.4, RFC 6290 4.5: SPIs, exchange type and Message ID of the request, R set, the I flag turned round.
  const refusals = await rows(having(type.invalidIkeSpi));
  const refused = (spi: string, messageId: string): readonly string[] | undefined =>
    refusals.find((row) => row[0] === spi && row[5] === messageId)?.slice(0, 8);
  const strange = [strangeSpis.initiatorSpi, strangeSpis.responderSpi, '0x20', '37', '0x20'];
  assert.deepEqual(refused(strangeSpis.initiatorSpi, '0x00000006'), [...strange, '0x00000006', '0', '4']);
  // Whether they ever were ours nobody knows for sure: they get a token as well.
  const both = ['0,1', `${type.invalidIkeSpi},${type.quickCrashDetection}`];
  assert.deepEqual(refused(strangeSpis.initiatorSpi, '0x00000007'), [...strange, '0x00000007', ...both]);
  const forgotten = refusals.find(([ispi, , , , , id]) => ispi === initiatorSpi && id === '0x00000009');
  assert.deepEqual(forgotten?.slice(0, 8), [
    ...[initiatorSpi, responderSpi, '0x20', '37', '0x20', '0x00000009'],
    ...['0,1', `${type.invalidIkeSpi},${type.quickCrashDetection}`],
  ]);
  assert.ok(forgotten![8]!.endsWith(token!));

  // RFC 7296 2.5: told in our own version.
  const [version] = await rows(having(type.invalidMajorVersion));
  assert.deepEqual(version?.slice(0, 8), [
    ...[strangeSpis.initiatorSpi, strangeSpis.responderSpi, '0x20', '37', '0x20', '0x00000008', '0', '5'],
  ]);

  // RFC 7296 2.6: demanded without a responder SPI, and returned in front of the same request. RFC 5723 4.3.2: so with tickets.
  const cookies = await rows(having(type.cookie));
  for (const exchange of ['34', '38']) {
    const [demand, answer] = cookies.filter((row) => row[3] === exchange);
    assert.deepEqual([demand?.[1], demand?.[4], demand?.[6], demand?.[7]], [none, '0x20', '0', '16390']);
    assert.deepEqual(
      [answer?.[0], answer?.[1], answer?.[4], answer?.[5]],
      [demand?.[0], none, '0x08', '0x00000000'],
    );
    assert.equal(answer?.[8]?.split(',')[0], demand?.[8]);
  }

  // RFC 5723 4.1, 4.3.1: asked for and given in IKE_AUTH; presented, without its lifetime, in IKE_SESSION_RESUME.
  const authentications = await rows('isakmp.exchangetype == 35 && isakmp.enc.decrypted', [
    'isakmp.flag_r',
    'isakmp.notify.msgtype',
  ]);
  const typesOf = (response: '0' | '1'): string[] =>
    authentications.flatMap(([flag, types]) => (flag === response ? types!.split(',') : []));
  assert.ok(typesOf('0').includes(String(type.ticketRequest)));
  assert.ok(typesOf('1').includes(String(type.ticketLtOpaque)));
  // RFC 6311 3.1: both ends can synchronise Message IDs.
  for (const flag of ['0', '1'] as const)
    assert.ok(typesOf(flag).includes(String(type.messageIdSyncSupported)));
  const resumptions = await rows('isakmp.exchangetype == 38', [
    'isakmp.flags',
    'isakmp.messageid',
    'isakmp.typepayload',
  ]);
  assert.ok(resumptions.every(([, id]) => id === '0x00000000'));
  const presented = await rows(`isakmp.exchangetype == 38 && ${having(type.ticketOpaque)}`);
  assert.ok(presented.length >= 1 && presented.every((row) => row[1] === none && row[4] === '0x08'));
}
