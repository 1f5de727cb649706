// A brake on guessing secrets (decision 23): who has given many wrong ones has to wait, and then is refused unheard, while who guesses
// from elsewhere holds up nobody.
import { digest } from '#crypto';
import { type Identity, identityKey, type SecretTry, type TryAdmission } from '#ike';
import { addressBytes, addressFromBytes, type IpAddress, isIpv6 } from '#sa';
import { encodeUtf8 } from '#wire';
import { TryTable } from './try-table.ts';

/** Whose tries were too many: those at one secret from one source, those from one source, those at one secret from anywhere. */
export type BrakedBy = 'user-and-source' | 'source' | 'user';

export type BrakeVerdict =
  | Extract<TryAdmission, { readonly kind: 'judge' }>
  | (Exclude<TryAdmission, { readonly kind: 'judge' }> & { readonly by: BrakedBy });

const subjectsMax = 4096;
/** Wrong tries that are made at once, and in what time one of them is forgotten. */
const rates = {
  'user-and-source': { burst: 8, intervalMs: 5_000, subjectsMax },
  // Many may be behind one address, and one of them may try many users.
  source: { burst: 60, intervalMs: 1_000, subjectsMax },
  user: { burst: 100, intervalMs: 10_000, subjectsMax },
} as const;

/** Nobody is kept waiting for longer: he is refused, and may come again. Two tries of one user wait at once. */
const waitMsMax = 10_000;
/** By others, from elsewhere, somebody is held up no longer than this. */
const pauseMs = 2_000;
/** Who got in from where: his own tries are all that counts for him. */
const knownMax = 16_384;

export class GuessBrake {
  readonly #ofUserAndSource = new TryTable(rates['user-and-source']);
  readonly #ofSource = new TryTable(rates.source);
  readonly #ofUser = new TryTable(rates.user);
  /** Machines that have got in, the latest last. */
  readonly #known = new Set<string>();

  /** Entries in all tables. */
  get size(): number {
    return this.#ofUserAndSource.size + this.#ofSource.size + this.#ofUser.size + this.#known.size;
  }

  /** @param source that of its first request, which is proven: a later one may be forged */
  admit(attempt: SecretTry, source: IpAddress, at: number): BrakeVerdict {
    const subjects = subjectsOf(attempt, source);
    const known = this.#known.has(subjects.machine);
    const verdict = this.#admitFrom(subjects, known, at);
    if (known || verdict.kind === 'refuse') return verdict;
    // There is no telling him from those who guess, wherever they are: it takes longer, and no more than that.
    if (this.#ofUser.waitMs(subjects.user, at) === 0) {
      this.#ofUser.charge(subjects.user, at);
      return verdict;
    }
    if (verdict.kind === 'wait' && verdict.forMs >= pauseMs) return verdict;
    return { kind: 'wait', forMs: pauseMs, by: 'user' };
  }

  #admitFrom({ machine, userAndSource, source }: Subjects, known: boolean, at: number): BrakeVerdict {
    const subject = known ? machine : userAndSource;
    const ownMs = this.#ofUserAndSource.waitMs(subject, at);
    const ofSourceMs = known ? 0 : this.#ofSource.waitMs(source, at);
    const forMs = Math.max(ownMs, ofSourceMs);
    const by = ownMs >= ofSourceMs ? 'user-and-source' : 'source';
    if (forMs > waitMsMax) return { kind: 'refuse', by };
    this.#ofUserAndSource.charge(subject, at);
    if (!known) this.#ofSource.charge(source, at);
    return forMs === 0 ? { kind: 'judge' } : { kind: 'wait', forMs, by };
  }

  /** It was no guess. Others' wrong tries stay counted: whoever knows one secret may guess at another one. */
  right(attempt: SecretTry, source: IpAddress, at: number): void {
    const { machine, userAndSource, source: network, user } = subjectsOf(attempt, source);
    if (this.#known.delete(machine)) this.#ofUserAndSource.refund(machine, at);
    else {
      this.#ofUserAndSource.refund(userAndSource, at);
      this.#ofSource.refund(network, at);
      this.#ofUser.refund(user, at);
    }
    for (const oldest of this.#known) {
      if (this.#known.size < knownMax) break;
      this.#known.delete(oldest);
    }
    this.#known.add(machine);
  }
}

interface Subjects {
  readonly user: string;
  readonly source: string;
  readonly userAndSource: string;
  readonly machine: string;
}

function subjectsOf({ secret, user: identity, machine }: SecretTry, address: IpAddress): Subjects {
  const user = `${secret} ${subjectOf(identity)}`;
  const source = networkOf(address);
  const userAndSource = `${user} ${source}`;
  return { user, source, userAndSource, machine: `${userAndSource} ${subjectOf(machine)}` };
}

const subjectLengthMax = 80;

/** A name may be as long as whoever says it likes. */
function subjectOf(identity: Identity): string {
  const key = identityKey(identity);
  if (key.length <= subjectLengthMax) return key;
  return String.fromCharCode(...digest('sha256', encodeUtf8(key)));
}

/** Whoever has IPv6 has a /64 at least, and a /48 for the asking. */
function networkOf(address: IpAddress): string {
  if (!isIpv6(address)) return address;
  return addressFromBytes(addressBytes(address).fill(0, 6));
}
