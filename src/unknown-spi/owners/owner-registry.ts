// The registry as the daemon keeps it that serves it: what members say goes in, tables come out. Knows no socket.
import type { Randomness } from '#crypto';
import type { SpiClaims } from './claims.ts';
import { readMemberMessage, writeRegistryMessage } from './messages.ts';
import { OwnerTable, type SpiOwner } from './owner-table.ts';

/** How long a crashed daemon's SPIs are left alone: longer than a machine takes to start it again. */
export const tombstoneMsDefault = 300_000;

/** A daemon as it presents itself. */
export interface OwnerIdentity {
  /** The same at each of its starts, and no other daemon's. */
  readonly name: string;
  readonly claims: SpiClaims;
  /** Blocks that it would like to have. */
  readonly blocksWanted: number;
}

/** `client` is a number that the caller chooses for each connection. */
export type RegistryInput =
  | { readonly kind: 'line'; readonly at: number; readonly client: number; readonly line: string }
  | { readonly kind: 'closed'; readonly at: number; readonly client: number }
  /** The serving daemon's own claims. */
  | { readonly kind: 'hold'; readonly at: number; readonly claims: SpiClaims }
  | { readonly kind: 'timeout'; readonly at: number }
  /** The serving daemon ends in order. */
  | { readonly kind: 'leave'; readonly at: number };

export type RegistryOutput =
  | { readonly kind: 'send'; readonly client: number; readonly line: string }
  | { readonly kind: 'drop'; readonly client: number }
  /** The table is another one. */
  | { readonly kind: 'table'; readonly owners: readonly SpiOwner[] };

export interface OwnerRegistryOptions {
  readonly self: OwnerIdentity;
  readonly randomness: Pick<Randomness, 'bytes'>;
  readonly at: number;
  readonly tombstoneMs?: number;
  /** The table of the registry that this one takes the place of: whoever does not come back has crashed. */
  readonly inherited?: readonly SpiOwner[];
}

/** Drain `poll` after the constructor and after each `handle`. */
export class OwnerRegistry {
  readonly #self: OwnerIdentity;
  readonly #randomness: Pick<Randomness, 'bytes'>;
  readonly #tombstoneMs: number;
  readonly #table: OwnerTable;
  /** Connections that said who they are. */
  readonly #members = new Map<number, string>();
  readonly #outputs: RegistryOutput[] = [];

  constructor({ self, randomness, at, tombstoneMs, inherited = [] }: OwnerRegistryOptions) {
    this.#self = self;
    this.#randomness = randomness;
    this.#tombstoneMs = tombstoneMs ?? tombstoneMsDefault;
    this.#table = new OwnerTable(inherited);
    for (const { name } of inherited) this.#table.crashed(name, at + this.#tombstoneMs);
    this.#table.hold(self.name, self.claims, self.blocksWanted, randomness);
    this.#publish(at);
  }

  handle(input: RegistryInput): void {
    const { at } = input;
    switch (input.kind) {
      case 'line':
        this.#receive(input.client, input.line, at);
        break;
      case 'closed': {
        const name = this.#members.get(input.client);
        this.#members.delete(input.client);
        if (name === undefined) break;
        this.#table.crashed(name, at + this.#tombstoneMs);
        this.#publish(at);
        break;
      }
      case 'hold':
        this.#table.hold(this.#self.name, input.claims, this.#self.blocksWanted, this.#randomness);
        this.#publish(at);
        break;
      case 'timeout':
        break;
      case 'leave':
        this.#table.left(this.#self.name);
        this.#publish(at);
        break;
    }
    if (this.#table.expire(at)) this.#publish(at);
  }

  poll(): RegistryOutput | undefined {
    return this.#outputs.shift();
  }

  /** When a `timeout` is due. */
  deadline(): number | undefined {
    return this.#table.deadline();
  }

  #receive(client: number, line: string, at: number): void {
    const message = readMemberMessage(line);
    const known = this.#members.get(client);
    if (message?.kind === 'hold') this.#hold(client, message, at);
    else if (message?.kind === 'leave' && known !== undefined) {
      this.#members.delete(client);
      this.#table.left(known);
      this.#outputs.push({ kind: 'drop', client });
      this.#publish(at);
    } else this.#outputs.push({ kind: 'drop', client });
  }

  #hold(client: number, { name, claims, blocksWanted }: OwnerIdentity, at: number): void {
    const known = this.#members.get(client);
    const taken = name === this.#self.name || [...this.#members.values()].includes(name);
    const reason =
      known === name ? undefined : known !== undefined || taken ? ('name-in-use' as const) : undefined;
    const held = reason === undefined && this.#table.hold(name, claims, blocksWanted, this.#randomness);
    if (held) {
      this.#members.set(client, name);
      this.#publish(at);
      return;
    }
    const refusal = { kind: 'refused', reason: reason ?? 'too-many' } as const;
    this.#outputs.push({ kind: 'send', client, line: writeRegistryMessage(refusal, at) });
    this.#outputs.push({ kind: 'drop', client });
  }

  #publish(at: number): void {
    const owners = this.#table.all();
    this.#outputs.push({ kind: 'table', owners });
    const line = writeRegistryMessage({ kind: 'table', server: this.#self.name, owners }, at);
    for (const client of this.#members.keys()) this.#outputs.push({ kind: 'send', client, line });
  }
}
