// One end of a pair in tests: its IKE SAs, a data plane that only remembers, and everything that came out.
import { type Randomness, seededRandomness, type ValidatePathResult, validatePath } from '#crypto';
import {
  type Endpoint,
  firstSpi,
  type IpAddress,
  type SaCommand,
  type SaParameters,
  type SaResult,
  type SequenceNumber,
  type Spi,
} from '#sa';
import { decodeIkeMessage, ExchangeType, type IkeSpi, zeroIkeSpi } from '#wire';
import type { GuessPort } from '../authentication/guesses.ts';
import type { ConnectionConfiguration, Credentials, Identity } from '../configuration.ts';
import {
  adoptIkeSa,
  decodeIkeSaSnapshot,
  encodeIkeSaSnapshot,
  type IkeSa,
  type InitiateOptions,
  initiateIkeSa,
  type NatTraversalPorts,
  respondToInit,
  respondToResume,
  resumeIkeSa,
  wipeIkeSaSnapshot,
} from '../index.ts';
import type {
  AddressLease,
  IkeEvent,
  IkeSaCommand,
  IkeSaInput,
  IkeSaOutput,
  IkeSaPorts,
  KeyLogEntry,
} from '../interface.ts';
import type { IkeSpis } from '../phase.ts';
import type { ClientTicket } from '../resumption/client-ticket.ts';
import type { TicketPort } from '../resumption/ticket-port.ts';
import { text } from './connections.ts';

export interface HostOptions {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly connections: readonly ConnectionConfiguration[];
  readonly credentials: Credentials;
  readonly seed: string;
  readonly lease?: AddressLease;
  readonly natTraversal?: NatTraversalPorts;
  /** Whether its IKE SAs can be made again from snapshots. */
  readonly checkpoints?: boolean;
  /** What its IKE SAs take for the addresses of this machine. */
  readonly ownAddresses?: readonly IpAddress[];
}

type Transmit = Extract<IkeSaOutput, { readonly kind: 'transmit' }>;

/** Of each input by itself, so that their union stays one. */
type Timeless<T> = T extends unknown ? Omit<T, 'at'> : never;

export class Host {
  /** What inbound SAs are known to have received when they are taken over. */
  readonly received: Map<number, SequenceNumber> = new Map();
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly randomness: Randomness;
  connections: readonly ConnectionConfiguration[];
  credentials: Credentials;
  readonly natTraversal: NatTraversalPorts;
  readonly lease: AddressLease | undefined;
  readonly checkpoints: boolean;
  ownAddresses: readonly IpAddress[] | undefined;
  now = 0;
  readonly sas: IkeSa[] = [];
  readonly events: IkeEvent[] = [];
  readonly commands: SaCommand[] = [];
  readonly keyLog: KeyLogEntry[] = [];
  /** Stateless answers and their reasons. */
  readonly refusals: string[] = [];
  /** SAs in the data plane, by direction and SPI. */
  readonly installed: Map<string, SaParameters> = new Map();
  readonly policies: Set<number> = new Set();
  readonly outboundOfChild: Map<number, Spi> = new Map();
  readonly reservedSpis: Set<number> = new Set();
  readonly leased: AddressLease[] = [];
  /** Set to see for whom a lease is asked. */
  leaseFor: (identity: Identity) => void = () => {};
  /** Set to make the data plane refuse. */
  saResult: (command: SaCommand) => SaResult = () => ({ ok: true });
  /** Set to hold the results of compute jobs back. */
  holdComputation = false;
  readonly heldComputations: {
    readonly sa: IkeSa;
    readonly id: number;
    readonly result: ValidatePathResult;
  }[] = [];
  /** Gateway: set to slow guesses down. */
  guesses: GuessPort | undefined;
  /** Gateway: set to give and accept tickets. */
  tickets: TicketPort | undefined;
  /** Client: every ticket that came, the newest last. */
  readonly clientTickets: ClientTicket[] = [];
  wallClockMs = 1_800_000_000_000;
  notifiesFor: NonNullable<IkeSaPorts['notifiesFor']> = () => [];
  #childId = 0;

  constructor(options: HostOptions) {
    this.name = options.name;
    this.endpoint = options.endpoint;
    this.connections = options.connections;
    this.credentials = options.credentials;
    this.lease = options.lease;
    this.checkpoints = options.checkpoints ?? false;
    this.ownAddresses = options.ownAddresses;
    this.natTraversal = options.natTraversal ?? { localPort: 4500, remotePort: 4500 };
    this.randomness = seededRandomness(text(options.seed));
  }

