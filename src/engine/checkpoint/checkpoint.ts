// The checkpoint of a running host: nothing of an IKE SA leaves before the state it leaves behind is durable.
//
// Why no nonce repeats, however the process ends. An IV or a sequence number is used only below a bound that stands in a durable
// record, and whoever goes on from a record begins at its bound: IKE messages are held until the counter behind theirs is stored
// (RFC 5282 3.1), and Child SAs get numbers only up to a stored limit (RFC 4106 3.1). A Child SA that no record knows yet needs
// no bound, since nobody can go on with it. And only one process goes on from a record: it writes the record anew, with bounds of
// its own, and says nothing before that is durable.
import { digest, type Randomness, sealRecord, wipe } from '#crypto';
import { type IkeSaOutput, type IkeSaSnapshot, wipeIkeSaSnapshot } from '#ike';
import type { SequenceNumber } from '#sa';
import { encodeUtf8, type IkeSpi } from '#wire';
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';
import {
  checkpointIndexKey,
  checkpointSaKey,
  encodeCheckpointedSa,
  encodeCheckpointIndex,
} from './checkpoint-records.ts';

/** For a host that goes on with its IKE SAs after a restart. */
export interface CheckpointOptions {
  /** Which boot of the machine this is. */
  readonly bootId: string;
  /** Where the records are, and whose SAs: a copy of them somewhere else must have another place. */
  readonly place: string;
  /** Go on also after the machine itself has started again. */
  readonly acrossBoot: boolean;
  /** A checkpoint that was last confirmed longer ago is of no use: the peers have given up by then. */
  readonly maxAgeMs: number;
  /**
   * What the process before had received in this boot, by the SPI of the inbound SA of ESP: at least the highest number whose
   * packet anybody has seen. Without it everything that was reserved counts as received.
   */
  readonly received?: ReadonlyMap<number, SequenceNumber>;
}

type Held = Extract<IkeSaOutput, { readonly kind: 'transmit' | 'sa-command' }>;

interface Slot {
  /** Of the last state that was given to the disk: without the generation, which changes each time. `undefined`: none is kept. */
  readonly fingerprint: string | undefined;
  /** Rises as long as the IKE SA lives, also over times when no record is kept: an old record never looks like a new one. */
  readonly generation: number;
}

/** The index is confirmed so often within the greatest age of a checkpoint. */
const confirmationsPerAge = 4;
const confirmationMsMin = 1_000;
/** While a disk hangs, peers repeat what they say, and anybody can repeat what they said. IKE messages may get lost. */
const waitingMax = 1_024;

export class Checkpoint {
  readonly #randomness: Randomness;
  readonly #recordKey: Uint8Array | undefined;
  readonly options: CheckpointOptions | undefined;
  readonly #slots = new Map<IkeSpi, Slot>();
  /** IKE SAs that were given something in this input, and what they said. */
  readonly #touched = new Map<IkeEntry, Held[]>();
  /** Records for the next round; `undefined`: removed. Sealed when the round begins. */
  readonly #dirty = new Map<string, Uint8Array | undefined>();
  #indexDirty = false;
  /** One round of writes at a time: no record is ever being written twice at once. */
  #writing = false;
  #rounds = 0;
  readonly #changedIn = new WeakMap<IkeEntry, number>();
  readonly #waiting: { readonly round: number; readonly entry: IkeEntry; readonly output: Held }[] = [];
  readonly #afterRound: { readonly round: number; readonly then: () => void }[] = [];

  /** @throws Error if there is no key to seal the records with */
  constructor(
    randomness: Randomness,
    recordKey: Uint8Array | undefined,
    options: CheckpointOptions | undefined,
  ) {
    if (options !== undefined && recordKey === undefined) {
      throw new Error('a checkpoint is kept only under a key');
    }
    this.#randomness = randomness;
    this.#recordKey = recordKey;
    this.options = options;
  }

  get enabled(): boolean {
    return this.options !== undefined;
  }

  /** Traffic alone changes nothing that is stored: only IKE SAs that have something to say about it are looked at. */
  onlySpeakers = false;

