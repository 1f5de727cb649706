// The host's HIP beside its IKEv2: one SPI space, one data plane, one queue of outputs (RFC 7402 3.4).
import {
  type HipAssociationStatus,
  type HipCommand,
  type HipConfiguration,
  type HipEvent,
  HipHost,
  type HipInput,
  type HipOutput,
  type HipPath,
  type HipPeer,
  peersOf,
} from '#hip';
import type { DataPlaneEvent, IpAddress } from '#sa';
import { type Hit, zeroHit } from '#wire';
import type { EngineState } from '../engine-state.ts';
import type { Resolution } from '../interface.ts';
import { answerHipProblem } from '../recovery/hip-problem.ts';
import { HipRegistrations } from './hip-registrations.ts';
import { HipTraps } from './hip-traps.ts';
import { reactToHipEvent } from './react-to-hip-event.ts';

/** Key of the one deadline of all associations. */
export const hipDeadline = 'hip associations';

type Timeless<T> = T extends unknown ? Omit<T, 'at'> : never;

interface Call {
  readonly peer: HipPeer;
  readonly remote: Hit;
  readonly reason: string;
  /** An association that stands will do: it may have been made since. */
  ifNone: boolean;
}

export class HipSide {
  readonly traps: HipTraps = new HipTraps();
  readonly registrations: HipRegistrations = new HipRegistrations();
  readonly #state: EngineState;
  readonly #host: HipHost;
  /** Peers whose address is being looked up, by the question and by themselves. */
  readonly #resolving = new Map<number, Call>();
  readonly #calls = new Map<Hit, Call>();
  /** How often a peer did not answer when it was called: the next call goes to its next address. */
  readonly #calledInVain = new Map<Hit, number>();
  /** Commands that wait for an association, by the peer's HIT. */
  readonly #waiting = new Map<Hit, number[]>();
  configuration: HipConfiguration;

