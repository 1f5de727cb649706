// The first input after a start: what was stored is read, what must be stored is, and whom we forgot is called.
import {
  bootEpochRecordKey,
  CrashDetectionSecrets,
  nextBootEpoch,
  SpiHistory,
  secretsRecordKey,
} from '#unknown-spi';
import type { EngineState } from '../engine-state.ts';
import { callForgottenHosts } from '../hip/hip-recovery.ts';
import { recordsFollow } from './keep-history.ts';
import { policyFor } from './recovery-state.ts';
import { callForgotten } from './reestablish.ts';

/** Before anything else is handled, the time of day known if it came first. */
export function loadRecovery(state: EngineState, sealed: ReadonlyMap<string, Uint8Array>): void {
  const { recovery } = state;
  const stored = state.openRecords(sealed);
  const { epoch, record } = nextBootEpoch(stored.get(bootEpochRecordKey));
  recovery.boot = { epoch, startedAt: state.at };
  state.keepRecord(bootEpochRecordKey, record);

  const kept = stored.get(secretsRecordKey);
  const secrets = kept === undefined ? undefined : CrashDetectionSecrets.fromRecord(kept);
  if (secrets === undefined) {
    // The first start, or a record that is torn: old tokens can no longer be made, new ones wait for the disk.
    state.keepRecord(secretsRecordKey, recovery.secrets.record(), () => {
      recovery.secretsDurable = true;
      giveLateTokens(state);
    });
  } else {
    recovery.secrets.destroy();
    recovery.secrets = secrets;
    recovery.secretsDurable = true;
  }

  const loaded = SpiHistory.load(state.unknownSpi.historySize, stored, state.wallClockMs);
  recovery.history = loaded.history;
  for (const { key, octets } of loaded.writes) state.keepRecord(key, octets);
  state.event({
    kind: 'started',
    bootEpoch: epoch,
    historyRecords: loaded.history.count,
    historyRefused: loaded.refused,
    secretsLost: kept !== undefined && secrets === undefined,
  });
}

/** Rung 2: SAs that stood when we went down are made anew, each peer once. */
export function callForgottenPeers(state: EngineState): void {
  for (const connection of state.configuration.connections) {
    if (!policyFor(state.unknownSpi, connection).reestablish) continue;
    callForgotten(state, connection.name, 'restart');
  }
  callForgottenHosts(state);
}

/** IKE SAs that stood before their tokens could be given get them now (RFC 6290 4.4). */
function giveLateTokens(state: EngineState): void {
  for (const entry of state.registry.all()) {
    if (entry.sa.phase !== 'established') continue;
    const { initiatorSpi, responderSpi } = entry.sa;
    const notifies = state.tokenNotifies(entry.sa.connection, { initiatorSpi, responderSpi });
    if (notifies.length > 0) recordsFollow(state, entry);
    for (const notify of notifies) {
      entry.sa.handle({ kind: 'command', at: state.at, command: { kind: 'send-notify', notify } });
      state.touch(entry);
    }
  }
}
