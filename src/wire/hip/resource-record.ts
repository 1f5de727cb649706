// The RDATA of a HIP resource record: a host's HIT, its public key and its rendezvous servers (RFC 8005 5).
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { type Hit, hitBytes, hitFromBytes, hitLength } from './hit.ts';

/** The type of the record in DNS (RFC 8005 9). */
export const hipRecordType = 55;

/** RFC 1035 2.3.4 */
const labelLengthMax = 63;
const nameLengthMax = 255;

/** RFC 8005 5 */
export interface HipRecord {
  readonly hit: Hit;
  /** `HipRecordAlgorithm` */
  readonly algorithm: number;
  /** In the format of DNSKEY for the algorithm; an ECDSA key has no curve in front (RFC 8005 5.5). */
  readonly publicKey: Uint8Array;
  /** Domain names as lists of labels, best first. Labels are octets: DNS knows no character set. */
  readonly rendezvousServers: readonly (readonly Uint8Array[])[];
}

/** RFC 1035 3.3: labels up to an empty one, never compressed here (RFC 8005 5.6). */
function decodeName(reader: Reader): Uint8Array[] {
  const start = reader.offset;
  const labels: Uint8Array[] = [];
  for (;;) {
    const at = reader.offset;
    const length = reader.u8('HIP RR.rendezvous server');
    if (length > labelLengthMax) throw reader.failAt(at, 'value', 'HIP RR.rendezvous server', 'compressed');
    const label = reader.bytes(length, 'HIP RR.rendezvous server');
    if (reader.offset - start > nameLengthMax) throw reader.failAt(at, 'limit', 'HIP RR.rendezvous server');
    if (length === 0) return labels;
    labels.push(label);
  }
}

function encodeName(writer: Writer, labels: readonly Uint8Array[]): void {
  const start = writer.length;
  for (const label of labels) {
    if (label.length === 0 || label.length > labelLengthMax) {
      throw writer.fail('length', 'HIP RR.rendezvous server', `a label of ${label.length} octets`);
    }
    writer.u8(label.length, 'HIP RR.rendezvous server').bytes(label);
  }
  writer.u8(0, 'HIP RR.rendezvous server');
  if (writer.length - start > nameLengthMax) throw writer.fail('limit', 'HIP RR.rendezvous server');
}

export function decodeHipRecord(rdata: Uint8Array): HipRecord {
  const reader = new Reader(rdata);
  const hitLengthRead = reader.u8('HIP RR.HIT length');
  if (hitLengthRead !== hitLength) {
    throw reader.failAt(0, 'length', 'HIP RR.HIT length', `${hitLengthRead} octets`);
  }
  const algorithm = reader.u8('HIP RR.PK algorithm');
  const keyLength = reader.u16('HIP RR.PK length');
  const hit = hitFromBytes(reader.bytes(hitLength, 'HIP RR.HIT'));
  const publicKey = reader.bytes(keyLength, 'HIP RR.public key');
  const rendezvousServers: Uint8Array[][] = [];
  while (reader.remaining > 0) rendezvousServers.push(decodeName(reader));
  return { hit, algorithm, publicKey, rendezvousServers };
}

export function encodeHipRecord(record: HipRecord): Uint8Array {
  const writer = new Writer(512);
  writer.u8(hitLength, 'HIP RR.HIT length').u8(record.algorithm, 'HIP RR.PK algorithm');
  writer.u16(record.publicKey.length, 'HIP RR.PK length').bytes(hitBytes(record.hit)).bytes(record.publicKey);
  for (const name of record.rendezvousServers) encodeName(writer, name);
  return writer.finish();
}
