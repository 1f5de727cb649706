// From the octets of a capture file to its story, in memory that does not grow with the file.
import { type IpAddress, isIpv6 } from '#sa';
import { type CapturePacket, CaptureReader, type WireError } from '#wire';
import { BoundedTable } from './bounded-table.ts';
import { concludeConversation, peerStory } from './conclusion.ts';
import { Conversation } from './conversation.ts';
import { FlowTracker } from './esp/flow-tracker.ts';
import { hipPacket } from './hip-tracker.ts';
import { icmpFound } from './icmp-findings.ts';
import { IkeTracker } from './ike/ike-tracker.ts';
import type { Datagram } from './ingress/datagram.ts';
import { Dissector } from './ingress/dissector.ts';
import type { IcmpReport } from './ingress/icmp-report.ts';
import type { KeyFile } from './keys/key-file.ts';
import { KeyRing } from './keys/key-ring.ts';
import { explainLimits } from './limits.ts';
import { FindingLog } from './logs.ts';
import type { CaptureStory, CaptureSummary, PeerStory, Sighting } from './story.ts';
import { count } from './words.ts';

export interface ExplainOptions {
  /** Opens what it fits, and verifies it. */
  readonly keys?: Pick<KeyFile, 'ike' | 'esp'>;
}

type Counters = {
  -readonly [Name in keyof CaptureSummary as CaptureSummary[Name] extends number ? Name : never]: number;
};

/** Within a capture, only a clock that was set, or a damaged frame, leaps so far. */
const leapUsMax = 7 * 86_400 * 1_000_000;

/**
 * `push` octets of a pcap or pcapng file as they come, `finish` once.
 *
 * What makes no sense is counted and passed over. `WireError` is thrown only for a file that does not even begin like a
 * capture.
 */