  /** The IKE SA was given something: its state may have changed, also if it says nothing about it. */
  drained(entry: IkeEntry): void {
    if (!this.onlySpeakers) this.note(entry);
  }

  /** The IKE SA has something to say. What is kept of the one that it replaced depends on it. */
  note(entry: IkeEntry): void {
    if (!this.enabled || this.#touched.has(entry)) return;
    this.#touched.set(entry, []);
    if (entry.parent !== undefined) this.note(entry.parent);
  }

  /** False: nothing has to wait, and the caller sends it. */
  hold(entry: IkeEntry, output: Held): boolean {
    if (!this.enabled) return false;
    this.note(entry);
    this.#touched.get(entry)?.push(output);
    return true;
  }

  /** An IKE SA that was taken over, and the generation of the record that it was taken from. */
  adopted(entry: IkeEntry, generation: number): void {
    this.#slots.set(spiOf(entry), { fingerprint: '', generation });
    this.note(entry);
  }

  /** A record that nobody must use any more. The index is replaced anyway. */
  discard(key: string): void {
    if (key !== checkpointIndexKey || !this.enabled) this.#dirty.set(key, undefined);
    else this.#indexDirty = true;
  }

  /** Runs once what has changed in this input is durable. */
  whenDurable(then: () => void): void {
    this.#afterRound.push({ round: this.#nextRound, then });
  }

  /** Confirms that this host is alive, for those who judge the age of what it stored. */
  confirm(state: EngineState): void {
    this.#indexDirty = true;
    this.#scheduleConfirmation(state);
  }

  /** At the end of each input. */
  flush(state: EngineState): void {
    if (this.#touched.size === 0 && this.#dirty.size === 0 && !this.#indexDirty) return;
    // What replaces an IKE SA first: until it is written, the one before must be what it was.
    const entries = [...this.#touched.keys()].toSorted((one, other) => heirsOf(one) - heirsOf(other));
    const changed = entries.map((entry) => this.#update(state, entry)).includes(true);
    for (const [entry, held] of this.#touched) {
      // What moves from one IKE SA to another in a rekeying is whole only together.
      if (changed) this.#changedIn.set(entry, this.#nextRound);
      const round = this.#changedIn.get(entry) ?? 0;
      for (const output of held) {
        if (round <= this.#rounds) release(state, entry, output);
        else if (output.kind !== 'transmit' || this.#waiting.length < waitingMax) {
          this.#waiting.push({ round, entry, output });
        }
      }
    }
    this.#touched.clear();
    this.#beginRound(state);
  }

  /** The round that what changes now is written in. */
  get #nextRound(): number {
    return this.#rounds + (this.#writing ? 2 : 1);
  }

  /** Whether there is something to write. */
  #update(state: EngineState, entry: IkeEntry): boolean {
    const spi = spiOf(entry);
    const slot = this.#slots.get(spi);
    const key = checkpointSaKey(spi);
    const snapshot = this.#snapshot(state, entry);
    if (snapshot === undefined) {
      if (slot === undefined) return false;
      if (entry.sa.phase === 'ended') this.#slots.delete(spi);
      else this.#slots.set(spi, { ...slot, fingerprint: undefined });
      if (slot.fingerprint === undefined) return false;
      this.#forget(key);
      this.#dirty.set(key, undefined);
      return true;
    }
    const { recovery } = state;
    const { initiatorSpi, responderSpi } = entry.sa;
    const record = (generation: number): Uint8Array =>
      encodeCheckpointedSa({
        generation,
        nameServers: entry.nameServers,
        tokenGiven: recovery.given.has(`${initiatorSpi} ${responderSpi}`),
        tokens: recovery.held.get(entry.ikeId)?.all() ?? [],
        snapshot,
      });
    const plain = record(0);
    const fingerprint = digest('sha256', plain).join();
    wipe(plain);
    const changed = slot?.fingerprint !== fingerprint;
    if (changed) {
      const generation = (slot?.generation ?? 0) + 1;
      this.#slots.set(spi, { fingerprint, generation });
      this.#forget(key);
      this.#dirty.set(key, record(generation));
      this.#scheduleConfirmation(state);
    }
    wipeIkeSaSnapshot(snapshot);
    return changed;
  }

  /** One that was replaced is kept only beside what replaced it. */
  #snapshot(state: EngineState, { sa }: IkeEntry): IkeSaSnapshot | undefined {
    const snapshot = sa.snapshot(state.at);
    if (snapshot?.successor === undefined) return snapshot;
    if (this.#slots.get(snapshot.successor)?.fingerprint !== undefined) return snapshot;
    wipeIkeSaSnapshot(snapshot);
    return undefined;
  }

  /** What comes in its place is written behind all that waits already. */
  #forget(key: string): void {
    wipe(this.#dirty.get(key));
    this.#dirty.delete(key);
  }

  #beginRound(state: EngineState): void {
    const { options } = this;
    const recordKey = this.#recordKey;
    if (this.#writing || (this.#dirty.size === 0 && !this.#indexDirty)) return;
    const seal = (key: string, octets: Uint8Array): Uint8Array => {
      if (recordKey === undefined) throw new Error('a checkpoint is kept only under a key');
      return sealRecord(this.#randomness, recordKey, encodeUtf8(key), octets);
    };
    const writes: { readonly key: string; readonly octets: Uint8Array }[] = [];
    for (const [key, octets] of this.#dirty) {
      writes.push({ key, octets: octets === undefined ? new Uint8Array(0) : seal(key, octets) });
      wipe(octets);
    }
    this.#dirty.clear();
    this.#indexDirty = false;
    // Behind the records: whoever writes them in this order never has an index that is ahead of them.
    if (options !== undefined) {
      const kept = [...this.#slots].filter(([, { fingerprint }]) => fingerprint !== undefined);
      const generations = new Map(kept.map(([spi, { generation }]) => [spi, generation]));
      const { bootId, acrossBoot, place } = options;
      const writtenAtMs = state.wallClockMs;
      const index = encodeCheckpointIndex({ bootId, acrossBoot, place, writtenAtMs, generations });
      writes.push({ key: checkpointIndexKey, octets: seal(checkpointIndexKey, index) });
    }
    this.#writing = true;
    let missing = writes.length;
    // After a boot it is refused whatever it says, so that only the end of the process has to be survived: no flush of a disk
    // stands between an IKE message and its departure.
    const less = options?.acrossBoot === false ? 'untilReboot' : undefined;
    for (const { key, octets } of writes) {
      const then = (): void => {
        if (--missing === 0) this.#endRound(state);
      };
      state.store(key, octets, then, less);
    }
  }

  #endRound(state: EngineState): void {
    this.#writing = false;
    this.#rounds++;
    while (this.#waiting[0] !== undefined && this.#waiting[0].round <= this.#rounds) {
      const { entry, output } = this.#waiting.shift()!;
      release(state, entry, output);
    }
    while (this.#afterRound[0] !== undefined && this.#afterRound[0].round <= this.#rounds) {
      this.#afterRound.shift()?.then();
    }
  }

  #scheduleConfirmation(state: EngineState): void {
    const { options } = this;
    if (options === undefined || this.#slots.size === 0) return;
    const intervalMs = Math.max(confirmationMsMin, options.maxAgeMs / confirmationsPerAge);
    state.deadlines.set(checkpointDeadline, state.at + intervalMs);
  }
}

/** The key of the timer that asks for `confirm`. */
export const checkpointDeadline = 'checkpoint index';

/** How many IKE SAs followed it, one upon the other. */
function heirsOf({ sa }: IkeEntry): number {
  let count = 0;
  for (let heir = sa.successor; heir !== undefined; heir = heir.successor) count++;
  return count;
}

function spiOf({ sa, initiator }: IkeEntry): IkeSpi {
  return initiator ? sa.initiatorSpi : sa.responderSpi;
}

function release(state: EngineState, entry: IkeEntry, output: Held): void {
  if (output.kind === 'transmit') state.transmit(output.local, output.remote, output.octets);
  else state.outputs.push({ ...output, id: state.awaitResult(entry.ikeId, output.id) });
}
