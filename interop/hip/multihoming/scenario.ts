// An association with two addresses on either side outlives the loss of either link (RFC 8047 4.2.3).
import assert from 'node:assert/strict';
import { readWithKeys } from '../../harness/capture.ts';
import { ping } from '../../harness/traffic.ts';
import { assertShort, outageOf } from '../outage.ts';
import { type Link, type MultihomedNetwork, MultihomingStage } from './multihoming-stage.ts';

/** failover_time of half a second, the data plane's reports of 200 ms, and the UPDATE that is not answered. */
export const outageMsMax = 1_500;

export async function playMultihoming(
  network: MultihomedNetwork,
): Promise<{ readonly stage: MultihomingStage; play(): Promise<void> }> {
  const stage = await MultihomingStage.prepare(network);
  return { stage, play: () => play(stage) };
}

async function play(stage: MultihomingStage): Promise<void> {
  const { left, right } = stage;
  await Promise.all(stage.hosts.map((host) => host.start()));
  await ping(stage.path(left));
  await stage.verified();
  const before = await left.association();
  const pings = stage.keepPinging(left);
  await pings.answers(10);

  const measure = async (what: string, act: () => Promise<void>, to: Link): Promise<void> => {
    await act();
    const outage = await outageOf(pings);
    stage.notes.push(`${what}: ${outage.ms} ms`);
    assertShort(what, outage, outageMsMax);
    await stage.on(to);
  };
  await measure('the first link is cut', () => stage.cut(0), 1);
  await stage.mend(0);
  await stage.verified();
  await measure('the second link is cut', () => stage.cut(1), 0);
  await stage.mend(1);
  await stage.verified();
  await measure('the first device of one host goes down', () => stage.device(right, 0, 'down'), 1);
  await stage.device(right, 0, 'up');
  await stage.verified();
  await pings.answers(10);

  const after = await left.association();
  assert.deepEqual(
    [after?.inboundSpi, after?.outboundSpi],
    [before?.inboundSpi, before?.outboundSpi],
    'the SAs are the same',
  );
  await Promise.all(stage.captures.map((capture) => capture.stop()));
  await readCaptures(stage);
}

const notQuoted = 'hip && !icmp && !icmpv6';

/** What tshark, whose dissector we did not write, reads in what went over the links. */
async function readCaptures(stage: MultihomingStage): Promise<void> {
  const read = async (filter: string, ...fields: string[]): Promise<readonly (readonly string[])[]> => {
    const both = await Promise.all(
      [0, 1].map((link) =>
        readWithKeys(`${stage.folder}/link${link}.pcap`, undefined, `${notQuoted} && ${filter}`, fields),
      ),
    );
    return both.flat();
  };
  const wrong = await read(
    '(_ws.malformed || hip.checksum.status == 0)',
    'frame.number',
    'hip.packet_type',
    '_ws.malformed',
  );
  assert.deepEqual(wrong, []);
  const mapped = (address: string): string => (address.includes(':') ? address : `::ffff:${address}`);
  const addressesOf = (host: MultihomingStage['left']): string =>
    ([0, 1] as const).map((link) => mapped(stage.address(host, link))).join(',');
  // LOCATOR_SET in I2 and R2, with the addresses in order, in both traffic types, with an SPI, for an hour; none in R1.
  const { left, right } = stage;
  const fields = [
    'hip.tlv.locator_address',
    'hip.tlv.locator_traffic_type',
    'hip.tlv.locator_type',
    'hip.tlv.locator_reserved',
    'hip.tlv.locator_lifetime',
  ];
  const hour = '3600,3600';
  for (const [type, host] of [
    [3, left],
    [4, right],
  ] as const) {
    const [first] = await read(`hip.packet_type == ${type} && hip.type == 193`, ...fields);
    const [found = '', ...rest] = first ?? [];
    // It shows an address twice that is IPv4 in IPv6.
    assert.equal([...new Set(found.split(','))].join(), addressesOf(host));
    assert.deepEqual(rest, ['0,0', '1,1', '0x01,0x00', hour]);
  }
  assert.deepEqual(await read('hip.packet_type == 2 && hip.type == 193', 'frame.number'), []);
  // Each failover is told by UPDATE with ESP_INFO and LOCATOR_SET, the other address first in line.
  const told = await read('hip.packet_type == 16 && hip.type == 193', 'hip.type', 'hip.tlv.locator_reserved');
  assert.ok(told.length >= 3, `${told.length} UPDATE packets have a LOCATOR_SET`);
  assert.ok(told.every(([types]) => types?.startsWith('65,193,385')));
  assert.ok(told.some(([, preferred]) => preferred === '0x00,0x01'));
}