export class Explainer {
  readonly #reader = new CaptureReader({ salvage: true });
  readonly #dissector: Dissector;
  readonly #ike: IkeTracker;
  readonly #flows: FlowTracker;
  readonly #conversations: BoundedTable<string, Conversation>;
  readonly #findings = new FindingLog();
  readonly #counters: Counters = {
    frames: 0,
    octets: 0,
    ike: 0,
    esp: 0,
    ah: 0,
    hip: 0,
    keepalives: 0,
    icmpErrors: 0,
    other: 0,
    unreadable: 0,
    conversationsLeftOut: 0,
  };
  #first: Sighting | undefined;
  #last: Sighting = { frame: 0, atUs: 0 };
  #cutFrames = 0;
  /** A time that is far from the last one. */
  #leapUs: number | undefined;

  constructor(options: ExplainOptions = {}) {
    const keys = new KeyRing(options.keys);
    this.#ike = new IkeTracker(keys);
    this.#flows = new FlowTracker(keys);
    this.#conversations = new BoundedTable<string, Conversation>(
      explainLimits.conversations,
      ({ packets }) => packets,
      (given) => {
        for (const sa of given.ikeSas.values()) this.#ike.forget(sa);
        given.leave();
      },
    );
    this.#dissector = new Dissector({
      datagram: (datagram) => this.#datagram(datagram),
      icmp: (report) => this.#icmp(report),
      unreadable: (at, error) => this.#unreadable(at, error, 'frame'),
      other: () => {
        this.#counters.other++;
      },
      incomplete: (...what) => this.#incomplete(...what),
    });
  }

  /** Frames so far. */
  get frames(): number {
    return this.#counters.frames;
  }

  /** @throws WireError if this is no capture file */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
    this.#drain();
  }

  /** @throws WireError if this is no capture file */
  finish(): CaptureStory {
    this.#reader.end();
    this.#drain();
    this.#dissector.end();
    const stories = [...this.#conversations.values()].map((conversation) => this.#conclude(conversation));
    this.#aboutTheCapture();
    const counters = { ...this.#counters, conversationsLeftOut: this.#conversations.leftOut };
    const first = this.#first;
    return {
      capture: first === undefined ? counters : { ...counters, first, last: this.#last },
      findings: this.#findings.all(),
      peers: stories.filter((story) => story.packets > 0).toSorted((a, b) => order(a) - order(b)),
    };
  }

  #conclude(conversation: Conversation): PeerStory {
    this.#ike.end(conversation, this.#last.atUs);
    concludeConversation(conversation);
    return peerStory(conversation);
  }

  #drain(): void {
    for (let packet = this.#reader.next(); packet !== undefined; packet = this.#reader.next()) {
      this.#frame(packet);
    }
  }

  #frame(packet: CapturePacket): void {
    this.#counters.frames++;
    this.#counters.octets += packet.octets.length;
    if (packet.originalLength > packet.octets.length) this.#cutFrames++;
    const at: Sighting = {
      frame: this.#counters.frames,
      atUs: this.#timeOf(packet),
    };
    this.#first ??= at;
    this.#last = at;
    this.#dissector.frame(at, packet);
  }

  /** Where a frame has no time, or one that its neighbours do not share, it is as late as the frame before. */
  #timeOf({ timestampNs }: CapturePacket): number {
    if (timestampNs === undefined) return this.#last.atUs;
    const atUs = Number(timestampNs / 1000n);
    const near = (other: number | undefined): boolean =>
      other !== undefined && Math.abs(atUs - other) <= leapUsMax;
    if (this.#first === undefined || near(this.#last.atUs) || near(this.#leapUs)) {
      this.#leapUs = undefined;
      return atUs;
    }
    this.#leapUs = atUs;
    return this.#last.atUs;
  }

  #between(one: IpAddress, other: IpAddress): Conversation {
    const peers: readonly [IpAddress, IpAddress] = one < other ? [one, other] : [other, one];
    const key = `${peers[0]} ${peers[1]}`;
    const known = this.#conversations.get(key);
    if (known !== undefined) return known;
    const conversation = new Conversation(peers, (sa) => this.#ike.forget(sa));
    this.#conversations.set(key, conversation);
    return conversation;
  }

  #datagram(datagram: Datagram): void {
    const { at, kind, source, destination } = datagram;
    const conversation = this.#between(source.address, destination.address);
    conversation.packets++;
    switch (kind) {
      case 'ike': {
        this.#counters.ike++;
        const error = this.#ike.message(conversation, datagram);
        if (error !== undefined) this.#unreadable(at, error, 'IKE message', conversation);
        return;
      }
      case 'esp':
      case 'ah':
        this.#counters[kind]++;
        this.#flows.packet(conversation, datagram);
        return;
      case 'hip':
        this.#counters.hip++;
        if (!hipPacket(conversation, datagram)) this.#counters.unreadable++;
        return;
      case 'keepalive':
        this.#counters.keepalives++;
        return;
      case 'icmp-error':
        return;
    }
  }

  #icmp(report: IcmpReport): void {
    this.#counters.icmpErrors++;
    const { source, destination } = report.about;
    icmpFound(this.#between(source.address, destination.address), report);
  }

  #unreadable(at: Sighting, error: WireError, what: string, conversation?: Conversation): void {
    if (conversation === undefined) this.#counters.unreadable++;
    (conversation?.findings ?? this.#findings).find(at, {
      code: 'unreadable',
      severity: conversation === undefined ? 'note' : 'notice',
      about: what,
      what:
        conversation === undefined
          ? 'frames that cannot be read'
          : 'messages on an IKE port that cannot be read',
      why: `the ${what} in frame ${at.frame}: ${error.message}`,
      advice:
        conversation === undefined
          ? 'Damaged, cut by the capture, or of a link type that is not supported. They are passed over.'
          : 'Damaged, of another protocol on the same port, or made to confuse. They are passed over.',
    });
  }

  #incomplete(
    first: Sighting,
    source: IpAddress,
    destination: IpAddress,
    _protocol: number,
    pieces: number,
    ports: readonly [number, number] | undefined,
  ): void {
    const isIke = ports?.some((port) => port === 500 || port === 4500) ?? false;
    if (!isIke) {
      this.#counters.other++;
      return;
    }
    const conversation = this.#between(source, destination);
    conversation.packets++;
    conversation.findings.find(first, {
      code: 'fragments-lost',
      severity: 'problem',
      about: source,
      what: `a large datagram of ${source} arrives in pieces, of which some are missing`,
      why: `${count(pieces, 'IP fragment')} on UDP ${ports!.join(' to ')} from frame ${first.frame} on, and never the rest`,
      advice:
        'A firewall or NAT drops IP fragments, which stops IKE_AUTH with certificates. Use IKE fragmentation (RFC 7383, ' +
        'fragmentation = yes) or smaller certificates; for ESP, a smaller MTU or MSS inside.',
    });
  }

  #aboutTheCapture(): void {
    const { damage } = this.#reader;
    if (damage !== undefined) {
      this.#findings.find(this.#last, {
        code: 'capture-damaged',
        severity: 'notice',
        what: `the file is damaged at ${count(damage.places, 'place')}, ${count(damage.octets, 'octet')} are passed over`,
        why: damage.first.message,
        advice: 'Frames around the damage are missing below: what looks like loss may be that.',
      });
    }
    if (this.#cutFrames > 0) {
      this.#findings.find(this.#last, {
        code: 'frames-cut',
        severity: 'note',
        what: `${count(this.#cutFrames, 'frame')} are not captured in full`,
        why: 'their captured length is below their length on the wire',
        advice:
          'Capture with the full length (tcpdump -s 0): IKE messages cannot be read and ESP cannot be verified without it.',
      });
    }
  }
}

/** Conversations in the order in which they begin; IPv4 first where that is the same. */
function order({ events, findings, flows, peers }: PeerStory): number {
  const frames = [...events, ...findings, ...flows.map(({ first }) => first)].map(({ frame }) => frame);
  return Math.min(...frames, Number.MAX_SAFE_INTEGER) + (isIpv6(peers[0]) ? 0.5 : 0);
}
