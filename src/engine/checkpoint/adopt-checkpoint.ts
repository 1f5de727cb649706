// At the start: which IKE SAs of an earlier process can be gone on with, and what becomes of the others.
import { openRecord, wipe } from '#crypto';
import { adoptIkeSa, type IkeSaSnapshot, wipeIkeSaSnapshot } from '#ike';
import { encodeUtf8, type IkeSpi, unlessMalformed } from '#wire';
import type { EngineState } from '../engine-state.ts';
import { portsFor } from '../ike-sas/ike-sa-ports.ts';
import { entryIdentities, type IkeEntry, peerKey } from '../ike-sas/ike-sa-registry.ts';
import { newEntry } from '../ike-sas/new-entry.ts';
import type { CheckpointRefusal } from '../interface.ts';
import type { CheckpointOptions } from './checkpoint.ts';
import {
  type CheckpointedSa,
  type CheckpointIndex,
  checkpointIndexKey,
  checkpointSaKey,
  decodeCheckpointedSa,
  decodeCheckpointIndex,
  isCheckpointRecord,
} from './checkpoint-records.ts';

/** How far the clock may have been put back since. */
const clockStepMsMax = 60_000;

/**
 * Each IKE SA is taken over whole or not at all. None of them says anything, and none of its Child SAs carries anything, before
 * its new record is durable, and with that the old one consumed; only then is the host ready to answer for unknown SPIs, too.
 */
export function adoptCheckpoint(
  state: EngineState,
  stored: ReadonlyMap<string, Uint8Array>,
  recordKey: Uint8Array | undefined,
): void {
  const { checkpoint } = state;
  const found = [...stored].filter(([key, octets]) => isCheckpointRecord(key) && octets.length > 0);
  if (found.length === 0) return;
  // What is not taken over is of no use to anybody later on.
  for (const [key] of found) checkpoint.discard(key);
  const records = new Map(found);
  const opened = (key: string): Uint8Array | undefined => {
    const sealed = records.get(key);
    if (sealed === undefined || recordKey === undefined) return undefined;
    return openRecord(recordKey, encodeUtf8(key), sealed);
  };
  const index = readIndex(opened(checkpointIndexKey));
  const refusal = refusalOfAll(state, checkpoint.options, index);
  if (index === undefined || refusal !== undefined) {
    if (index === undefined || index.generations.size > 0) refuse(state, refusal ?? 'unreadable', {});
    return;
  }
  const adopted = adoptAll(state, readAll(state, index, opened));
  if (adopted.length === 0) return;
  state.ready = false;
  checkpoint.whenDurable(() => {
    state.ready = true;
    for (const { ikeId } of adopted) {
      const entry = state.registry.byId(ikeId);
      if (entry !== undefined) rekeyOnceKnown(state, entry);
    }
  });
}

/** Whatever the lifetimes say. A peer that may not know of the IKE SA yet has to hear of it from its predecessor first. */
export function rekeyOnceKnown(state: EngineState, entry: IkeEntry): void {
  entry.rekeysOnceKnown = entry.parent !== undefined;
  if (entry.rekeysOnceKnown) return;
  entry.sa.handle({ kind: 'command', at: state.at, command: { kind: 'rekey-everything' } });
  state.touch(entry);
}

/** Of the records that count, those that can be read, by our SPI. */
function readAll(
  state: EngineState,
  { generations }: CheckpointIndex,
  opened: (key: string) => Uint8Array | undefined,
): Map<IkeSpi, CheckpointedSa> {
  const read = new Map<IkeSpi, CheckpointedSa>();
  const wanted = [...generations];
  for (const [spi, generation] of wanted) {
    const sa = readOne(state, spi, generation, opened(checkpointSaKey(spi)));
    if (sa === undefined) continue;
    read.set(spi, sa);
    const { successor } = sa.snapshot;
    // The process died before the index followed. What replaced the IKE SA was written before that, for the first time.
    const ahead = sa.generation > generation;
    if (successor !== undefined && ahead && !generations.has(successor)) wanted.push([successor, 1]);
  }
  return read;
}

