// Nothing leaves in the clear, and what comes out of a tunnel was put into its other end: once, unchanged, and in its place.
import type { LabEvent, Observer } from '../events.ts';
import { innerPacket, readInnerPacket, showsPlaintext } from '../inner-packet.ts';
import type { FlowScenario } from '../scenario.ts';
import { InvariantViolation } from './invariant-violation.ts';

const name = 'traffic-integrity';

export class TrafficIntegrity implements Observer {
  readonly #flows: readonly FlowScenario[];
  readonly #sent: number[];
  readonly #delivered: Set<number>[];

  constructor(flows: readonly FlowScenario[]) {
    this.#flows = flows;
    this.#sent = flows.map(() => 0);
    this.#delivered = flows.map(() => new Set());
  }

  observe(event: LabEvent): void {
    switch (event.kind) {
      case 'packet-sent':
        this.#sent[event.flowIndex] = event.sequence;
        return;
      case 'sent':
        if (showsPlaintext(event.datagram.octets)) {
          throw new InvariantViolation(name, event.at, `${event.host} sent a packet of a flow in the clear`);
        }
        return;
      case 'bypassed':
        throw new InvariantViolation(
          name,
          event.at,
          `${event.host} let a packet bypass, which no policy allows`,
        );
      case 'delivered':
        this.#deliver(event.at, event.host, event.packet);
        return;
      default:
        return;
    }
  }

  #deliver(at: number, host: string, packet: Uint8Array): void {
    const label = readInnerPacket(packet);
    const flow = label === undefined ? undefined : this.#flows[label.flowIndex];
    if (label === undefined || flow === undefined) this.#fail(at, host, 'a packet that nobody sent');
    const { flowIndex, sequence } = label;
    if (flow.stray === true) this.#fail(at, host, `a packet of flow ${flowIndex}, which no policy covers`);
    if (flow.to !== host) this.#fail(at, host, `a packet that was for ${flow.to}`);
    if (sequence > this.#sent[flowIndex]!) this.#fail(at, host, `packet ${sequence} before it was sent`);
    const { source, destination, payloadBytes } = flow;
    const original = innerPacket(source, destination, label, payloadBytes);
    if (packet.length !== original.length || packet.some((octet, i) => octet !== original[i])) {
      this.#fail(at, host, `packet ${sequence} changed`);
    }
    const delivered = this.#delivered[flowIndex]!;
    if (delivered.has(sequence)) this.#fail(at, host, `packet ${sequence} of flow ${flowIndex} twice`);
    delivered.add(sequence);
  }

  #fail(at: number, host: string, detail: string): never {
    throw new InvariantViolation(name, at, `${host} delivered ${detail}`);
  }
}
