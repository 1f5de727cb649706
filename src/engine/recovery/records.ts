// The stored records of this folder: sealed where the host has a record key, plain (and for root's eyes only) where not.
import { openRecord, type Randomness, sealRecord } from '#crypto';
import { bootEpochRecordKey, secretsRecordKey, spiHistoryKeyPrefix } from '#unknown-spi';
import { encodeUtf8 } from '#wire';

function isOurs(key: string): boolean {
  return key === bootEpochRecordKey || key === secretsRecordKey || key.startsWith(spiHistoryKeyPrefix);
}

/** The key that a record stands under is sealed with it, so that none can take the place of another. */
export function sealRecoveryRecord(
  randomness: Randomness,
  recordKey: Uint8Array | undefined,
  key: string,
  octets: Uint8Array,
): Uint8Array {
  return recordKey === undefined ? octets : sealRecord(randomness, recordKey, encodeUtf8(key), octets);
}

/** What a former process stored. A record that cannot be opened comes as no octets, to be refused and counted. */
export function openRecoveryRecords(
  recordKey: Uint8Array | undefined,
  stored: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, Uint8Array> {
  const opened = new Map<string, Uint8Array>();
  for (const [key, octets] of stored) {
    if (!isOurs(key)) continue;
    const plain = recordKey === undefined ? octets : openRecord(recordKey, encodeUtf8(key), octets);
    opened.set(key, plain ?? new Uint8Array(0));
  }
  return opened;
}
