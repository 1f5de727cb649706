// What a packet thread was told of SAs and policies, so that one that takes its place can be told again.
import { SaProgress } from '#ipsec';
import type { SaCommand, SaLifetimes, SaName, SaParameters, SaResult } from '#sa';
import { SaIndex } from './sa-index.ts';

interface JournalSa extends SaName {
  readonly parameters: SaParameters;
  readonly installedAt: number;
  readonly progress: SharedArrayBuffer;
  /** Its addresses and reservation as they are now. */
  moved: SaCommand | undefined;
  extended: SaCommand | undefined;
}

/** A command, and for an SA where its progress is noted. */
export interface JournalEntry {
  readonly command: SaCommand;
  readonly progress?: SharedArrayBuffer;
}

/**
 * Holds the keys of each SA, and wipes them when the SA goes. Those of a command are the journal's from the time on when it is asked:
 * the thread has a copy.
 */
export class SaJournal {
  readonly #replayed: boolean;
  readonly #sas = new SaIndex<JournalSa>();
  readonly #policies = new Map<number, SaCommand>();
  /** Of each pair, which SA sends. */
  readonly #senders = new Map<number, SaCommand>();
  readonly #unanswered = new Map<number, JournalEntry>();

  /** @param replayed whether another thread may be told: otherwise no keys are kept */
  constructor({ replayed }: { readonly replayed: boolean } = { replayed: true }) {
    this.#replayed = replayed;
  }

  get saCount(): number {
    return this.#sas.size;
  }

  /** A command is about to be given to the thread. */
  asked(id: number, command: SaCommand): JournalEntry {
    const entry =
      command.kind === 'install'
        ? { command, progress: new SharedArrayBuffer(SaProgress.bytes) }
        : { command };
    this.#unanswered.set(id, entry);
    return entry;
  }

  answered(id: number, result: SaResult, at: number): void {
    const entry = this.#unanswered.get(id);
    this.#unanswered.delete(id);
    if (entry === undefined) return;
    if (result.ok) this.#note(entry, at);
    if (entry.command.kind === 'install' && !(result.ok && this.#replayed)) wipe(entry.command.sa);
  }

  /**
   * What the thread will not answer any more. It counts as done, for the next thread is told of it; but not an SA that it
   * was to install, and what was to become of that: perhaps it died of them.
   * @returns the results to be given instead
   */
  abandon(at: number): readonly { readonly id: number; readonly result: SaResult }[] {
    const detail = 'the packet thread died meanwhile';
    return [...this.#unanswered].map(([id, { command }]) => {
      const result: SaResult = this.#holds(command) ? { ok: true } : { ok: false, code: 'failed', detail };
      this.answered(id, result, at);
      return { id, result };
    });
  }

  /** Whether there is what the command is about, if it is about an SA. */
  #holds(command: SaCommand): boolean {
    switch (command.kind) {
      case 'install':
        return false;
      case 'use-outbound':
        return this.#sas.find({ ...command, direction: 'outbound' }) !== undefined;
      case 'update-addresses':
      case 'extend-reservation':
        return this.#sas.find(command) !== undefined;
      case 'remove':
      case 'install-policy':
      case 'remove-policy':
        return true;
    }
  }

  #note({ command, progress }: JournalEntry, at: number): void {
    switch (command.kind) {
      case 'install':
        this.#add(command.sa, at, progress!);
        break;
      case 'use-outbound':
        this.#senders.set(command.childId, command);
        break;
      case 'update-addresses': {
        const sa = this.#sas.find(command);
        if (sa !== undefined) sa.moved = command;
        break;
      }
      case 'extend-reservation': {
        const sa = this.#sas.find(command);
        if (sa !== undefined) sa.extended = command;
        break;
      }
      case 'remove':
        this.#remove(command);
        break;
      case 'install-policy':
        this.#policies.set(command.policy.policyId, command);
        break;
      case 'remove-policy':
        this.#policies.delete(command.policyId);
        break;
    }
  }

  #add(parameters: SaParameters, installedAt: number, progress: SharedArrayBuffer): void {
    const { protocol, direction, spi, childId } = parameters;
    this.#sas.add({
      ...{ protocol, direction, spi, childId, parameters, installedAt, progress },
      moved: undefined,
      extended: undefined,
    });
  }

  #remove(name: SaName): void {
    const gone = this.#sas.remove(name);
    if (gone === undefined) return;
    wipe(gone.parameters);
    if (!this.#sas.hasPair(gone.childId)) this.#senders.delete(gone.childId);
  }

  /** Everything that holds, in the order in which a fresh thread can be told. */
  replay(at: number): readonly JournalEntry[] {
    const sas = [...this.#sas.values()].flatMap(({ parameters, installedAt, progress, moved, extended }) => {
      const lifetimes = remaining(parameters.lifetimes, at - installedAt);
      const command: SaCommand = { kind: 'install', sa: { ...parameters, lifetimes } };
      const later = [moved, extended].filter((one) => one !== undefined);
      return [{ command, progress }, ...later.map((one) => ({ command: one }))];
    });
    const rest = [...this.#senders.values(), ...this.#policies.values()];
    return [...sas, ...rest.map((command) => ({ command }))];
  }

  /** Wipes all keys. */
  close(): void {
    for (const { parameters } of this.#sas.values()) wipe(parameters);
    this.#sas.clear();
    // Of a thread that will not answer any more.
    for (const { command } of this.#unanswered.values()) if (command.kind === 'install') wipe(command.sa);
    this.#unanswered.clear();
  }
}

function wipe({ encryption, integrity }: SaParameters): void {
  encryption?.key.fill(0);
  integrity?.key.fill(0);
}

/** An SA does not live longer because it is told a second time. */
function remaining(lifetimes: SaLifetimes, elapsedMs: number): SaLifetimes {
  const { hardTimeMs } = lifetimes;
  return hardTimeMs === undefined
    ? lifetimes
    : { ...lifetimes, hardTimeMs: Math.max(0, hardTimeMs - elapsedMs) };
}