function adoptAll(state: EngineState, read: ReadonlyMap<IkeSpi, CheckpointedSa>): IkeEntry[] {
  const entries = new Map<IkeSpi, IkeEntry | undefined>();
  const adoptBySpi = (spi: IkeSpi): IkeEntry | undefined => {
    const sa = read.get(spi);
    if (sa === undefined || entries.has(spi)) return entries.get(spi);
    entries.set(spi, undefined);
    const { successor } = sa.snapshot;
    const heir = successor === undefined ? undefined : adoptBySpi(successor);
    // One that was replaced is there only to tell of what replaced it.
    if (successor === undefined || heir !== undefined) entries.set(spi, adoptOne(state, spi, sa, heir));
    return entries.get(spi);
  };
  for (const spi of read.keys()) adoptBySpi(spi);
  for (const { snapshot, tokens } of read.values()) {
    wipeIkeSaSnapshot(snapshot);
    wipe(...tokens);
  }
  return [...entries.values()].filter((entry) => entry !== undefined);
}

function readIndex(octets: Uint8Array | undefined): CheckpointIndex | undefined {
  return octets === undefined ? undefined : unlessMalformed(() => decodeCheckpointIndex(octets));
}

function refusalOfAll(
  state: EngineState,
  options: CheckpointOptions | undefined,
  index: CheckpointIndex | undefined,
): CheckpointRefusal | undefined {
  if (options === undefined) return 'disabled';
  if (index === undefined) return 'unreadable';
  if (index.place !== options.place) return 'another-place';
  if (index.bootId !== options.bootId && !(options.acrossBoot && index.acrossBoot)) return 'another-boot';
  const age = state.wallClockMs - index.writtenAtMs;
  return age > options.maxAgeMs || age < -clockStepMsMax ? 'stale' : undefined;
}

function refuse(
  state: EngineState,
  reason: CheckpointRefusal,
  what: { readonly spi?: IkeSpi; readonly connection?: string },
): undefined {
  state.event({ kind: 'checkpoint-refused', reason, ...what });
}

function readOne(
  state: EngineState,
  spi: IkeSpi,
  generation: number,
  octets: Uint8Array | undefined,
): CheckpointedSa | undefined {
  const sa = octets === undefined ? undefined : unlessMalformed(() => decodeCheckpointedSa(octets));
  wipe(octets);
  if (sa === undefined) return refuse(state, 'unreadable', { spi });
  const { connection, spis, role } = sa.snapshot;
  // A record of before: what it lacks has been sent.
  const superseded = sa.generation < generation;
  if (!superseded && spis[role] === spi) return sa;
  wipeIkeSaSnapshot(sa.snapshot);
  wipe(...sa.tokens);
  return superseded ? refuse(state, 'superseded', { spi, connection }) : refuse(state, 'unreadable', { spi });
}

function adoptOne(
  state: EngineState,
  spi: IkeSpi,
  sa: CheckpointedSa,
  heir: IkeEntry | undefined,
): IkeEntry | undefined {
  const { snapshot } = sa;
  const { connection } = snapshot;
  const reason = refusalOfOne(state, snapshot);
  if (reason !== undefined) return refuse(state, reason, { spi, connection });
  if (!reserve(state, snapshot)) return refuse(state, 'conflict', { spi, connection });
  const entry = adopt(state, sa, heir);
  state.checkpoint.adopted(entry, sa.generation);
  return entry;
}

function refusalOfOne(state: EngineState, snapshot: IkeSaSnapshot): CheckpointRefusal | undefined {
  const { expiresAtMs, reauthAtMs } = snapshot;
  const now = state.wallClockMs;
  if ((expiresAtMs !== undefined && expiresAtMs <= now) || (reauthAtMs !== undefined && reauthAtMs <= now)) {
    return 'expired';
  }
  const configured = state.connections.named(snapshot.connection);
  const known = snapshot.children.every((child) =>
    configured?.children.some(({ name, mode }) => name === child.name && mode === child.mode),
  );
  return configured !== undefined && known ? undefined : 'not-configured';
}

