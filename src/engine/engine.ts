// The whole host as one object: inputs to the files that handle them, timers, outputs in order.
import type { ChildSaSummary } from '#ike';
import type { DataPlaneEvent } from '#sa';
import { adoptCheckpoint } from './checkpoint/adopt-checkpoint.ts';
import { checkpointDeadline } from './checkpoint/checkpoint.ts';
import { executeCommand, startConnections } from './commands/commands.ts';
import { continueInitiation, initiateChild, retryConnection } from './commands/initiate-connection.ts';
import { refusalStands } from './commands/refused-connection.ts';
import { type EngineOptions, EngineState } from './engine-state.ts';
import { acquireByHip, resultForHip, startHip } from './hip/drive-hip.ts';
import { hipRegistrationDeadline } from './hip/hip-registrations.ts';
import { hipDeadline } from './hip/hip-side.ts';
import { drainIkeSa } from './ike-sas/drain-ike-sa.ts';
import type { IkeEntry } from './ike-sas/ike-sa-registry.ts';
import { deleteRedundant } from './ike-sas/simultaneous-initiation.ts';
import type { EngineInput, EngineOutput } from './interface.ts';
import { pathMtuChanged } from './path-mtu.ts';
import { receiveDatagram } from './receive-datagram.ts';
import { courseTraffic } from './recovery/course.ts';
import { receiveIcmpError } from './recovery/hints-received.ts';
import { deleteSuperseded } from './recovery/parallel-attempt.ts';
import { silenceLasted, watchForSilence } from './recovery/silence.ts';
import { callForgottenPeers, loadRecovery } from './recovery/start.ts';
import { receiveUnknownSpi } from './recovery/unknown-spi-packet.ts';
import { type WhyAnswer, why } from './recovery/why.ts';
import { prepareTickets } from './resumption/resumption.ts';
import {
  type EngineStatus,
  engineStatus,
  type IkeSaStatus,
  ikeSaStatus,
  type TableSizes,
  tableSizes,
} from './status.ts';
import { natKeepalive } from './udp-encapsulation.ts';

/**
 * A deterministic IKEv2 host: no clock, socket or randomness but what it is given. After each `handle`, take everything
 * from `poll`; call `handle` with a `timeout` when `deadline` is reached.
 */
export class Engine {
  readonly #state: EngineState;
  #started = false;

  readonly #stored: ReadonlyMap<string, Uint8Array>;
  readonly #recordKey: Uint8Array | undefined;

  constructor(options: EngineOptions) {
    this.#state = new EngineState(options);
    this.#stored = options.stored ?? new Map();
    this.#recordKey = options.recordKey;
  }

