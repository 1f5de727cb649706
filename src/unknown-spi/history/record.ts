// One entry of the SPI history as octets for a store, and back. The reader is total: what is torn or garbled is refused.
import { digest } from '#crypto';
import { type IpAddress, isNegotiableSpi, parseAddress, type Spi } from '#sa';
import {
  decodeUtf8,
  encodeUtf8,
  type IkeSpi,
  ikeSpiBytes,
  ikeSpiFromBytes,
  Reader,
  unlessMalformed,
  Writer,
} from '#wire';

/** How the SA that an SPI named came to its end. */
export type SpiEnd =
  | 'deleted-by-us'
  | 'deleted-by-peer'
  | 'rekeyed'
  | 'expired'
  /** The peer did not answer any more. */
  | 'no-answer'
  /** The peer proved with a token that it had forgotten the IKE SA. */
  | 'peer-forgot'
  | 'failed'
  /** We restarted without taking leave: found out when the record was loaded. */
  | 'our-restart';

const ends: readonly SpiEnd[] = [
  'deleted-by-us',
  'deleted-by-peer',
  'rekeyed',
  'expired',
  'no-answer',
  'peer-forgot',
  'failed',
  'our-restart',
];

/** One inbound SPI of ours, its owner and its fate. Times are wall-clock milliseconds: they outlive a boot. */
export interface SpiRecord {
  readonly spi: Spi;
  readonly protocol: 'esp' | 'ah';
  readonly keying: 'ike' | 'hip';
  readonly peer: IpAddress;
  readonly peerPort: number;
  readonly localIdentity: string;
  readonly remoteIdentity: string;
  /** Zero for HIP. */
  readonly initiatorSpi: IkeSpi;
  readonly responderSpi: IkeSpi;
  readonly connection: string;
  readonly child: string;
  readonly quickCrashDetection: boolean;
  readonly createdAtMs: number;
  readonly ended?: { readonly atMs: number; readonly why: SpiEnd };
}

const version = 1;
const checksumBytes = 8;
/** Identities and names longer than this are cut: they are for people. */
const textBytesMax = 255;

/** The octets of a record, with a checksum over them. */
export function encodeSpiRecord(record: SpiRecord): Uint8Array {
  const writer = new Writer(256);
  writer.u8(version, 'version').u32(record.spi, 'spi');
  writer.u8(record.protocol === 'ah' ? 1 : 0, 'protocol').u8(record.keying === 'hip' ? 1 : 0, 'keying');
  writer.u8(record.quickCrashDetection ? 1 : 0, 'quickCrashDetection');
  writer.bytes(ikeSpiBytes(record.initiatorSpi)).bytes(ikeSpiBytes(record.responderSpi));
  writer.u16(record.peerPort, 'peerPort');
  writer.u64(timeField(record.createdAtMs), 'createdAtMs');
  writer.u8(record.ended === undefined ? 0 : 1 + ends.indexOf(record.ended.why), 'ended.why');
  writer.u64(timeField(record.ended?.atMs ?? 0), 'ended.atMs');
  for (const text of [
    record.peer,
    record.localIdentity,
    record.remoteIdentity,
    record.connection,
    record.child,
  ]) {
    const octets = cutText(text);
    writer.u8(octets.length, 'text.length').bytes(octets);
  }
  const body = writer.finish();
  return writer.bytes(digest('sha256', body).subarray(0, checksumBytes)).finish();
}

/** The record, or `undefined` if a single octet is not as `encodeSpiRecord` wrote it. */
export function decodeSpiRecord(octets: Uint8Array): SpiRecord | undefined {
  return unlessMalformed(() => read(octets));
}

function read(octets: Uint8Array): SpiRecord | undefined {
  if (octets.length < checksumBytes) return undefined;
  const body = octets.subarray(0, octets.length - checksumBytes);
  const sum = digest('sha256', body).subarray(0, checksumBytes);
  if (octets.subarray(body.length).some((octet, i) => octet !== sum[i])) return undefined;
  const reader = new Reader(body);
  if (reader.u8('version') !== version) return undefined;
  const spi = reader.u32('spi');
  const protocol = reader.u8('protocol') === 1 ? 'ah' : 'esp';
  const keying = reader.u8('keying') === 1 ? 'hip' : 'ike';
  const quickCrashDetection = reader.u8('quickCrashDetection') === 1;
  const initiatorSpi = ikeSpiFromBytes(reader.bytes(8, 'initiatorSpi'));
  const responderSpi = ikeSpiFromBytes(reader.bytes(8, 'responderSpi'));
  const peerPort = reader.u16('peerPort');
  const createdAtMs = Number(reader.u64('createdAtMs'));
  const end = reader.u8('ended.why');
  const endedAtMs = Number(reader.u64('ended.atMs'));
  const text = (): string => decodeUtf8(reader.bytes(reader.u8('text.length'), 'text'));
  const peer = parseAddress(text());
  const [localIdentity, remoteIdentity, connection, child] = [text(), text(), text(), text()];
  reader.end('record');
  const why = ends[end - 1];
  if (!isNegotiableSpi(spi) || peer === undefined || (end !== 0 && why === undefined)) return undefined;
  return {
    spi,
    protocol,
    keying,
    peer,
    peerPort,
    localIdentity,
    remoteIdentity,
    initiatorSpi,
    responderSpi,
    connection,
    child,
    quickCrashDetection,
    createdAtMs,
    ...(why === undefined ? {} : { ended: { atMs: endedAtMs, why } }),
  };
}

/** Cut at a character's border. */
function cutText(text: string): Uint8Array {
  const octets = encodeUtf8(text);
  if (octets.length <= textBytesMax) return octets;
  let end = textBytesMax;
  while ((octets[end]! & 0xc0) === 0x80) end--;
  return octets.subarray(0, end);
}

/** Clocks are set by people, and may not be set at all. */
function timeField(ms: number): bigint {
  return BigInt(Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.floor(ms))));
}
