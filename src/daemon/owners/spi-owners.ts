// Whose SPIs are whose on this host: the owner registry and foreign daemons together, for the engine, the log and status.

import {
  noClaims,
  ownershipIn,
  readMemberMessage,
  type SpiClaims,
  type SpiOwnership,
  writeMemberMessage,
} from '#unknown-spi';
import { decodeUtf8, encodeUtf8 } from '#wire';
import type { Log } from '../logs/log.ts';
import type { LogLevel } from '../logs/log-format.ts';
import { type ForeignDaemon, foreignDaemons } from './foreign-daemons.ts';
import { OwnerLink, type OwnerLinkView } from './owner-link.ts';

/** An eighth of the space: unpredictable enough, and room for others. */
const blocksWanted = 32;
const nameCharactersMax = 255;
const joinMsMax = 1_000;
const lookMs = 30_000;
const problemIntervalMs = 60_000;

/** Under this key a daemon keeps what it claims, so that its SPIs stay its own when all daemons die at once. */
export const ownerClaimsKey = 'owner-claims';

export interface SpiOwnersOptions {
  /** The same at each start of this daemon, and no other's. */
  readonly name: string;
  readonly log: Log;
  /** The record under `ownerClaimsKey`. */
  readonly kept: Uint8Array | undefined;
  readonly keep: (octets: Uint8Array) => void;
  readonly changed: (claims: SpiClaims, ownership: SpiOwnership) => void;
  /** Of the socket; that of the host by default. */
  readonly path?: string;
}

export interface SpiOwnersStatus {
  /** Absent: the registry cannot be used. */
  readonly registry?: {
    readonly serving: boolean;
    readonly blocks: number;
    readonly others: readonly { readonly name: string; readonly crashed: boolean }[];
  };
  readonly unreadable: readonly ForeignDaemon[];
}

function keptClaims(octets: Uint8Array | undefined): SpiClaims {
  const message = octets === undefined ? undefined : readMemberMessage(decodeUtf8(octets));
  return message?.kind === 'hold' ? message.claims : noClaims;
}

export class SpiOwners {
  readonly #options: SpiOwnersOptions;
  readonly #link: OwnerLink;
  #view: OwnerLinkView | undefined;
  #keptText = '';
  #foreign: readonly ForeignDaemon[] = [];
  #joined: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #untold: { readonly level: LogLevel; readonly text: string }[] | undefined = [];
  #problemAt = Number.NEGATIVE_INFINITY;

  constructor(options: SpiOwnersOptions) {
    this.#options = { ...options, name: options.name.slice(-nameCharactersMax) };
    this.#link = new OwnerLink(
      { name: this.#options.name, claims: keptClaims(options.kept), blocksWanted },
      { changed: (view) => this.#see(view), problem: (text) => this.#problem(text) },
      options.path,
    );
  }

  /** Waits until it is known whose SPIs are whose, but not for long: until then nothing is sure. */
  async start(): Promise<void> {
    this.#look();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, joinMsMax);
      this.#joined = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#link.start();
    });
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#timer.unref();
  }

  /** From now on the log hears of others: a daemon that cannot start says nothing else. */
  announce(): void {
    const untold = this.#untold ?? [];
    this.#untold = undefined;
    for (const { level, text } of untold) this.#say(level, text);
  }

  #say(level: LogLevel, text: string): void {
    if (this.#untold === undefined) this.#options.log.line(level, text);
    else this.#untold.push({ level, text });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#link.stop();
  }

  get claims(): SpiClaims {
    return this.#view?.owners.find(({ name }) => name === this.#options.name)?.claims ?? noClaims;
  }

  get ownership(): SpiOwnership {
    const unreadable = this.#foreign.length > 0;
    if (this.#view === undefined) return { others: [], answersUnclaimed: true, unreadable: true };
    return { ...ownershipIn(this.#view.owners, this.#options.name, this.#view.server), unreadable };
  }

  /** SPIs that stand outside of the blocks. */
  holdSingly(spis: readonly number[]): void {
    const held = this.claims.spis;
    if (spis.length === held.length && spis.every((spi) => held.includes(spi))) return;
    this.#link.holdSingly(spis);
  }

  status(): SpiOwnersStatus {
    const view = this.#view;
    const { name } = this.#options;
    return {
      ...(view === undefined
        ? {}
        : {
            registry: {
              serving: view.server === name,
              blocks: this.claims.blocks.length,
              others: view.owners
                .filter((owner) => owner.name !== name)
                .map((owner) => ({ name: owner.name, crashed: owner.expiresAt !== undefined })),
            },
          }),
      unreadable: this.#foreign,
    };
  }

  #see(view: OwnerLinkView): void {
    const before = this.#view;
    this.#view = view;
    this.#tellOthers(before, view);
    this.#keep();
    this.#joined?.();
    this.#options.changed(this.claims, this.ownership);
  }

  #tellOthers(before: OwnerLinkView | undefined, { owners, server }: OwnerLinkView): void {
    const { name } = this.#options;
    if (before === undefined) {
      this.#say('info', `${this.claims.blocks.length} of 256 blocks of SPIs are leased to this daemon`);
    }
    if (server === name && before?.server !== name)
      this.#say('debug', 'this daemon serves the owner registry');
    for (const owner of owners) {
      if (owner.name === name) continue;
      const was = before?.owners.find((one) => one.name === owner.name);
      const crashed = owner.expiresAt !== undefined;
      if (crashed && was?.expiresAt === undefined)
        this.#say('warn', `keying daemon ${owner.name} died: its SPIs are left alone until it is back`);
      else if (!crashed && (was === undefined || was.expiresAt !== undefined))
        this.#say('info', `keying daemon ${owner.name} runs on this host: its SPIs are left to it`);
    }
    for (const { name: gone } of before?.owners ?? []) {
      if (!owners.some((owner) => owner.name === gone))
        this.#say('info', `keying daemon ${gone} claims no SPIs any more`);
    }
  }

  #keep(): void {
    const { name, keep } = this.#options;
    // Single SPIs are those of SAs that end with this process.
    const claims = { ...this.claims, spis: [] };
    const text = writeMemberMessage({ kind: 'hold', name, claims, blocksWanted });
    if (text === this.#keptText) return;
    this.#keptText = text;
    keep(encodeUtf8(text));
  }

  #problem(text: string): void {
    const now = performance.now();
    if (now - this.#problemAt < problemIntervalMs) return;
    this.#problemAt = now;
    this.#say('warn', text);
  }

  #look(): void {
    const before = this.#foreign;
    const found = foreignDaemons();
    const key = (all: readonly ForeignDaemon[]): string => all.map(({ pid }) => pid).join();
    if (key(found) === key(before)) return;
    this.#foreign = found;
    const { changed } = this.#options;
    for (const { name, pid } of found) {
      this.#say(
        'warn',
        `${name} (process ${pid}) holds SPIs that cannot be read: native ESP and AH with unknown SPIs get no answer`,
      );
    }
    if (found.length === 0)
      this.#say('info', 'no foreign keying daemon is left: native ESP and AH are answered');
    changed(this.claims, this.ownership);
  }
}