  /** @param bootEpoch how often this host has started: R1 generations of this life are above all of those before */
  constructor(state: EngineState, configuration: HipConfiguration, bootEpoch: number) {
    this.#state = state;
    this.configuration = configuration;
    this.#host = new HipHost({
      ports: {
        randomness: state.randomness,
        allocateSpi: (like) => state.allocateSpi(like),
        releaseSpi: (spi) => state.spis.release(spi),
        allocateChildId: () => state.allocateChildId(),
      },
      configuration,
      r1Counter: BigInt(bootEpoch) << 32n,
      at: state.at,
    });
  }

  status(): readonly HipAssociationStatus[] {
    return this.#host.status();
  }

  /** Associations with this peer. */
  statusWith(peer: Hit): readonly HipAssociationStatus[] {
    return this.#host.statusWith(peer);
  }

  /** Associations whose packets go to this address. */
  statusToward(address: IpAddress): readonly HipAssociationStatus[] {
    return this.#host.statusToward(address);
  }

  get awaitedResults(): number {
    return this.#resolving.size;
  }

  handle(input: Timeless<HipInput>): void {
    this.#host.handle({ ...input, at: this.#state.at } as HipInput);
    for (let output = this.#host.poll(); output !== undefined; output = this.#host.poll())
      this.#forward(output);
    this.#state.deadlines.set(hipDeadline, this.#host.deadline());
  }

  load(configuration: HipConfiguration): void {
    this.configuration = configuration;
    this.handle({ kind: 'command', command: { kind: 'load', configuration } });
    this.traps.follow(this.#state, configuration);
    this.registrations.follow(this.#state, configuration);
  }

  command(command: HipCommand): void {
    this.handle({ kind: 'command', command });
  }

  dataPlane(event: DataPlaneEvent): void {
    this.handle({ kind: 'data-plane', event });
  }

  /** CLOSE to every peer; nobody is waited for. From now on there is nobody to call, or to be called by. */
  shutDown(): void {
    const { registrar: _, ...configuration } = this.configuration;
    this.load({ ...configuration, accept: 'configured', peers: [] });
    for (const { local, remote, childId } of this.#host.status()) {
      if (childId !== undefined)
        this.command({ kind: 'close', local, remote, reason: 'the daemon is shutting down' });
    }
  }

  /**
   * I1 to a peer once we know from where to send it. False: it has no address.
   * @param ifNone only if there is no association then
   */
  call(peer: HipPeer, remote: Hit, reason: string, ifNone = false): boolean {
    const { addresses } = peer;
    const address = addresses[(this.#calledInVain.get(remote) ?? 0) % Math.max(1, addresses.length)];
    if (address === undefined) return false;
    if (this.#calls.has(remote)) return true;
    const id = this.#state.nextResolveId();
    const call: Call = { peer, remote, reason, ifNone };
    this.#resolving.set(id, call);
    this.#calls.set(remote, call);
    this.#state.outputs.push({ kind: 'resolve', id, host: address, port: 0 });
    return true;
  }

  /** False: somebody else waits for it. */
  resolved(id: number, result: Resolution): boolean {
    const call = this.#resolving.get(id);
    if (call === undefined) return false;
    const { peer, remote, reason } = call;
    this.#resolving.delete(id);
    this.#calls.delete(remote);
    if (!result.ok) {
      this.settle(remote, result.detail);
      return true;
    }
    if (call.ifNone && this.isStanding(remote)) {
      this.settle(remote);
      return true;
    }
    const port = peer.udpPort ?? 0;
    const path: HipPath = {
      local: { address: result.local, port },
      remote: { address: result.remote, port },
    };
    this.command({
      kind: 'associate',
      remote,
      path,
      reason,
      ...(peer.localHit !== undefined && { local: peer.localHit }),
    });
    // Soon after a failure a call begins nothing, and nothing more would be heard of it.
    if (!this.#isCalling(remote))
      this.settle(remote, 'an attempt has just failed: try again in a few seconds');
    return true;
  }

  isStanding(remote: Hit): boolean {
    return this.statusWith(remote).some(({ childId }) => childId !== undefined);
  }

  #isCalling(remote: Hit): boolean {
    return this.statusWith(remote).some(
      ({ state, attempt }) => attempt !== undefined || state === 'I1-SENT' || state === 'I2-SENT',
    );
  }

  /** What became of a call. */
  #note(event: HipEvent): void {
    if (event.kind !== 'failed' && event.kind !== 'established') return;
    const { remote } = event.context;
    if (event.kind === 'established') {
      const call = this.#calls.get(remote);
      if (call !== undefined) call.ifNone = true;
      this.#calledInVain.delete(remote);
      // Only of peers that the configuration has.
    } else if (peersOf(this.configuration).with(remote) !== undefined)
      this.#calledInVain.set(remote, (this.#calledInVain.get(remote) ?? 0) + 1);
  }

  /** The command has its result when the association stands, or cannot be had. */
  awaitAssociation(remote: Hit, commandId: number): void {
    const waiting = this.#waiting.get(remote);
    if (waiting === undefined) this.#waiting.set(remote, [commandId]);
    else waiting.push(commandId);
  }

  /** Who called anybody waits for this peer from now on. */
  identify(remote: Hit): void {
    const waiting = this.#waiting.get(zeroHit);
    this.#waiting.delete(zeroHit);
    for (const id of waiting ?? []) this.awaitAssociation(remote, id);
  }

  /** @param failure absent: the association stands */
  settle(remote: Hit, failure?: string): void {
    const waiting = this.#waiting.get(remote);
    this.#waiting.delete(remote);
    for (const id of waiting ?? []) {
      this.#state.answer(
        id,
        failure === undefined ? { ok: true, count: 1 } : { ok: false, code: 'failed', detail: failure },
      );
    }
  }

  #forward(output: HipOutput): void {
    const state = this.#state;
    switch (output.kind) {
      case 'transmit':
        state.outputs.push({ kind: 'hip-transmit', path: output.path, octets: output.octets });
        break;
      case 'sa-command':
        state.outputs.push({ ...output, id: state.awaitHipResult(output.id) });
        break;
      case 'compute':
        state.outputs.push({ ...output, id: state.awaitHipResult(output.id) });
        break;
      case 'parameter-problem':
        state.event({
          kind: 'hip-problem',
          reason: output.reason,
          remote: output.path.remote,
          outcome: answerHipProblem(state, output),
        });
        break;
      case 'event':
        this.#note(output.event);
        reactToHipEvent(state, this, output.event);
        break;
    }
  }
}