  /** @throws Error if time goes backwards or an output was left in `poll`: mistakes of the driver */
  handle(input: EngineInput): void {
    const state = this.#state;
    if (input.at < state.at) throw new Error(`time went back from ${state.at} ms to ${input.at} ms`);
    if (state.outputs.length > 0) throw new Error('outputs must be polled before the next input');
    state.at = input.at;
    if (!this.#started) {
      this.#started = true;
      if (input.kind === 'wall-clock') state.wallClockOffsetMs = input.wallClockMs - input.at;
      loadRecovery(state, this.#stored);
      adoptCheckpoint(state, this.#stored, this.#recordKey);
      startHip(state);
      startConnections(state);
      callForgottenPeers(state);
    }
    state.checkpoint.onlySpeakers = input.kind === 'traffic';
    this.#dispatch(input);
    this.#settle();
    state.checkpoint.onlySpeakers = false;
    this.#runTimers();
    this.#state.ticketRecords.flush(this.#state);
    this.#state.checkpoint.flush(this.#state);
  }

  /** What one IKE SA says may touch another: goes on until none has anything left to say. */
  #settle(): void {
    const state = this.#state;
    for (let entry = state.takeTouched(); entry !== undefined; entry = state.takeTouched())
      drainIkeSa(state, entry);
  }

  /** The next output, or `undefined` when there is none until the next `handle`. */
  poll(): EngineOutput | undefined {
    return this.#state.outputs.shift();
  }

  /** Monotonic milliseconds at which `handle` wants to be called again at the latest. */
  deadline(): number | undefined {
    return this.#state.deadlines.next();
  }

  /** False while SAs of an earlier process are being taken over: what comes for them is better kept until they stand. */
  get ready(): boolean {
    return this.#state.ready;
  }

  /** A snapshot for people. @param at now; absent: when something happened last */
  status(at?: number): EngineStatus {
    return engineStatus(this.#state, at);
  }

  /** Every Child SA of every IKE SA; cheaper than `status`. */
  childSas(): readonly ChildSaSummary[] {
    return this.#state.registry.all().flatMap(({ sa }) => sa.children);
  }

  /** How much is held in each table; cheaper than `status`. */
  tables(): TableSizes {
    return tableSizes(this.#state);
  }

  /** Of one IKE SA, while there is one of this number. */
  ikeSaStatus(ikeId: number): IkeSaStatus | undefined {
    const entry = this.#state.registry.byId(ikeId);
    return entry === undefined ? undefined : ikeSaStatus(this.#state, entry);
  }

  /** SPIs of ours that no lease covers: the driver claims them one by one. */
  spisOutsideLease(): readonly number[] {
    return this.#state.spis.outsideLease();
  }

  /** What is known of an SPI of ESP or AH, or of the last incident. */
  why(subject: number | 'last'): WhyAnswer {
    return why(this.#state, subject);
  }

  #dispatch(input: EngineInput): void {
    const state = this.#state;
    switch (input.kind) {
      case 'datagram':
        receiveDatagram(state, input.local, input.remote, input.octets);
        break;
      case 'hip-packet':
        state.hip?.handle({ kind: 'packet', path: input.path, octets: input.octets });
        break;
      case 'timeout':
        break;
      case 'wall-clock':
        state.wallClockOffsetMs = input.wallClockMs - input.at;
        prepareTickets(state);
        break;
      case 'command':
        executeCommand(state, input.id, input.command);
        break;
      case 'data-plane':
        this.#dispatchDataPlane(input.event);
        break;
      case 'traffic':
        for (const note of input.notes) {
          const entry = state.registry.byChild(note.childId);
          if (entry === undefined) {
            state.hip?.handle({ kind: 'traffic', ...note });
            continue;
          }
          if (note.lastInboundAt !== undefined) {
            entry.sa.noteInboundTraffic(note.lastInboundAt);
            courseTraffic(state, entry, note.lastInboundAt);
          }
          watchForSilence(state, entry, note);
          state.touch(entry);
        }
        break;
      case 'sa-result':
      case 'computed': {
        const awaited = state.takeAwaited(input.id);
        if (input.kind === 'sa-result') state.carriedOut(input.id, input.result);
        if (awaited === undefined) {
          resultForHip(state, input);
          break;
        }
        const { id } = awaited;
        if (input.kind === 'sa-result') awaited.entry.sa.handle({ ...input, id });
        else if (input.result.kind === 'validate-path') {
          awaited.entry.sa.handle({ ...input, id, result: input.result });
        }
        state.touch(awaited.entry);
        break;
      }
      case 'icmp-error':
        receiveIcmpError(state, { address: input.from, port: 0 }, input.quote);
        break;
      case 'spi-lease':
        state.leaseSpis(input.claims);
        break;
      case 'spi-owners':
        state.knowOwners(input.ownership);
        break;
      case 'stored':
        state.stored(input.id);
        break;
      case 'resolved':
        if (!state.hip?.resolved(input.id, input.result)) continueInitiation(state, input.id, input.result);
        break;
    }
  }

  #dispatchDataPlane(event: DataPlaneEvent): void {
    const state = this.#state;
    switch (event.kind) {
      case 'acquire': {
        const trap = state.traps.byPolicy(event.policyId);
        if (trap === undefined) {
          acquireByHip(state, event.policyId);
          break;
        }
        const wanted = { configuration: trap.child, acquired: { local: event.local, remote: event.remote } };
        const refusal = initiateChild(state, trap.connection, wanted, { persistent: false });
        if (refusal !== undefined) {
          state.event({ kind: 'connect-failed', connection: trap.connection.name, detail: refusal });
        }
        break;
      }
      case 'unknown-spi':
        receiveUnknownSpi(state, event.evidence);
        break;
      case 'path-mtu':
        pathMtuChanged(state, event);
        break;
      default: {
        const entry = state.registry.byChild(event.childId);
        if (entry === undefined) {
          state.hip?.dataPlane(event);
          break;
        }
        entry.sa.handle({ kind: 'data-plane', at: state.at, event });
        state.touch(entry);
      }
    }
  }

  #runTimers(): void {
    const state = this.#state;
    for (
      let key = state.deadlines.takeDue(state.at);
      key !== undefined;
      key = state.deadlines.takeDue(state.at)
    ) {
      if (key === checkpointDeadline) {
        state.checkpoint.confirm(state);
        continue;
      }
      if (key === hipDeadline) {
        state.hip?.handle({ kind: 'timeout' });
        continue;
      }
      if (key === hipRegistrationDeadline) {
        state.hip?.registrations.run(state, state.hip);
        continue;
      }
      const space = key.indexOf(' ');
      const kind = key.slice(0, space);
      const subject = key.slice(space + 1);
      if (kind === 'connect') {
        retryConnection(state, subject);
        this.#settle();
        continue;
      }
      const entry = state.registry.byId(Number(subject));
      if (entry === undefined) continue;
      if (kind === 'keepalive') {
        this.#keepNatMapping(entry);
      } else if (kind === 'silence') {
        silenceLasted(state, entry);
      } else if (kind === 'superseded') {
        deleteSuperseded(state, entry);
      } else if (kind === 'refused') {
        refusalStands(state, entry);
      } else if (kind === 'duplicate') {
        deleteRedundant(state, entry);
      } else {
        entry.sa.handle({ kind: 'timeout', at: state.at });
        state.touch(entry);
      }
      this.#settle();
    }
  }

  /** RFC 3948 4: only needed when nothing else went out for a while. */
  #keepNatMapping(entry: IkeEntry): void {
    const state = this.#state;
    const interval = state.configuration.natKeepaliveMs;
    if (interval === 0 || !entry.behindNat) return;
    if (state.at - entry.lastTransmitAt >= interval) {
      entry.lastTransmitAt = state.at;
      const { local, remote } = entry.sa;
      state.outputs.push({ kind: 'transmit', local, remote, octets: natKeepalive });
    }
    state.deadlines.set(`keepalive ${entry.ikeId}`, entry.lastTransmitAt + interval);
  }
}
