// The daemon's vici service: every command of the protocol, and events of the engine as events of the protocol.
import type { ChildSaSummary, EngineConfiguration, EngineEvent, IkeEvent, IkeSaStatus } from '#engine';
import type { ViciMessage } from '#wire';
import type { IkeMessageSeen } from '../observe/ike-message-seen.ts';
import { ChildNumbers } from './child-numbers.ts';
import { ConfigurationStore } from './configuration-store.ts';
import { controlCommands, logMessage } from './control-commands.ts';
import { Counters } from './counters.ts';
import { CommandRefused, type ViciCommand, type ViciHost } from './host.ts';
import { listingCommands } from './listing-commands.ts';
import { loadingCommands } from './loading-commands.ts';
import { LogLines } from './log-lines.ts';
import { SaSections } from './sa-sections.ts';

/** Every event that is ever sent. charon 5.9.8 has these too; `alert` came later, and there is none of it here. */
export const viciEvents = [
  'log',
  'control-log',
  'list-sa',
  'list-policy',
  'list-conn',
  'list-cert',
  'list-authority',
  'ike-updown',
  'ike-rekey',
  'ike-update',
  'child-updown',
  'child-rekey',
] as const;

/** What becomes of SAs. */
const saEvents: readonly string[] = [
  'ike-updown',
  'ike-rekey',
  'ike-update',
  'child-updown',
  'child-rekey',
] satisfies (typeof viciEvents)[number][];

/** The commands and events of vici for one host, for a `ViciServer` to serve. */
export class ViciService {
  readonly commands: ReadonlyMap<string, ViciCommand>;
  readonly #host: ViciHost;
  readonly #store: ConfigurationStore;
  readonly #numbers = new ChildNumbers();
  readonly #counters = new Counters();
  readonly #lines = new LogLines();
  readonly #sections: SaSections;
  /** Somebody registered for what becomes of SAs: nobody else makes it worth while to look at them with each event. */
  #followed = false;
  /** IKE SAs as they were last seen, while followed: when one has ended, nobody else knows it any more. */
  readonly #known = new Map<number, IkeSaStatus>();
  /** Those whose Child SAs have moved to a successor: their end is no news. */
  readonly #succeeded = new Set<number>();

