// A scenario at work: hosts, network, flows and timeline under one seed and one virtual clock.
import { seededRandomness } from '#crypto';
import type { CommandResult, EngineCommand } from '#engine';
import type { Endpoint } from '#sa';
import { EventQueue } from './event-queue.ts';
import type { FaultKind, LabEvent, Observer } from './events.ts';
import { type HostWorld, LabHost, type PlaneMaker } from './host.ts';
import { innerPacket } from './inner-packet.ts';
import { Attacker } from './network/attacker.ts';
import type { Datagram } from './network/datagram.ts';
import { Network } from './network/network.ts';
import { Prng } from './prng.ts';
import type { Action, Attack, FlowScenario, Scenario } from './scenario.ts';

/** The virtual world begins in 2027: certificates of tests are valid then. */
const epochMs = 1_800_000_000_000;

export interface SimulationOptions {
  readonly observers?: readonly Observer[];
  /** How data planes are made, for example with a fault in them. */
  readonly makePlane?: PlaneMaker;
  /** Stands between a host and the network, and may change what passes. */
  readonly tamper?: (host: string, datagram: Datagram) => Datagram;
}

/** Runs a scenario step by step. The same scenario gives the same events, octet for octet. */
export class Simulation {
  readonly scenario: Scenario;
  readonly network: Network;
  readonly #queue = new EventQueue();
  readonly #hosts = new Map<string, LabHost>();
  readonly #observers: readonly Observer[];
  readonly #attacker: Attacker;
  readonly #sequences: number[];
  #now = 0;
  #flowsRun = true;

  constructor(scenario: Scenario, options: SimulationOptions = {}) {
    this.scenario = scenario;
    this.#observers = options.observers ?? [];
    const { seed } = scenario;
    const fault = (kind: FaultKind, subject: string): void =>
      this.#report({ kind: 'fault', at: this.#now, fault: kind, subject });
    const now = (): number => this.#now;
    this.network = new Network({
      queue: this.#queue,
      prng: new Prng(seed, 'network'),
      quality: scenario.link,
      now,
      fault,
    });
    this.#attacker = new Attacker(new Prng(seed, 'attacker'));
    const world: HostWorld = {
      queue: this.#queue,
      prng: new Prng(seed, 'hosts'),
      now,
      wallClock: () => epochMs + this.#now,
      send: (host, datagram) => {
        this.#attacker.overhear(datagram);
        this.network.send(host, options.tamper?.(host, datagram) ?? datagram);
      },
      report: (event) => this.#report(event),
      fault,
      lookUp: (host, name) => (this.network.isCut(host, name) ? undefined : this.network.publicAddress(name)),
    };
    for (const host of scenario.hosts) {
      const randomness = seededRandomness(seedOctets(`${seed} ${host.name}`));
      const labHost = new LabHost(host, randomness, world, options.makePlane);
      this.#hosts.set(host.name, labHost);
      this.network.attach(host, (datagram) => labHost.receive(datagram));
    }
    this.#sequences = scenario.flows.map(() => 0);
    for (const host of this.#hosts.values()) this.#queue.add({ at: 0, run: () => host.start() });
    for (const [index, flow] of scenario.flows.entries()) {
      this.#queue.add({ at: 1 + index, run: () => this.#sendPacket(flow, index) });
    }
    for (const { at, action } of scenario.timeline) {
      this.#queue.add({ at, run: () => this.act(action) });
    }
  }

  /** Virtual milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  get hosts(): readonly LabHost[] {
    return [...this.#hosts.values()];
  }

  /** @throws RangeError if there is none of this name */
  host(name: string): LabHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new RangeError(`the scenario has no host ${name}`);
    return host;
  }

  /** Lets the next thing happen. False if nothing is left to happen. */
  async step(): Promise<boolean> {
    const next = this.#queue.take();
    if (next === undefined) return false;
    if (next.ready !== undefined) await next.ready;
    this.#now = Math.max(this.#now, next.at);
    next.run();
    return true;
  }

