// ESP and AH packets: which SPI, who negotiated it, whether numbers are missing or come again, and whether it opens.
import { formatEndpoint } from '#sa';
import { readU32 } from '#wire';
import type { Conversation } from '../conversation.ts';
import type { Datagram } from '../ingress/datagram.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Sighting } from '../story.ts';
import { count, duration } from '../words.ts';
import { EspOpener } from './esp-opener.ts';
import { Flow } from './flow.ts';

/** A fresh SA begins to count at 1, and a few packets may pass before a capture sees one. */
const freshSequenceMax = 64;
/** A flow that begins so long after an exchange that could not be read is likely its child. */
const likelyWithinUs = 300_000_000;
/** Loss from which on an operator should look, and from which on traffic suffers. */
const lossShareTold = 0.001;
const lossShareSerious = 0.05;
const lossSerious = 20;
/** So many packets after a Delete are no longer those that were on their way. */
const afterDeleteUs = 1_000_000;

export class FlowTracker {
  readonly #keys: KeyRing;

  constructor(keys: KeyRing) {
    this.#keys = keys;
  }

  packet(conversation: Conversation, { kind, at, source, destination, ...datagram }: Datagram): void {
    const { octets } = datagram;
    const protocol = kind === 'ah' ? 'ah' : 'esp';
    const spiAt = protocol === 'ah' ? 4 : 0;
    if (octets.length < spiAt + 8) return;
    const spi = readU32(octets, spiAt);
    const sequence = readU32(octets, spiAt + 4);
    const key = `${protocol} ${spi} ${source.address}`;
    let flow = conversation.flows.get(key);
    const isNew = flow === undefined;
    if (flow === undefined) {
      flow = new Flow(protocol, spi, source, destination, at, sequence);
      flow.origin = originOf(conversation, flow);
      const cipher = protocol === 'esp' ? this.#keys.esp(spi, destination.address) : undefined;
      if (cipher !== undefined) flow.opener = new EspOpener(cipher);
      conversation.flows.set(key, flow);
    }
    const twice = !isNew && this.#follow(conversation, flow, at, sequence);
    flow.packets++;
    flow.octets += datagram.lengthBytes;
    flow.last = { frame: at.frame, atUs: at.atUs };
    if (datagram.encapsulated) this.#ports(conversation, flow, source, at);
    // A single packet with an SPI of its own is what scanners send, and nobody's story.
    if (!flow.told && flow.packets === 2) tellBeginning(conversation, flow);
    if (flow.opener !== undefined && octets.length === datagram.lengthBytes) this.#open(flow, octets);
    if (flow.deleted !== undefined && at.atUs - flow.deleted.atUs > afterDeleteUs) {
      conversation.findings.find(at, {
        code: 'used-after-delete',
        severity: 'problem',
        about: flow.name,
        what: `${source.address} goes on using ${flow.name}, which was deleted in frame ${flow.deleted.frame}`,
        why: `a packet ${duration(at.atUs - flow.deleted.atUs)} after the Delete`,
        advice: `${source.address} did not take the SA down, or routes by an old one: look at its SAD (ip xfrm state).`,
      });
    }
    if (!twice) {
      const spoken = isNew && formerOf(conversation, flow) === undefined ? 'esp-new' : 'esp';
      conversation.silence.heard(conversation.sideOf(source.address), at, spoken, spi);
    }
  }

  /** @returns whether it is the packet before once more */
  #follow(conversation: Conversation, flow: Flow, at: Sighting, sequence: number): boolean {
    const before = flow.sequence.highest;
    const { largestGap } = flow.sequence;
    const step = flow.sequence.see(sequence, at.atUs);
    if (flow.sequence.largestGap > largestGap) flow.largestGapAt = { frame: at.frame, atUs: at.atUs };
    if (step === 'restart') {
      conversation.events.tell(at, 'sequence-restart', `${flow.name}: numbers start over at ${sequence}`);
      conversation.findings.find(at, {
        code: 'sequence-restart',
        severity: 'problem',
        about: flow.name,
        what: `${flow.source} counts ${flow.name} from a lower number again: ${sequence} after ${before}`,
        why: `several numbers in their order that were seen before, up to frame ${at.frame}`,
        advice:
          'The receiver drops them as replays. A host that was restored from a snapshot or cloned does this, and so ' +
          'does somebody who replays recorded packets; with AES-GCM or CCM a repeated number can expose the text. Rekey.',
      });
    } else if (step === 'jump') {
      conversation.events.tell(
        at,
        'sequence-jump',
        `${flow.name}: numbers jump from ${before} to ${sequence}, as after a start from reserved numbers`,
      );
    } else if (step === 'again' || step === 'old') {
      conversation.findings.find(at, {
        code: 'replay',
        severity: 'notice',
        about: flow.name,
        what: `${flow.name} from ${flow.source}: ${count(flow.sequence.replayed, 'sequence number')} came again`,
        why: `${sequence} in frame ${at.frame}, with ${flow.sequence.highest} the highest so far`,
        advice:
          'The receiver drops these. A network that doubles packets late, or an attacker who replays them.',
      });
    }
    return step === 'twice';
  }

  #ports(conversation: Conversation, flow: Flow, source: Datagram['source'], at: Sighting): void {
    if (!flow.encapsulated) {
      flow.encapsulated = true;
      flow.lastPort = source;
    } else if (flow.lastPort.port !== source.port) {
      const [was, is] = [formatEndpoint(flow.lastPort), formatEndpoint(source)];
      flow.lastPort = source;
      conversation.events.tell(at, 'port-changed', `${flow.name} comes from ${is} instead of ${was}`);
      conversation.findings.find(at, {
        code: 'nat-rebinding',
        severity: 'notice',
        about: flow.source,
        what: `the port of ${flow.source} changed under ${flow.name}`,
        why: `${was} before frame ${at.frame}, ${is} from it on`,
        advice:
          'A NAT forgot the mapping and made another. Its timeout is shorter than the NAT keepalives of the side behind it: ' +
          'lower their interval (keep_alive), and see that the other side follows.',
      });
    }
  }

  #open(flow: Flow, octets: Uint8Array): void {
    const content = flow.opener?.open(octets);
    if (content === undefined) flow.forged++;
    else {
      flow.verified++;
      flow.inner.see(content);
    }
  }
}

