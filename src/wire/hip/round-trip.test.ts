// Properties of the whole codec: what is written is read back, and no octets do harm.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { assertRefusesEveryPrefix, assertTotal, decodes } from '../testing/total-decoding.ts';
import {
  appendHipParameters,
  decodeHipHeader,
  decodeHipPacket,
  decodeHipParameters,
  decodeHipRecord,
  encodeHipPacket,
  encodeHipParameters,
  encodeHipRecord,
  hipMac2Octets,
  hipMacOctets,
  hipParameterOctets,
  hipParameterTypeOf,
  hipSignature2Octets,
  hipSignatureOctets,
  writeHipChecksum,
} from './index.ts';
import { hipHeader, hit, parameterList, parameters } from './testing/arbitraries.ts';

describe('a parameter of every type', () => {
  for (const [name, arbitrary] of Object.entries(parameters)) {
    // RFC 7401 5.2.1, RFC 8002 2, RFC 8003 4.2, 4.3, 4.4, 4.5, RFC 8004 4.2.1, 4.2.2, 4.2.3, RFC 9028 5.4, 5.5
    test(`${name} is read back as it was written, in a whole number of eight octets`, () => {
      fc.assert(
        fc.property(arbitrary, (parameter) => {
          const octets = encodeHipParameters([parameter]);
          assert.equal(octets.length % 8, 0);
          // Total Length = 11 + Length - (Length + 3) % 8
          const length = octets[2]! * 256 + octets[3]!;
          assert.equal(octets.length, 11 + length - ((length + 3) % 8));
          assert.deepEqual(decodeHipParameters(octets), [parameter]);
        }),
      );
    });

    test(`${name} cut short anywhere is refused`, () => {
      fc.assert(
        fc.property(hipHeader, arbitrary, (header, parameter) => {
          assertRefusesEveryPrefix(decodeHipPacket, encodeHipPacket({ header, parameters: [parameter] }));
        }),
        { numRuns: 10 },
      );
    });

    test(`${name} with any 16-bit field replaced is refused or read, and what is read can be written`, () => {
      fc.assert(
        fc.property(arbitrary, fc.constantFrom(0, 1, 3, 4, 7, 8, 0x7fff, 0xffff), (parameter, lie) => {
          const octets = encodeHipParameters([parameter]);
          for (let at = 0; at + 2 <= octets.length; at++) {
            const lying = octets.slice();
            new DataView(lying.buffer).setUint16(at, lie);
            if (!decodes(decodeHipParameters, lying)) continue;
            const read = decodeHipParameters(lying);
            assert.deepEqual(decodeHipParameters(encodeHipParameters(read)), read);
          }
        }),
        { numRuns: 10 },
      );
    });
  }
});

describe('whole packets', () => {
  const packet = fc.tuple(hipHeader, parameterList);
  const addresses = fc.constantFrom(4, 16).chain((length) =>
    fc.record({
      source: fc.uint8Array({ minLength: length, maxLength: length }),
      destination: fc.uint8Array({ minLength: length, maxLength: length }),
    }),
  );

  // RFC 7401 5.1, 5.2
  test('any packet is read back as it was written, its parameters in the order of their types', () => {
    fc.assert(
      fc.property(packet, ([header, list]) => {
        const octets = encodeHipPacket({ header, parameters: list });
        const read = decodeHipPacket(octets);
        const ordered = list.toSorted((a, b) => hipParameterTypeOf(a) - hipParameterTypeOf(b));
        assert.deepEqual({ ...read }, { header, parameters: ordered, octets });
      }),
      { numRuns: 500 },
    );
  });

  // RFC 7401 5.1.1
  test('over IP a changed octet of packet or addresses is found by the checksum', () => {
    fc.assert(
      fc.property(
        packet,
        addresses,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        ([header, list], pair, at, change) => {
          const octets = encodeHipPacket({ header, parameters: list });
          writeHipChecksum(octets, pair);
          assert.deepEqual(decodeHipPacket(octets, pair).header, header);
          // Not the length, of which a fault is found earlier.
          const place = at % octets.length;
          if (place === 1) return;
          octets[place] = octets[place]! ^ change;
          assert.throws(
            () => decodeHipPacket(octets, pair),
            (error) => error instanceof WireError && error.code === 'checksum' && error.offset === 4,
          );
          octets[place] = octets[place]! ^ change;
          pair.source[at % pair.source.length]! ^= change;
          assert.throws(() => decodeHipPacket(octets, pair), WireError);
        },
      ),
    );
  });

  test('arbitrary and mutated octets are refused by WireError alone', () => {
    const valid = packet.map(([header, list]) => encodeHipPacket({ header, parameters: list }));
    assertTotal(decodeHipPacket, valid, 1000);
    assertTotal(decodeHipHeader, valid);
    assertTotal(decodeHipParameters, parameterList.map(encodeHipParameters), 1000);
    for (const covered of [
      (octets: Uint8Array) => hipMacOctets(octets, 'HIP_MAC'),
      (octets: Uint8Array) => hipMac2Octets(octets, new Uint8Array(8)),
      hipSignatureOctets,
      hipSignature2Octets,
      (octets: Uint8Array) => hipParameterOctets(octets, 'HOST_ID'),
      (octets: Uint8Array) => appendHipParameters(octets, []),
    ]) {
      assertTotal(covered, valid);
    }
  });
});

describe('resource records', () => {
  const name = fc.array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 3 });
  const resourceRecord = fc
    .tuple(hit, fc.nat(255), fc.uint8Array({ maxLength: 80 }), fc.array(name, { maxLength: 3 }))
    .map(([tag, algorithm, publicKey, rendezvousServers]) => ({
      hit: tag,
      algorithm,
      publicKey,
      rendezvousServers,
    }));

  // RFC 8005 5
  test('any record is read back as it was written', () => {
    fc.assert(
      fc.property(resourceRecord, (record) => {
        const rdata = encodeHipRecord(record);
        assert.deepEqual(decodeHipRecord(rdata), record);
      }),
    );
    assertTotal(decodeHipRecord, resourceRecord.map(encodeHipRecord));
  });
});