/** SPIs, numbers and addresses that the IKE SA holds; false if somebody else has one of them. */
function reserve(state: EngineState, snapshot: IkeSaSnapshot): boolean {
  const spis = snapshot.children.map(({ inboundSpi }) => inboundSpi);
  const childIds = new Set(snapshot.children.map(({ childId }) => childId));
  if (new Set(spis).size < spis.length || spis.some((spi) => state.spis.isTaken(spi))) return false;
  if ([...childIds].some((childId) => state.registry.byChild(childId) !== undefined)) return false;
  const configured = state.connections.named(snapshot.connection);
  const wanted = snapshot.lease?.addresses ?? [];
  if (wanted.length > 0) {
    const owner = peerKey(snapshot.remoteIdentity, snapshot.remoteEapIdentity);
    const given = state.pools.lease(configured?.pools ?? [], owner, wanted)?.addresses ?? [];
    if (given.join() !== wanted.join()) {
      state.pools.release(given);
      return false;
    }
  }
  for (const spi of spis) state.spis.reserve(spi);
  return true;
}

/** @param heir what replaced it */
function adopt(
  state: EngineState,
  { snapshot, nameServers, tokenGiven, tokens }: CheckpointedSa,
  heir: IkeEntry | undefined,
): IkeEntry {
  const connection = state.connections.named(snapshot.connection);
  if (connection === undefined) throw new Error('the connection was looked up before');
  const ikeId = state.registry.nextIkeId();
  const line = heir?.line ?? { ikeId };
  const sa = adoptIkeSa({
    snapshot,
    connection,
    ports: portsFor(state, line),
    at: state.at,
    natTraversal: { localPort: state.configuration.ports.natTraversal, remotePort: 4500 },
    keyLog: state.keyLog,
    received: (spi) => state.checkpoint.options?.received?.get(spi),
    ...(heir !== undefined && { successor: heir.sa }),
  });
  const { localIdentity, remoteIdentity, remoteEapIdentity, nat } = snapshot;
  const entry = newEntry(state, { ikeId, line, sa, initiator: snapshot.role === 'initiator' });
  state.registry.identify(entry, entryIdentities(localIdentity, remoteIdentity, remoteEapIdentity));
  for (const { name } of sa.children) state.registry.lead(entry, name);
  entry.establishedAt = sa.establishedAt;
  entry.behindNat = nat.local;
  entry.natDetected = nat.local || nat.remote;
  entry.virtualAddresses = snapshot.virtualAddresses;
  entry.nameServers = nameServers;
  entry.peerVirtualAddresses = snapshot.peerVirtualAddresses;
  if (nat.local && state.configuration.natKeepaliveMs > 0) {
    state.deadlines.set(`keepalive ${ikeId}`, state.at + state.configuration.natKeepaliveMs);
  }
  for (const { childId } of snapshot.children) state.adoptChildId(childId, ikeId);
  const { initiatorSpi, responderSpi } = sa;
  if (tokenGiven) state.recovery.given.add(`${initiatorSpi} ${responderSpi}`);
  if (tokens.length > 0) state.recovery.heldBy(ikeId).adopt(tokens);
  if (heir === undefined) report(state, entry);
  else {
    heir.parent = entry;
    entry.offspring.push(heir);
  }
  state.touch(entry);
  return entry;
}

function report(state: EngineState, entry: IkeEntry): void {
  const { sa } = entry;
  const context = state.contextOf(entry);
  state.event({ kind: 'checkpoint-adopted', context, children: sa.children.length });
  for (const child of sa.children) {
    childGoesOn(state, entry, child.inboundSpi);
    const configuration = sa.connection.children.find(({ name }) => name === child.name);
    if (child.phase === 'installed' && configuration !== undefined) {
      state.event({ kind: 'child-up', context, child, configuration });
    }
  }
}

/** The history took it for one that our restart ended. */
function childGoesOn(state: EngineState, entry: IkeEntry, spi: number): void {
  const { history } = state.recovery;
  const known = history.find(spi);
  if (known === undefined || entry.identities === undefined) return;
  const { ended: _, ...record } = known;
  const { initiatorSpi, responderSpi, remote } = entry.sa;
  const write = history.add({
    ...record,
    initiatorSpi,
    responderSpi,
    peer: remote.address,
    peerPort: remote.port,
    localIdentity: entry.identities.localText,
    remoteIdentity: entry.identities.remoteUserText ?? entry.identities.remoteText,
  });
  state.keepRecord(write.key, write.octets);
}