  get ports(): IkeSaPorts {
    return {
      randomness: this.randomness,
      allocateSpi: () => {
        const word = new DataView(this.randomness.bytes(4).buffer).getUint32(0);
        const spi = Math.max(word, firstSpi) as Spi;
        this.reservedSpis.add(spi);
        return spi;
      },
      releaseSpi: (spi) => {
        if (!this.reservedSpis.delete(spi)) throw new Error(`${this.name} released an SPI twice`);
      },
      allocateIkeSpi: () =>
        Array.from(this.randomness.bytes(8), (octet) => octet.toString(16).padStart(2, '0')).join(
          '',
        ) as IkeSpi,
      allocateChildId: () => ++this.#childId,
      credentials: () => this.credentials,
      notifiesFor: (spis) => this.notifiesFor(spis),
      checkpoints: this.checkpoints,
      wallClockMs: () => this.wallClockMs + this.now,
      ...(this.tickets !== undefined && { tickets: this.tickets }),
      ...(this.guesses !== undefined && { guesses: this.guesses }),
      ...(this.ownAddresses !== undefined && { ownAddresses: () => this.ownAddresses ?? [] }),
      connectionsFor: () => this.connections,
      leaseAddresses: ({ identity, user }) => {
        this.leaseFor(user ?? identity);
        if (this.lease !== undefined) this.leased.push(this.lease);
        return this.lease;
      },
      releaseAddresses: (lease) => {
        this.leased.splice(this.leased.indexOf(lease), 1);
      },
    };
  }

  initiate(
    remote: Endpoint,
    change: Partial<Pick<InitiateOptions, 'initialContact' | 'children' | 'connection' | 'keyLog'>> = {},
  ): IkeSa {
    const connection = change.connection ?? this.connections[0];
    if (connection === undefined) throw new Error(`${this.name} has no connection`);
    const sa = initiateIkeSa({
      connection,
      local: this.endpoint,
      remote,
      ports: this.ports,
      at: this.now,
      natTraversal: this.natTraversal,
      initialContact: false,
      children: connection.children,
      ...change,
    });
    this.sas.push(sa);
    return sa;
  }

  /** Resumes with the newest ticket, or with the given one. */
  resume(remote: Endpoint, ticket: ClientTicket | undefined = this.clientTickets.at(-1)): IkeSa {
    const [connection] = this.connections;
    if (connection === undefined || ticket === undefined) throw new Error(`${this.name} has no ticket`);
    const sa = resumeIkeSa({
      connection,
      ticket,
      local: this.endpoint,
      remote,
      ports: this.ports,
      at: this.now,
      natTraversal: this.natTraversal,
      keyLog: true,
      children: connection.children,
    });
    this.sas.push(sa);
    return sa;
  }

  /** What this host would have to store now, for the IKE SA that carries everything, or another one. */
  checkpoint(sa: IkeSa = this.sa): Uint8Array | undefined {
    const snapshot = sa.snapshot(this.now);
    if (snapshot === undefined) return undefined;
    const octets = encodeIkeSaSnapshot(snapshot);
    wipeIkeSaSnapshot(snapshot);
    return octets;
  }

  /** Loses everything, and goes on from what was stored. @param replaced of the IKE SA that the first one replaced */
  restart(octets: Uint8Array, replaced?: Uint8Array): IkeSa {
    this.sas.length = 0;
    this.installed.clear();
    this.policies.clear();
    this.outboundOfChild.clear();
    this.reservedSpis.clear();
    const sa = this.#adopt(octets);
    if (replaced !== undefined) this.#adopt(replaced, sa);
    return sa;
  }

