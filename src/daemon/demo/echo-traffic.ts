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

/** A host that pings another and answers its pings. */
export class EchoTraffic {
  readonly #source: Uint8Array;
  readonly #destination: Uint8Array;
  readonly #send: (packet: Uint8Array) => void;
  readonly counters: EchoCounters = { requestsSent: 0, repliesReceived: 0, requestsAnswered: 0 };

  /** @param send gives an IP packet to the data plane */
  constructor(host: string, peer: string, send: (packet: Uint8Array) => void) {
    this.#source = addressBytes(address(host));
    this.#destination = addressBytes(address(peer));
    this.#send = send;
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
    if (message.kind === 'echo-reply') this.counters.repliesReceived++;
    if (message.kind !== 'echo-request') return;
    this.counters.requestsAnswered++;
    this.#transmit({ ...message, kind: 'echo-reply' });
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
    this.#send(packet);
  }
}