  constructor(host: ViciHost, configuration: EngineConfiguration) {
    this.#host = host;
    this.#store = new ConfigurationStore(host, configuration);
    this.#sections = new SaSections(
      this.#numbers,
      (direction, spi) => host.counters(direction, spi),
      () => host.monotonicMs(),
    );
    const input = {
      host,
      store: this.#store,
      numbers: this.#numbers,
      lines: this.#lines,
      sections: this.#sections,
      counters: this.#counters,
    };
    const all = {
      ...controlCommands(input),
      ...loadingCommands(host, this.#store),
      ...listingCommands(input),
    };
    this.commands = new Map(Object.entries(all).map(([name, command]) => [name, refusing(command)]));
    this.#lines.follow(
      (line) => host.raise('log', { thread: '1', ...logMessage(line) }),
      () => host.isAwaited('log'),
    );
  }

  /** The configuration was read anew from its text: what clients loaded is gone with the old one. */
  configurationReplaced(configuration: EngineConfiguration): void {
    this.#store.replace(configuration);
  }

  /** For the counters. */
  message(direction: 'in' | 'out', seen: IkeMessageSeen): void {
    this.#counters.message(direction, seen);
  }

  /** To be told every event of the engine, in order, before the next input. */
  event(event: EngineEvent): void {
    this.#counters.event(event);
    this.#lines.event(event, () => this.#host.describe(event));
    if (event.kind !== 'ike') return;
    const { ikeId, connection, initiatorSpi } = event.context;
    this.#counters.assign(initiatorSpi, connection.name);
    if (this.#followed) this.#tell(ikeId, event.event);
    if (event.event.kind === 'ike-rekeyed') this.#succeeded.add(ikeId);
    if (event.event.kind === 'child-ended') this.#numbers.forget(event.event.child);
    if (event.event.kind === 'ike-ended' || event.event.kind === 'ike-failed') {
      this.#known.delete(ikeId);
      this.#succeeded.delete(ikeId);
      this.#counters.forget(initiatorSpi);
    }
  }

  /** Clients come and go: to be told when one registers for an event, before the next input of the engine. */
  registered(event: string): void {
    if (this.#followed || !saEvents.includes(event)) return;
    this.#followed = true;
    for (const sa of this.#host.status().ikeSas) this.#known.set(sa.ikeId, sa);
  }

  /** What becomes of an IKE SA, to those who want to know. */
  #tell(ikeId: number, event: IkeEvent): void {
    if (!saEvents.some((name) => this.#host.isAwaited(name))) {
      this.#followed = false;
      this.#known.clear();
      return;
    }
    const sa = this.#host.ikeSaStatus(ikeId) ?? this.#gone(ikeId);
    if (sa === undefined) return;
    this.#known.set(ikeId, sa);
    this.#ikeEvent(sa, event);
  }

  /** One that ended before its events were told, as it was. */
  #gone(ikeId: number): IkeSaStatus | undefined {
    const known = this.#known.get(ikeId);
    return known && { ...known, phase: known.phase === 'connecting' ? 'connecting' : 'deleting' };
  }

  #ikeEvent(sa: IkeSaStatus, event: IkeEvent): void {
    const name = sa.connection;
    switch (event.kind) {
      case 'ike-established':
        this.#raise('ike-updown', () => ({ up: 'yes', [name]: this.#sections.ike(sa) }));
        break;
      case 'ike-failed':
        this.#raise('ike-updown', () => ({ [name]: this.#sections.ike(sa, 'CONNECTING') }));
        break;
      case 'ike-ended':
        if (this.#succeeded.has(sa.ikeId)) break;
        this.#raise('ike-updown', () => ({ [name]: this.#sections.ike(sa, 'DELETING') }));
        break;
      case 'ike-rekeyed':
        this.#ikeRekeyed(sa);
        break;
      case 'moved':
      case 'peer-moved':
        this.#raise('ike-update', () => ({
          'local-host': sa.local.address,
          'local-port': String(sa.local.port),
          'remote-host': sa.remote.address,
          'remote-port': String(sa.remote.port),
          [name]: this.#sections.ike(sa),
        }));
        break;
      case 'child-established':
        this.#raise('child-updown', () => ({
          up: 'yes',
          [name]: this.#sections.ikeWithChild(sa, event.child),
        }));
        break;
      case 'child-rekeyed':
        this.#childRekeyed(sa, event.replaced, event.child);
        break;
      case 'child-ended':
        if (event.failure.code !== 'replaced') {
          this.#raise('child-updown', () => ({
            [name]: this.#sections.ikeWithChild(sa, event.child, 'DELETED'),
          }));
        }
        break;
      default:
        break;
    }
  }

  #ikeRekeyed(old: IkeSaStatus): void {
    // The Child SAs have moved to the newest IKE SA of this connection, which has said nothing yet.
    const heir = this.#host
      .status()
      .ikeSas.filter((one) => one.connection === old.connection && one.ikeId > old.ikeId)
      .at(-1);
    if (heir === undefined) return;
    this.#known.set(heir.ikeId, heir);
    this.#raise('ike-rekey', () => ({
      [old.connection]: { old: this.#sections.ike(old, 'REKEYING'), new: this.#sections.ike(heir) },
    }));
  }

  #childRekeyed(sa: IkeSaStatus, old: ChildSaSummary, next: ChildSaSummary): void {
    this.#raise('child-rekey', () => ({
      [sa.connection]: {
        ...this.#sections.ike(sa),
        'child-sas': {
          [next.name]: {
            old: this.#sections.child(sa, this.#statusOf(sa, old), 'REKEYED'),
            new: this.#sections.child(sa, this.#statusOf(sa, next)),
          },
        },
      },
    }));
  }

  #statusOf(sa: IkeSaStatus, child: ChildSaSummary): ChildSaSummary {
    return sa.children.find(({ inboundSpi }) => inboundSpi === child.inboundSpi) ?? child;
  }

  #raise(event: string, make: () => ViciMessage): void {
    if (this.#host.isAwaited(event)) this.#host.raise(event, make());
  }
}

/** A refusal is an answer. */
function refusing(command: ViciCommand): ViciCommand {
  return async (request, call) => {
    try {
      return await command(request, call);
    } catch (error) {
      if (!(error instanceof CommandRefused)) throw error;
      return { success: 'no', errmsg: error.message };
    }
  };
}
