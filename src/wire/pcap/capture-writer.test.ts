// What our writer writes, our reader reads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { decodeUtf8, encodeUtf8 } from '../utf8.ts';
import { decodeCapture } from './capture-reader.ts';
import { CaptureWriter } from './capture-writer.ts';
import { LinkType } from './link-type.ts';
import { writtenPackets } from './testing/arbitraries.ts';

test('packets come back with time, octets, interface and comment', () => {
  const interfaces = [{}, { linkType: LinkType.ETHERNET, name: 'äußeres Netz' }];
  const packets = fc.array(fc.tuple(writtenPackets, fc.nat(1), fc.option(fc.string({ unit: 'grapheme' }))));
  fc.assert(
    fc.property(packets, (list) => {
      const writer = new CaptureWriter({ application: 'wayward', interfaces });
      const file = [...writer.start()];
      for (const [packet, interfaceId, comment] of list) {
        file.push(...writer.packet({ ...packet, interfaceId, ...(comment === null ? {} : { comment }) }));
      }
      const found = decodeCapture(Uint8Array.from(file));
      assert.equal(found.length, list.length);
      for (const [i, [packet, interfaceId, comment]] of list.entries()) {
        const { fileOffset, ...rest } = found[i]!;
        assert.ok(fileOffset > 0);
        assert.deepEqual(rest, {
          timestampNs: packet.timestampNs,
          linkType: interfaceId === 0 ? LinkType.RAW : LinkType.ETHERNET,
          octets: packet.octets,
          originalLength: packet.octets.length,
          interfaceId,
          ...(interfaceId === 0 ? {} : { interfaceName: 'äußeres Netz' }),
          ...(comment === null ? {} : { comment }),
        });
      }
    }),
  );
});

test('what does not fit is refused', () => {
  const writer = new CaptureWriter();
  const good = { timestampNs: 0n, octets: new Uint8Array(4) };
  const bad = [
    { interfaceId: 1 },
    { originalLength: 3 },
    { timestampNs: -1n },
    { timestampNs: 1n << 64n },
    { octets: new Uint8Array(400_000) },
    { comment: 'x'.repeat(65_536) },
  ];
  for (const fields of bad) assert.throws(() => writer.packet({ ...good, ...fields }), WireError);
});

test('UTF-8 is that of TextEncoder and TextDecoder', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.deepEqual(encodeUtf8(text), new TextEncoder().encode(text));
      assert.equal(decodeUtf8(encodeUtf8(text)), text);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array(), (octets) => {
      const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      let expected: string | undefined;
      try {
        expected = fatal.decode(octets);
      } catch {
        assert.ok(decodeUtf8(octets).includes('\ufffd'));
        return;
      }
      assert.equal(decodeUtf8(octets), expected);
    }),
  );
  assert.deepEqual(encodeUtf8('\ud800'), new TextEncoder().encode('\ufffd'));
});