/** The same SA between other addresses, before its IKE SA moved. */
function formerOf(conversation: Conversation, { protocol, spi }: Flow): Flow | undefined {
  const [, ...relatives] = conversation.family;
  for (const { flows } of relatives) {
    for (const one of flows.values()) if (one.protocol === protocol && one.spi === spi) return one;
  }
  return undefined;
}

function originOf(conversation: Conversation, flow: Flow): Flow['origin'] {
  const { family } = conversation;
  if (family.some((one) => negotiated(one, flow.spi))) return 'negotiated';
  const former = formerOf(conversation, flow);
  if (former !== undefined) return former.origin;
  const fresh = flow.sequence.first <= freshSequenceMax;
  const likely = family.some(
    ({ sealedNegotiation: sealed }) => sealed !== undefined && flow.first.atUs - sealed.atUs < likelyWithinUs,
  );
  if (fresh && likely) return 'likely';
  return fresh ? 'unknown' : 'before';
}

function negotiated({ ikeSas, hipAssociations }: Conversation, spi: number): boolean {
  for (const { children } of ikeSas.values()) {
    if (children.some(({ initiatorSpi, responderSpi }) => initiatorSpi === spi || responderSpi === spi))
      return true;
  }
  for (const { spis } of hipAssociations.values()) if (spis.has(spi)) return true;
  return false;
}

function tellBeginning(conversation: Conversation, flow: Flow): void {
  flow.told = true;
  const whose: Readonly<Record<Flow['origin'], string>> = {
    negotiated: '',
    likely: ', likely made by the exchange before',
    before: ', under way when the capture began to see it',
    unknown: ', which nothing in this capture negotiated',
  };
  const how = flow.encapsulated ? ' in UDP' : '';
  conversation.events.tell(
    flow.first,
    'esp-begins',
    `${flow.source} sends ${flow.name}${how} from number ${flow.sequence.first}${whose[flow.origin]}`,
  );
}

/** What can be said of a flow once it is over. */
export function concludeFlow(conversation: Conversation, flow: Flow): void {
  const { findings } = conversation;
  const { sequence } = flow;
  const expected = flow.packets - sequence.replayed - sequence.twice + sequence.missing;
  if (sequence.missing > 0 && expected > 0) {
    const share = sequence.missing / expected;
    const percent = `${(100 * share).toFixed(share < 0.01 ? 2 : 1)} %`;
    const serious = share > lossShareSerious && sequence.missing >= lossSerious;
    findings.find(flow.largestGapAt ?? flow.first, {
      code: 'sequence-gap',
      severity: serious ? 'problem' : share > lossShareTold ? 'notice' : 'note',
      about: flow.name,
      what: `${flow.name} from ${flow.source}: ${count(sequence.missing, 'packet')} of ${expected} missing (${percent})`,
      why: `the largest gap, ${count(sequence.largestGap, 'number')}, ends with ${sequence.afterLargestGap}`,
      advice:
        'Lost before the capture point, or by the capture itself (tcpdump says how many the kernel dropped). Compare with ' +
        'a capture at the sender.',
    });
  }
  if (sequence.reordered > 0) {
    findings.find(flow.first, {
      code: 'reordered',
      severity: sequence.reordered > 64 ? 'notice' : 'note',
      about: flow.name,
      what: `${flow.name} from ${flow.source}: ${count(sequence.reordered, 'packet')} out of order`,
      why: 'numbers below the highest that had not been seen',
      advice:
        'Harmless within the replay window of the receiver (often 32 or 64 packets): raise replay_window if not.',
    });
  }
  if (sequence.twice > 0) {
    findings.find(flow.first, {
      code: 'captured-twice',
      severity: 'note',
      about: 'esp',
      what: 'packets appear twice within milliseconds',
      why: `${count(sequence.twice, 'packet')} of ${flow.name}`,
      advice:
        'Most likely one frame seen on two devices (tcpdump -i any). They are counted once for losses and replays.',
    });
  }
  if (flow.origin === 'unknown' && flow.packets > 1) {
    findings.find(flow.first, {
      code: 'spi-not-negotiated',
      severity: 'notice',
      about: flow.name,
      what: `${flow.source} sends ${flow.name}, which nobody negotiated in this capture`,
      why: `it begins at number ${sequence.first} in frame ${flow.first.frame}, without an exchange before it that could have made it`,
      advice:
        'Its keys were set by hand, or IKE runs elsewhere (another address or port, TCP), or the capture filter left IKE out. ' +
        'If none of this is so, the receiver will not know the SPI.',
    });
  }
  if (flow.forged > 0) {
    findings.find(flow.first, {
      code: 'icv-wrong',
      severity: 'problem',
      about: flow.name,
      what: `${flow.name} from ${flow.source}: the ICV of ${count(flow.forged, 'packet')} is wrong`,
      why: `${flow.verified} of ${flow.verified + flow.forged} are right with the key given`,
      advice:
        flow.verified === 0
          ? 'The key may belong to another SA, or the sender uses other keys than were logged: both sides must agree.'
          : 'Damaged or forged on the way; the receiver drops them.',
    });
  }
}