  /** Virtual time passes, to the end or until `done` holds. Returns whether it did. */
  async run(durationMs: number, done?: () => boolean): Promise<boolean> {
    const end = this.#now + durationMs;
    for (;;) {
      if (done?.() === true) return true;
      const at = this.#queue.nextAt;
      if (at === undefined || at > end) break;
      // Nothing is awaited unless something has to be: most of what happens is synchronous.
      const next = this.#queue.take();
      if (next === undefined) break;
      if (next.ready !== undefined) await next.ready;
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
    return done?.() ?? false;
  }

  /** Gives a host a command and runs until it is answered; `undefined` if it is not within `durationMs`. */
  async command(
    host: string,
    command: EngineCommand,
    durationMs: number,
  ): Promise<CommandResult | undefined> {
    this.#report({ kind: 'action', at: this.#now, action: { kind: 'command', host, command } });
    const labHost = this.host(host);
    const id = labHost.command(command);
    if (id === undefined) return undefined;
    await this.run(durationMs, () => labHost.result(id) !== undefined);
    return labHost.result(id);
  }

  /** Makes something happen now. */
  act(action: Action): void {
    this.#report({ kind: 'action', at: this.#now, action });
    switch (action.kind) {
      case 'command':
        this.host(action.host).command(action.command);
        break;
      case 'link':
        this.network.quality = action.quality;
        break;
      case 'partition': {
        const [one, other] = action.between;
        this.network.partition(one, other);
        if (!action.oneWay) this.network.partition(other, one);
        break;
      }
      case 'reconnect':
        this.network.reconnect();
        break;
      case 'crash':
        this.host(action.host).crash();
        break;
      case 'restart':
        this.host(action.host).start();
        break;
      case 'pause':
        this.host(action.host).pause();
        break;
      case 'resume':
        this.host(action.host).resume();
        break;
      case 'rebind':
        this.network.rebind(action.host, action.address);
        break;
      case 'move':
        this.network.move(action.host, action.address);
        this.host(action.host).moveTo(action.address);
        break;
      case 'refuse-installs':
        this.host(action.host).refusal = action.probability;
        break;
      case 'inject':
        this.network.inject(action.datagram);
        break;
      case 'attack':
        this.#attack(action.attack);
        break;
      case 'flows':
        this.#flowsRun = action.running;
        break;
    }
  }

  #attack(attack: Attack): void {
    const target = this.host(attack.target);
    if (attack.kind === 'forged-icmp') {
      this.#forgeIcmp(target, attack);
      return;
    }
    for (const datagram of this.#attacker.forge(attack, target.scenario, this.#sourceOf(attack))) {
      this.#report({ kind: 'fault', at: this.#now, fault: `attack: ${attack.kind}`, subject: attack.target });
      this.network.inject(datagram);
    }
  }

  #forgeIcmp(target: LabHost, attack: Attack): void {
    const peer = this.#sourceOf({ ...attack, source: undefined });
    for (let i = 0; i < attack.count; i++) {
      this.#report({ kind: 'fault', at: this.#now, fault: 'attack: forged-icmp', subject: attack.target });
      const quote = this.#attacker.forgeQuote(target.scenario, peer, attack.offPath === true);
      target.receiveIcmpError(attack.source?.address ?? peer.address, quote);
    }
  }

  #sourceOf(attack: Pick<Attack, 'target'> & { readonly source?: Endpoint | undefined }): Endpoint {
    if (attack.source !== undefined) return attack.source;
    const peer = this.scenario.hosts.find(({ name }) => name !== attack.target);
    if (peer === undefined) throw new RangeError('nobody to impersonate');
    const address = this.network.publicAddress(peer.name) ?? peer.address;
    return { address, port: peer.configuration.ports.ike };
  }

  #sendPacket(flow: FlowScenario, flowIndex: number): void {
    this.#queue.add({ at: this.#now + flow.intervalMs, run: () => this.#sendPacket(flow, flowIndex) });
    const host = this.host(flow.from);
    if (!this.#flowsRun || !host.isRunning) return;
    const sequence = this.#sequences[flowIndex]! + 1;
    this.#sequences[flowIndex] = sequence;
    this.#report({ kind: 'packet-sent', at: this.#now, flow, flowIndex, sequence });
    host.sendPacket(innerPacket(flow.source, flow.destination, { flowIndex, sequence }, flow.payloadBytes));
  }

  #report(event: LabEvent): void {
    for (const observer of this.#observers) observer.observe(event);
  }
}

function seedOctets(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
