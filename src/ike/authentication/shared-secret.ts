// Which pre-shared key two identities share: the most specific match wins, the peer's before ours, as strongSwan ranks them.
import { addTo } from '#sa';
import type { Identity, IdentityPattern, SharedSecret } from '../configuration.ts';
import { identityKey, matchIdentity } from './identity-match.ts';

function bestMatch(identity: Identity, owners: readonly IdentityPattern[]): number {
  return owners.reduce((best, owner) => Math.max(best, matchIdentity(identity, owner)), 0);
}

/**
 * `undefined` if no secret fits. A secret fits if the peer is one of its owners, if it has none, or if all its owners
 * are ourselves: a list that names other peers gives this one no right to it.
 */
export function findSharedSecret(
  secrets: readonly SharedSecret[],
  local: Identity,
  remote: Identity,
): Uint8Array | undefined {
  let found: { readonly secret: Uint8Array; readonly remote: number; readonly local: number } | undefined;
  for (const { owners, secret } of indexOf(secrets).thatMayFit(local, remote)) {
    const match = { secret, remote: bestMatch(remote, owners), local: bestMatch(local, owners) };
    const ours = owners.every((owner) => matchIdentity(local, owner) > 0);
    if (match.remote === 0 && !ours) continue;
    const better =
      found === undefined ||
      match.remote > found.remote ||
      (match.remote === found.remote && match.local > found.local);
    if (better) found = match;
  }
  return found?.secret;
}

/** Whoever claims to be somebody makes us look for a secret: that must not be a look at those of ten thousand peers. */
class SharedSecretIndex {
  readonly #secrets: readonly SharedSecret[];
  /** Places of secrets by `identityKey` of each owner, where all owners are called by their names. */
  readonly #byOwner = new Map<string, Set<number>>();
  /** Of these, those with one owner. */
  readonly #bySoleOwner = new Map<string, Set<number>>();
  /** Places of all others. */
  readonly #others = new Set<number>();

  constructor(secrets: readonly SharedSecret[]) {
    this.#secrets = secrets;
    for (const [place, { owners }] of secrets.entries()) {
      const names = new Set(
        owners.map((owner) => (owner.kind === 'exact' ? identityKey(owner.identity) : undefined)),
      );
      if (names.size === 0 || names.has(undefined)) {
        this.#others.add(place);
        continue;
      }
      for (const name of names) addTo(this.#byOwner, name!, place);
      if (names.size === 1) for (const name of names) addTo(this.#bySoleOwner, name!, place);
    }
  }

  /** In the order of the configuration. */
  thatMayFit(local: Identity, remote: Identity): readonly SharedSecret[] {
    const ofRemote = this.#byOwner.get(identityKey(remote)) ?? none;
    const ofLocal = this.#byOwner.get(identityKey(local)) ?? none;
    // Nothing fits better than what names both ends, so that those which name one of them need no look.
    const ofBoth = common(ofRemote, ofLocal);
    const named =
      ofBoth.length > 0 ? ofBoth : [...ofRemote, ...(this.#bySoleOwner.get(identityKey(local)) ?? none)];
    const places = new Set([...named, ...this.#others]);
    return [...places].sort((one, other) => one - other).map((place) => this.#secrets[place]!);
  }
}

const none: ReadonlySet<number> = new Set();

function common(some: ReadonlySet<number>, others: ReadonlySet<number>): readonly number[] {
  const [fewer, more] = some.size < others.size ? [some, others] : [others, some];
  return [...fewer].filter((place) => more.has(place));
}

/** A configuration is never changed, only replaced. */
const indices = new WeakMap<readonly SharedSecret[], SharedSecretIndex>();

function indexOf(secrets: readonly SharedSecret[]): SharedSecretIndex {
  const known = indices.get(secrets);
  if (known !== undefined) return known;
  const index = new SharedSecretIndex(secrets);
  indices.set(secrets, index);
  return index;
}