  #adopt(octets: Uint8Array, successor?: IkeSa): IkeSa {
    const snapshot = decodeIkeSaSnapshot(octets);
    for (const { inboundSpi, childId } of snapshot.children) {
      this.reservedSpis.add(inboundSpi);
      this.#childId = Math.max(this.#childId, childId);
    }
    const connection = this.connections.find(({ name }) => name === snapshot.connection);
    if (connection === undefined) throw new Error(`${this.name} has no connection ${snapshot.connection}`);
    const sa = adoptIkeSa({
      snapshot,
      connection,
      ports: this.ports,
      at: this.now,
      natTraversal: this.natTraversal,
      keyLog: true,
      received: (spi) => this.received.get(spi),
      ...(successor !== undefined && { successor }),
    });
    wipeIkeSaSnapshot(snapshot);
    this.sas.push(sa);
    return sa;
  }

  /** The IKE SA that now carries everything. */
  get sa(): IkeSa {
    const live = this.sas.filter((sa) => sa.phase !== 'ended' && sa.phase !== 'rekeyed');
    const found = live.at(-1) ?? this.sas.at(-1);
    if (found === undefined) throw new Error(`${this.name} has no IKE SA`);
    return found;
  }

  input(sa: IkeSa, input: Timeless<IkeSaInput>): void {
    sa.handle({ ...input, at: this.now } as IkeSaInput);
  }

  command(command: IkeSaCommand, sa: IkeSa = this.sa): void {
    this.input(sa, { kind: 'command', command });
  }

  receive(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    const message = decodeIkeMessage(octets);
    const { header } = message;
    const own = header.initiator ? header.responderSpi : header.initiatorSpi;
    const sa = this.sas.find((candidate) => {
      if (candidate.phase === 'ended') return false;
      const ownSpi = candidate.role === 'initiator' ? candidate.initiatorSpi : candidate.responderSpi;
      return own === zeroIkeSpi
        ? candidate.role === 'responder' && candidate.initiatorSpi === header.initiatorSpi
        : ownSpi === own;
    });
    if (sa !== undefined) {
      this.input(sa, { kind: 'message', local, remote, octets });
      return;
    }
    if (own !== zeroIkeSpi || header.response) return;
    const resumes = header.exchangeType === ExchangeType.IKE_SESSION_RESUME;
    const outcome = (resumes ? respondToResume : respondToInit)({
      message,
      local,
      remote,
      ports: this.ports,
      at: this.now,
      natTraversal: this.natTraversal,
      halfOpenTimeoutMs: 30_000,
    });
    if (outcome.kind === 'sa') this.sas.push(outcome.sa);
    else this.refusals.push(outcome.reason);
    if (outcome.kind === 'reply')
      this.#stateless.push({ kind: 'transmit', local, remote, octets: outcome.octets });
  }

  readonly #stateless: Transmit[] = [];

  /** Everything the IKE SAs want; data plane and compute jobs are served at once. */
  drain(): Transmit[] {
    const sent = this.#stateless.splice(0);
    for (let again = true; again; ) {
      again = false;
      for (const sa of [...this.sas]) {
        for (let output = sa.poll(); output !== undefined; output = sa.poll()) {
          again = true;
          if (output.kind === 'transmit') sent.push(output);
          else this.#serve(sa, output);
        }
        for (const offspring of sa.offspring) {
          if (!this.sas.includes(offspring)) this.sas.push(offspring);
        }
      }
    }
    return sent;
  }

  #serve(sa: IkeSa, output: Exclude<IkeSaOutput, Transmit>): void {
    switch (output.kind) {
      case 'event':
        this.events.push(output.event);
        if (output.event.kind === 'ike-resumed') this.#forget(output.event.former);
        return;
      case 'ticket':
        this.clientTickets.push(output.ticket);
        return;
      case 'key-log':
        this.keyLog.push(output.entry);
        return;
      case 'sa-command': {
        const { command } = output;
        this.commands.push(command);
        const result = this.saResult(command);
        if (result.ok) this.#apply(command);
        this.input(sa, { kind: 'sa-result', id: output.id, result });
        return;
      }
      case 'compute': {
        const { id, job } = output;
        const result = validatePath(job);
        if (this.holdComputation) this.heldComputations.push({ sa, id, result });
        else this.input(sa, { kind: 'computed', id, result });
      }
    }
  }

  /** RFC 5723 4.3.4: silently. */
  #forget({ initiator, responder }: IkeSpis): void {
    for (const sa of this.sas) {
      if (sa.initiatorSpi !== initiator || sa.responderSpi !== responder) continue;
      this.input(sa, { kind: 'command', command: { kind: 'abandon', reason: 'resumed' } });
    }
  }

  #apply(command: SaCommand): void {
    switch (command.kind) {
      case 'install': {
        // A data plane keeps keys of its own.
        const { sa } = command;
        this.installed.set(`${sa.direction} ${sa.spi}`, sa);
        return;
      }
      case 'remove':
        this.installed.delete(`${command.direction} ${command.spi}`);
        return;
      case 'use-outbound':
        this.outboundOfChild.set(command.childId, command.spi);
        return;
      case 'install-policy':
        this.policies.add(command.policy.policyId);
        return;
      case 'remove-policy':
        this.policies.delete(command.policyId);
        return;
      case 'update-addresses': {
        const { direction, spi, local, remote, encapsulated } = command;
        const key = `${direction} ${spi}`;
        const sa = this.installed.get(key);
        if (sa === undefined) return;
        const { encapsulation: _, ...rest } = sa;
        this.installed.set(key, {
          ...rest,
          local: local.address,
          remote: remote.address,
          ...(encapsulated && { encapsulation: { localPort: local.port, remotePort: remote.port } }),
        });
        return;
      }
      case 'extend-reservation':
    }
  }

  sasOf(direction: 'inbound' | 'outbound'): SaParameters[] {
    return [...this.installed.values()].filter((sa) => sa.direction === direction);
  }

  eventsOf<K extends IkeEvent['kind']>(kind: K): Extract<IkeEvent, { readonly kind: K }>[] {
    return this.events.filter(
      (event): event is Extract<IkeEvent, { readonly kind: K }> => event.kind === kind,
    );
  }

  deadline(): number | undefined {
    const times = this.sas.map((sa) => sa.deadline()).filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  wake(): void {
    for (const sa of this.sas) {
      const deadline = sa.deadline();
      if (deadline !== undefined && deadline <= this.now) this.input(sa, { kind: 'timeout' });
    }
  }
}
