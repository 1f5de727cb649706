// What a checkpoint is on disk: one record for each IKE SA, and an index that says which of them count.
//
// The index lives in a record of its own, so that the old self of one record, put back by whatever accident, is known to be
// old: it says for each IKE SA which generation was the last to be written. A record may be newer than the index says, since a
// crash may come between the two; it is never older.
import { decodeIkeSaSnapshot, encodeIkeSaSnapshot, type IkeSaSnapshot } from '#ike';
import { addressBytes, addressFromBytes, type IpAddress } from '#sa';
import {
  decodeUtf8,
  encodeUtf8,
  type IkeSpi,
  ikeSpiBytes,
  ikeSpiFromBytes,
  Reader,
  WireError,
  Writer,
} from '#wire';

export const checkpointIndexKey = 'checkpoint-index';
const saPrefix = 'checkpoint-sa/';

/** @param spi ours: never used again for another IKE SA */
export function checkpointSaKey(spi: IkeSpi): string {
  return saPrefix + spi;
}

/** Whether a record belongs to checkpoints. */
export function isCheckpointRecord(key: string): boolean {
  return key === checkpointIndexKey || key.startsWith(saPrefix);
}

export interface CheckpointIndex {
  /** Of the boot in which it was written. */
  readonly bootId: string;
  /** Whether all of it was flushed to the disk: otherwise what another boot finds may be older than what was sent. */
  readonly acrossBoot: boolean;
  /** Of the place where it was written. */
  readonly place: string;
  /** Wall clock. */
  readonly writtenAtMs: number;
  /** The newest generation of each record, by our SPI. */
  readonly generations: ReadonlyMap<IkeSpi, number>;
}

export interface CheckpointedSa {
  readonly generation: number;
  /** What the host remembers beside the IKE SA. */
  readonly nameServers: readonly IpAddress[];
  /** We gave the peer a token for it (RFC 6290). */
  readonly tokenGiven: boolean;
  /** The peer's tokens for it. */
  readonly tokens: readonly Uint8Array[];
  readonly snapshot: IkeSaSnapshot;
}

const formatVersion = 1;

export function encodeCheckpointIndex(index: CheckpointIndex): Uint8Array {
  const writer = new Writer().u8(formatVersion, 'version');
  for (const text of [index.bootId, index.place]) {
    const octets = encodeUtf8(text);
    writer.u16(octets.length, 'text.length').bytes(octets);
  }
  writer.u8(index.acrossBoot ? 1 : 0, 'acrossBoot');
  writer.u64(BigInt(Math.max(0, Math.round(index.writtenAtMs))), 'time');
  writer.u32(index.generations.size, 'count');
  for (const [spi, generation] of index.generations) {
    writer.bytes(ikeSpiBytes(spi)).u32(generation, 'generation');
  }
  return writer.finish();
}

/** @throws WireError whatever the octets are */
export function decodeCheckpointIndex(octets: Uint8Array): CheckpointIndex {
  const reader = new Reader(octets);
  if (reader.u8('version') !== formatVersion) throw new WireError('version', 0, 'version');
  const text = (): string => {
    const { offset } = reader;
    const value = decodeUtf8(reader.bytes(reader.u16('text.length'), 'text'));
    if (value === undefined) throw reader.failAt(offset, 'value', 'text');
    return value;
  };
  const bootId = text();
  const place = text();
  const acrossBoot = reader.u8('acrossBoot') === 1;
  const writtenAtMs = Number(reader.u64('time'));
  const count = reader.u32('count');
  const generations = new Map<IkeSpi, number>();
  for (let i = 0; i < count; i++) {
    generations.set(ikeSpiFromBytes(reader.bytes(8, 'SPI')), reader.u32('generation'));
  }
  reader.end('index');
  return { bootId, acrossBoot, place, writtenAtMs, generations };
}

export function encodeCheckpointedSa(sa: CheckpointedSa): Uint8Array {
  const writer = new Writer(4096).u8(formatVersion, 'version').u32(sa.generation, 'generation');
  writer.u8(sa.nameServers.length, 'count');
  for (const address of sa.nameServers) {
    const octets = addressBytes(address);
    writer.u8(octets.length, 'address.length').bytes(octets);
  }
  writer.u8(sa.tokenGiven ? 1 : 0, 'token.given').u8(sa.tokens.length, 'count');
  for (const token of sa.tokens) writer.u8(token.length, 'token.length').bytes(token);
  const snapshot = encodeIkeSaSnapshot(sa.snapshot);
  writer.bytes(snapshot);
  snapshot.fill(0);
  return writer.finish();
}

/** @throws WireError whatever the octets are */
export function decodeCheckpointedSa(octets: Uint8Array): CheckpointedSa {
  const reader = new Reader(octets);
  if (reader.u8('version') !== formatVersion) throw new WireError('version', 0, 'version');
  const generation = reader.u32('generation');
  const nameServers = Array.from({ length: reader.u8('count') }, () => readAddress(reader));
  const tokenGiven = reader.u8('token.given') === 1;
  const tokens = Array.from({ length: reader.u8('count') }, () =>
    reader.bytes(reader.u8('token.length'), 'token').slice(),
  );
  return { generation, nameServers, tokenGiven, tokens, snapshot: decodeIkeSaSnapshot(reader.rest()) };
}

function readAddress(reader: Reader): IpAddress {
  const { offset } = reader;
  const octets = reader.bytes(reader.u8('address.length'), 'address');
  if (octets.length !== 4 && octets.length !== 16) throw reader.failAt(offset, 'length', 'address');
  return addressFromBytes(octets);
}
