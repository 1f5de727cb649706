// What a damaged capture file still gives: everything but the records that the damage lies in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import type { CapturePacket } from './capture-packet.ts';
import { CaptureReader } from './capture-reader.ts';
import { CaptureWriter } from './capture-writer.ts';
import { captureFiles } from './testing/arbitraries.ts';
import * as captured from './testing/captured-files.ts';

function salvage(octets: Uint8Array, chunk = 1000): { packets: CapturePacket[]; reader: CaptureReader } {
  const reader = new CaptureReader({ salvage: true });
  const packets: CapturePacket[] = [];
  const drain = (): void => {
    for (let packet = reader.next(); packet !== undefined; packet = reader.next()) packets.push(packet);
  };
  for (let at = 0; at < octets.length; at += chunk) {
    reader.push(octets.subarray(at, at + chunk));
    drain();
  }
  reader.end();
  drain();
  return { packets, reader };
}

/** Twenty packets that each hold their number. */
function pcapng(): Uint8Array {
  const writer = new CaptureWriter();
  const parts = [writer.start()];
  for (let i = 0; i < 20; i++) {
    const octets = new Uint8Array(60).fill(i);
    parts.push(writer.packet({ timestampNs: 1_700_000_000_000_000_000n + BigInt(i), octets }));
  }
  return new Uint8Array(Buffer.concat(parts));
}

function pcap(): Uint8Array {
  const header = captured.microsecondEthernet.subarray(0, 24);
  const record = (i: number): Uint8Array => {
    const octets = new Uint8Array(76).fill(i, 16);
    const view = new DataView(octets.buffer);
    for (const [at, value] of [1_700_000_000 + i, i, 60, 60].entries()) view.setUint32(4 * at, value, true);
    return octets;
  };
  return new Uint8Array(Buffer.concat([header, ...Array.from({ length: 20 }, (_, i) => record(i))]));
}

const numbers = (packets: readonly CapturePacket[]): number[] => packets.map(({ octets }) => octets[30]!);

for (const [name, file, start, recordBytes] of [
  ['pcap', pcap(), 24, 76],
  ['pcapng', pcapng(), pcapng().length - 20 * 92, 92],
] as const) {
  test(`${name}: a file without damage gives what any reader gives, and no damage`, () => {
    const { packets, reader } = salvage(file);
    assert.deepEqual(numbers(packets), [...Array(20).keys()]);
    assert.equal(reader.damage, undefined);
  });

  test(`${name}: a length beyond all bounds costs its record alone`, () => {
    const damaged = file.slice();
    damaged.fill(0xff, start + 5 * recordBytes, start + 5 * recordBytes + 16);
    for (const chunk of [1, 50, 10_000]) {
      const { packets, reader } = salvage(damaged, chunk);
      assert.deepEqual(
        numbers(packets),
        [...Array(20).keys()].filter((i) => i !== 5),
      );
      assert.deepEqual([reader.damage?.places, reader.damage?.octets], [1, recordBytes]);
      assert.ok(reader.damage?.first instanceof WireError);
    }
  });

  test(`${name}: octets that do not belong there are passed over`, () => {
    const at = start + 9 * recordBytes;
    const noise = new Uint8Array(777).fill(0xa5);
    const { packets, reader } = salvage(
      new Uint8Array(Buffer.concat([file.subarray(0, at), noise, file.subarray(at)])),
    );
    assert.deepEqual(numbers(packets), [...Array(20).keys()]);
    assert.equal(reader.damage?.octets, 777);
  });

  test(`${name}: a record that the end of the file cuts is damage`, () => {
    const { packets, reader } = salvage(file.subarray(0, file.length - 3));
    assert.equal(packets.length, 19);
    assert.equal(reader.damage?.first.code, 'truncated');
    assert.equal(reader.damage?.octets, recordBytes - 3);
  });
}

test('a length that leads beyond the end of the file does not hide the records behind it', () => {
  const damaged = pcap();
  new DataView(damaged.buffer).setUint32(24 + 3 * 76 + 8, 200_000, true);
  assert.deepEqual(
    numbers(salvage(damaged).packets),
    [...Array(20).keys()].filter((i) => i !== 3),
  );
});

test('whatever a file holds behind its beginning, salvage ends, and each octet is read or lost', () => {
  fc.assert(
    fc.property(
      captureFiles,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
      fc.uint8Array({ maxLength: 300 }),
      ({ octets }, changes, tail) => {
        const damaged = new Uint8Array(Buffer.concat([octets, tail]));
        for (const [at, value] of changes) damaged[28 + (at % damaged.length)] = value;
        try {
          const { reader } = salvage(damaged, 64);
          assert.ok((reader.damage?.octets ?? 0) <= damaged.length);
        } catch (error) {
          assert.ok(error instanceof WireError, `${error}`);
        }
      },
    ),
  );
});

test('what is no capture at all is still refused', () => {
  assert.throws(() => salvage(new Uint8Array(100)), WireError);
  assert.throws(() => salvage(new Uint8Array()), WireError);
});
