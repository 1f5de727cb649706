// TCP and UDP packets as large as kernels hand them over to be cut.
import fc from 'fast-check';
import { encodeIp, transportChecksum, writeU16, writeU32 } from '#wire';

export interface Large {
  readonly version: 4 | 6;
  readonly dataBytes: number;
  readonly gsoBytes: number;
  readonly optionBytes: number;
  readonly flags: number;
  readonly sequence: number;
  readonly identification: number;
  readonly trafficClass: number;
}

export const large: fc.Arbitrary<Large> = fc.record({
  version: fc.constantFrom<4 | 6>(4, 6),
  dataBytes: fc.oneof(fc.integer({ min: 1, max: 6000 }), fc.integer({ min: 1, max: 60_000 })),
  gsoBytes: fc.oneof(fc.integer({ min: 536, max: 1500 }), fc.constantFrom(1348, 1360, 1400)),
  optionBytes: fc.constantFrom(0, 4, 12, 40),
  flags: fc.constantFrom(0x10, 0x18),
  sequence: fc.oneof(fc.nat(), fc.constantFrom(0xffff_ff00, 0)),
  identification: fc.constantFrom(0, 7, 0xfffe),
  trafficClass: fc.constantFrom(0, 0xb8, 2),
});

const addresses = {
  4: [Uint8Array.of(10, 1, 0, 1), Uint8Array.of(10, 2, 0, 1)],
  6: [
    Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  ],
} as const;

function ip(
  shape: Pick<Large, 'version' | 'identification' | 'trafficClass'>,
  protocol: number,
  payload: Uint8Array,
): Uint8Array {
  const [source, destination] = addresses[shape.version];
  const common = {
    dscp: shape.trafficClass >>> 2,
    ecn: shape.trafficClass & 3,
    source,
    destination,
    protocol,
    payload,
  };
  if (shape.version === 6)
    return encodeIp({ ...common, version: 6, flowLabel: 0x12345, hopLimit: 64, extensions: [] });
  return encodeIp({
    ...common,
    version: 4,
    identification: shape.identification,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: 64,
    options: new Uint8Array(0),
  });
}

function fill(octets: Uint8Array, from: number): void {
  for (let i = from; i < octets.length; i++) octets[i] = Math.imul(i, 0x9e37_79b1) >>> 24;
}

export function tcpPacket(shape: Large): Uint8Array {
  const headerBytes = 20 + shape.optionBytes;
  const payload = new Uint8Array(headerBytes + shape.dataBytes);
  fill(payload, 20);
  writeU16(payload, 0, 5201);
  writeU16(payload, 2, 40_000);
  writeU32(payload, 4, shape.sequence);
  writeU32(payload, 8, 0x0102_0304);
  payload[12] = (headerBytes / 4) << 4;
  payload[13] = shape.flags;
  writeU16(payload, 14, 501);
  const [source, destination] = addresses[shape.version];
  writeU16(payload, 16, transportChecksum({ source, destination }, 6, payload));
  return ip(shape, 6, payload);
}

export function udpPacket(shape: Large): Uint8Array {
  const payload = new Uint8Array(8 + shape.dataBytes);
  fill(payload, 8);
  writeU16(payload, 0, 5201);
  writeU16(payload, 2, 40_000);
  writeU16(payload, 4, payload.length);
  const [source, destination] = addresses[shape.version];
  writeU16(payload, 6, transportChecksum({ source, destination }, 17, payload) || 0xffff);
  return ip(shape, 17, payload);
}
