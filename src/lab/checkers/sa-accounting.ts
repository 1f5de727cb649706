// The data plane has exactly the SAs and policies of the engine's Child SAs and HIP associations, after every step: nothing leaks.
import type { EngineEvent } from '#engine';
import type { SaCommand } from '#sa';
import type { LabEvent, Observer } from '../events.ts';
import type { LabHost } from '../host.ts';
import { InvariantViolation } from './invariant-violation.ts';

const name = 'sa-accounting';

interface Books {
  readonly inbound: Set<number>;
  readonly outbound: Set<number>;
  /** `protect` policies; those of traps are the engine's table of traps. */
  readonly policies: Set<number>;
  readonly traps: Set<number>;
  /** SPIs whose installation the data plane refused: nothing about them can succeed. */
  readonly refused: Set<string>;
  changed: boolean;
}

/** Events after which an engine may have other Child SAs than before; commands are another sign. */
const movesChildren: ReadonlySet<string> = new Set([
  'child-established',
  'child-rekeyed',
  'child-ended',
  'ike-rekeyed',
  'ike-ended',
  'hip-established',
  'hip-rekeyed',
  'hip-ended',
]);

function kindOf(event: EngineEvent): string {
  return event.kind === 'ike'
    ? event.event.kind
    : event.kind === 'hip'
      ? `hip-${event.event.kind}`
      : event.kind;
}

export class SaAccounting implements Observer {
  readonly #books = new Map<string, Books>();

  observe(event: LabEvent): void {
    switch (event.kind) {
      case 'up':
        this.#books.set(event.host, {
          inbound: new Set(),
          outbound: new Set(),
          policies: new Set(),
          traps: new Set(),
          refused: new Set(),
          changed: false,
        });
        return;
      case 'sa-command':
        this.#enter(event.host, event.command);
        return;
      case 'sa-result':
        if (!event.result.ok) this.#refusal(event);
        return;
      case 'engine':
        if (event.output.kind === 'event' && movesChildren.has(kindOf(event.output.event))) {
          this.#booksOf(event.host).changed = true;
        }
        return;
      case 'settled':
        this.#compare(event.at, event.host);
        return;
      default:
        return;
    }
  }

  #booksOf(host: string): Books {
    const books = this.#books.get(host);
    if (books === undefined) throw new Error(`${host} acts before it is up`);
    return books;
  }

  #enter(host: string, command: SaCommand): void {
    const books = this.#booksOf(host);
    books.changed = true;
    switch (command.kind) {
      case 'install':
        books[command.sa.direction].add(command.sa.spi);
        return;
      case 'remove':
        books[command.direction].delete(command.spi);
        return;
      case 'install-policy':
        books[command.policy.action === 'trap' ? 'traps' : 'policies'].add(command.policy.policyId);
        return;
      case 'remove-policy':
        books.policies.delete(command.policyId);
        books.traps.delete(command.policyId);
        return;
      case 'use-outbound':
      case 'extend-reservation':
      case 'update-addresses':
        return;
    }
  }

  /** A data plane that has what the engine believes refuses nothing, unless it was told to refuse an installation. */
  #refusal(event: Extract<LabEvent, { kind: 'sa-result' }>): void {
    const { command, result, at, host } = event;
    const { refused } = this.#booksOf(host);
    if (command.kind === 'install') {
      refused.add(`${command.sa.direction} ${command.sa.spi}`);
      if (!result.ok && result.code === 'failed') return;
    }
    // It waited for the disk, and the SA may have gone meanwhile.
    if (command.kind === 'extend-reservation' && !result.ok && result.code === 'missing') return;
    if (command.kind === 'use-outbound' && refused.has(`outbound ${command.spi}`)) return;
    if (
      (command.kind === 'remove' || command.kind === 'update-addresses') &&
      refused.has(`${command.direction} ${command.spi}`)
    ) {
      return;
    }
    const reason = result.ok ? '' : `${result.code}, ${result.detail}`;
    throw new InvariantViolation(name, at, `the data plane of ${host} refused ${command.kind}: ${reason}`);
  }

  #compare(at: number, host: LabHost): void {
    const books = this.#books.get(host.name);
    const traps = host.tables()?.traps;
    if (books === undefined || traps === undefined || !books.changed) return;
    books.changed = false;
    const children = host.childSas();
    this.#same(at, host, 'inbound SAs', books.inbound, new Set(children.map((child) => child.inboundSpi)));
    this.#same(at, host, 'outbound SAs', books.outbound, new Set(children.map((child) => child.outboundSpi)));
    this.#same(at, host, 'policies', books.policies, new Set(children.map((child) => child.childId)));
    if (books.traps.size !== traps) {
      const detail = `${host.name} has ${books.traps.size} trap policies for ${traps} traps`;
      throw new InvariantViolation(name, at, detail);
    }
    if (host.scenario.dataPlaneDelayMs > 0) return;
    for (const direction of ['inbound', 'outbound'] as const) {
      for (const spi of books[direction]) {
        if (host.hasSa(direction, spi) || books.refused.has(`${direction} ${spi}`)) continue;
        throw new InvariantViolation(name, at, `the data plane of ${host.name} lost ${direction} SPI ${spi}`);
      }
    }
  }

  #same(at: number, host: LabHost, what: string, installed: Set<number>, known: Set<number>): void {
    const leaked = [...installed].filter((one) => !known.has(one));
    const missing = [...known].filter((one) => !installed.has(one));
    if (leaked.length === 0 && missing.length === 0) return;
    const detail = `${what} of ${host.name}: ${leaked.join()} without Child SA, ${missing.join()} not installed`;
    throw new InvariantViolation(name, at, detail);
  }
}
