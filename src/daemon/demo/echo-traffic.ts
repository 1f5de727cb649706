// Traffic without a TUN device: ICMP echo requests from a host behind one gateway, answered behind the other.
import { address, addressBytes } from '#sa';
import { decodeIcmpv4, decodeIpv4, encodeIcmpv4, encodeIpv4, type Icmpv4Message, WireError } from '#wire';

const icmpProtocol = 1;
const requestDataBytes = 56;

/** Counts of one end. */
export interface EchoCounters {
  requestsSent: number;
  repliesReceived: number;
  requestsAnswered: number;
}

/** Where its packets go, and who hears of answers. */
export interface EchoListener {
  /** Gives an IP packet to the data plane. */
  send(packet: Uint8Array): void;
  /** @param lost how many pings before it, since the answer before it, had none */
  answered(lost: number): void;
}

/** A host that pings another and answers its pings. */
export class EchoTraffic {
  readonly #source: Uint8Array;
  readonly #destination: Uint8Array;
  readonly #listener: EchoListener;
  /** By `childId`: a fresh Child SA comes before the forgotten one goes. */
  readonly #standing = new Set<number>();
  #lastAnswered: number | undefined;
  readonly counters: EchoCounters = { requestsSent: 0, repliesReceived: 0, requestsAnswered: 0 };

  constructor(host: string, peer: string, listener: EchoListener) {
    this.#source = addressBytes(address(host));
    this.#destination = addressBytes(address(peer));
    this.#listener = listener;
  }

  childUp(childId: number): void {
    this.#standing.add(childId);
  }

  childDown(childId: number): void {
    this.#standing.delete(childId);
  }

  pingIfUp(): void {
    if (this.#standing.size > 0) this.ping();
  }

  ping(): void {
    this.counters.requestsSent++;
    this.#transmit({
      kind: 'echo-request',
      identifier: 1,
      sequence: this.counters.requestsSent & 0xffff,
      data: new Uint8Array(requestDataBytes),
    });
  }

  /** A packet that came out of the tunnel. */
  receive(packet: Uint8Array): void {
    let message: Icmpv4Message;
    try {
      const { protocol, payload } = decodeIpv4(packet);
      if (protocol !== icmpProtocol) return;
      message = decodeIcmpv4(payload);
    } catch (error) {
      if (error instanceof WireError) return;
      throw error;
    }
    if (message.kind === 'echo-reply') {
      this.counters.repliesReceived++;
      this.#answered(message.sequence);
    }
    if (message.kind !== 'echo-request') return;
    this.counters.requestsAnswered++;
    this.#transmit({ ...message, kind: 'echo-reply' });
  }

  #answered(sequence: number): void {
    const ahead = (sequence - (this.#lastAnswered ?? sequence - 1)) & 0xffff;
    // Once more, or overtaken.
    if (ahead === 0 || ahead > 0x7fff) return;
    this.#lastAnswered = sequence;
    this.#listener.answered(ahead - 1);
  }

  #transmit(message: Icmpv4Message): void {
    const packet = encodeIpv4({
      version: 4,
      dscp: 0,
      ecn: 0,
      identification: 0,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      timeToLive: 64,
      protocol: icmpProtocol,
      source: this.#source,
      destination: this.#destination,
      options: new Uint8Array(0),
      payload: encodeIcmpv4(message),
    });
    this.#listener.send(packet);
  }
}
