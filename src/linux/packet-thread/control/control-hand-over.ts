// What the packet thread gives to the control thread, which what strangers send must not drown.
import type { MessagePort } from 'node:worker_threads';
import type { TooBig } from '#ipsec';
import type { DataPlaneEvent, Endpoint, SaResult } from '#sa';
import { hipUdpPort, removeNonEspMarker } from '#wire';
import type { IcmpError } from '../../sockets/icmp-errors.ts';
import { PeerAddresses } from '../floods/peer-addresses.ts';
import type { PacketCounter } from '../packet-counters.ts';
import type { ControlQueue } from './control-queue.ts';
import type { FromPacketThread } from './messages.ts';

/** What became of packets of one kind. */
class Admissions {
  ofPeers = 0;
  ofStrangers = 0;
  refused = 0;
  readonly counters: readonly PacketCounter[];

  constructor(kind: string) {
    this.counters = [
      [`${kind}-of-peers`, () => this.ofPeers],
      [`${kind}-of-strangers`, () => this.ofStrangers],
      [`${kind}-refused`, () => this.refused],
    ];
  }

  admit(queue: ControlQueue, ofPeer: boolean): boolean {
    if (!queue.admit(ofPeer)) {
      this.refused++;
      return false;
    }
    if (ofPeer) this.ofPeers++;
    else this.ofStrangers++;
    return true;
  }
}

export class ControlHandOver {
  /** Where our SAs lead: to be told of every command. */
  readonly peers: PeerAddresses = new PeerAddresses();
  readonly #port: MessagePort;
  /** For the end of this round of the loop: each message on its way is a wake-up of the control thread. */
  #outbox: FromPacketThread[] = [];
  readonly #queue: ControlQueue;
  readonly #ike = new Admissions('ike');
  readonly #hip = new Admissions('hip');
  #icmpOfPeers = 0;
  #icmpIgnored = 0;

  readonly ikeCounters: readonly PacketCounter[] = this.#ike.counters;
  readonly hipCounters: readonly PacketCounter[] = this.#hip.counters;
  readonly icmpCounters: readonly PacketCounter[] = [
    ['icmp-of-peers', () => this.#icmpOfPeers],
    ['icmp-ignored', () => this.#icmpIgnored],
  ];

  constructor(port: MessagePort, queue: ControlQueue) {
    this.#port = port;
    this.#queue = queue;
  }

  /** What is never dropped. It leaves with the next `flush`. */
  post(message: FromPacketThread): void {
    this.#outbox.push(message);
  }

  /** What became of a command. */
  answer(id: number, result: SaResult): void {
    if (!result.ok) {
      this.post({ kind: 'sa-result', id, result });
      return;
    }
    // All that went well one after the other is one thing to say.
    const last = this.#outbox.at(-1);
    if (last?.kind === 'sa-done') last.ids.push(id);
    else this.post({ kind: 'sa-done', ids: [id] });
  }

  /** At the end of each round of the loop, before it waits. */
  flush(): void {
    if (this.#outbox.length === 0) return;
    this.#port.postMessage(this.#outbox);
    this.#outbox = [];
  }

  /**
   * An IKE datagram: dropped while the control thread is behind, those of strangers sooner than our peers'. To HIP's port
   * comes HIP, behind the same marker (RFC 9028 5.1).
   */
  datagram(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    if (local.port === hipUdpPort) {
      const packet = removeNonEspMarker(octets);
      if (packet !== undefined) this.hipPacket(local, remote, packet);
      return;
    }
    const ofPeer = this.peers.has(remote.address);
    if (!this.#ike.admit(this.#queue, ofPeer)) return;
    this.post({ kind: 'datagram', ofPeer, local, remote, octets: octets.slice() });
  }

  /** Like an IKE datagram: what an I1 costs is spent on the control thread. */
  hipPacket(local: Endpoint, remote: Endpoint, octets: Uint8Array): void {
    const ofPeer = this.peers.has(remote.address);
    if (!this.#hip.admit(this.#queue, ofPeer)) return;
    this.post({ kind: 'hip-packet', ofPeer, local, remote, octets: octets.slice() });
  }

  /** What is said of packets to others than our peers is no hint about anything of ours. */
  icmpError(error: IcmpError): void {
    if (this.peers.has(error.quote.destination) && this.#queue.admit(false)) {
      this.#icmpOfPeers++;
      this.post({ kind: 'icmp-error', error });
    } else this.#icmpIgnored++;
  }

  /** About a packet of none of this thread's SAs. False if it is of none of our peers either, or there is no room. */
  tooBig(error: TooBig): boolean {
    if (!this.peers.has(error.remote) || !this.#queue.admit(false)) return false;
    this.post({ kind: 'too-big', error });
    return true;
  }

  /** False if it is evidence of an unknown SPI for which there is no room. */
  event(event: DataPlaneEvent): boolean {
    if (event.kind === 'unknown-spi' && !this.#queue.admit(true)) return false;
    this.post({ kind: 'event', event });
    return true;
  }
}
