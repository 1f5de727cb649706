// What a fuzzed input says to a HIP host: packets of its peer and of strangers, commands of its own, events of its data plane.
//
// Each step: what it is (1 octet), packet type or number (1), flags (1), length (2), then so many octets or as many as there
// are: of packets all parameters but MACs and signatures.
import type { HipCommand, HipPath } from '#hip';
import type { DataPlaneEvent, Spi } from '#sa';
import { decodeHipHeader, hipUdpPort, writeHipChecksum, zeroHit } from '#wire';
import {
  checksumAddresses,
  type FuzzedHipHost,
  identities,
  isOfExchange,
  places,
  type Sent,
} from './hip-host.ts';
import { FuzzPeer } from './hip-peer.ts';

export const HipStepKind = {
  PEER: 0,
  /** Somebody with an identity of his own. */
  STRANGER: 1,
  /** Somebody who says that he is the peer. */
  FORGED: 2,
  /** A whole packet, as it stands. */
  RAW: 3,
  /** A packet that the peer or a stranger has sent before. */
  REPLAYED: 4,
  /** A packet that the host has sent itself. */
  REFLECTED: 5,
  COMMAND: 6,
  EVENT: 7,
} as const;

export const HipStepFlag = {
  ELSEWHERE: 0x01,
  UDP: 0x02,
  /** Nothing is filled in. */
  LITERAL: 0x04,
  OLDEST: 0x08,
  TO_OTHER_ADDRESS: 0x10,
} as const;

/** The upper three bits of the flags: time that passes first. */
const waitsMs = [0, 0, 0, 10, 1_000, 5_000, 60_000, 600_000] as const;
const stepHeaderBytes = 5;
const stepsMax = 16;
const kinds = Object.keys(HipStepKind).length;

export interface HipStep {
  readonly kind: number;
  readonly number: number;
  readonly flags: number;
  readonly octets: Uint8Array;
}

export function encodeHipSteps(steps: readonly HipStep[]): Uint8Array {
  return Uint8Array.from(
    steps.flatMap(({ kind, number, flags, octets }) => [
      kind,
      number,
      flags,
      octets.length >>> 8,
      octets.length & 0xff,
      ...octets,
    ]),
  );
}

export function decodeHipSteps(octets: Uint8Array): readonly HipStep[] {
  const steps: HipStep[] = [];
  for (let at = 0; at + stepHeaderBytes <= octets.length && steps.length < stepsMax; ) {
    const [kind = 0, number = 0, flags = 0, high = 0, low = 0] = octets.subarray(at);
    const start = at + stepHeaderBytes;
    at = start + (high << 8) + low;
    steps.push({ kind: kind % kinds, number, flags, octets: octets.slice(start, at) });
  }
  return steps;
}

export const HipStepCommand = {
  ASSOCIATE: 0,
  REKEY: 1,
  CHECK: 2,
  CLOSE: 3,
  MOVE: 4,
  MOVE_BACK: 5,
  LOSE_ADDRESS: 6,
  GAIN_ADDRESS: 7,
  CALL_ANYBODY: 8,
} as const;

const local = identities.sun.identity.hit;
const remote = identities.moon.identity.hit;
const reason = 'fuzzing';

function commandOf(number: number): HipCommand {
  const path = {
    local: { address: places.sun, port: 0 },
    remote: { address: places.moon, port: 0 },
  };
  const commands: readonly HipCommand[] = [
    { kind: 'associate', remote, path, reason },
    { kind: 'rekey', local, remote },
    { kind: 'check', local, remote, reason },
    { kind: 'close', local, remote, reason },
    { kind: 'move', from: places.sun, to: places.sunElsewhere },
    { kind: 'move', from: places.sunElsewhere, to: places.sun },
    { kind: 'addresses', own: new Set([places.sunElsewhere]) },
    { kind: 'addresses', own: new Set([places.sun, places.sunElsewhere]) },
    { kind: 'associate', remote: zeroHit, path, reason },
  ];
  return commands[number % commands.length]!;
}

export const HipStepEvent = {
  FIRST_INBOUND: 0,
  SOFT_EXPIRED: 1,
  HARD_EXPIRED: 2,
  TRAFFIC_IN: 3,
  TRAFFIC_OUT: 4,
  MAPPING_CHANGED: 5,
} as const;

function happen(host: FuzzedHipHost, number: number): void {
  const { childId, newestInbound, now } = host;
  if (newestInbound === undefined) return;
  const of = { protocol: 'esp', spi: newestInbound as Spi, childId, direction: 'inbound' } as const;
  const events: readonly DataPlaneEvent[] = [
    { kind: 'first-inbound', protocol: 'esp', spi: of.spi, childId },
    { kind: 'soft-expired', ...of },
    { kind: 'hard-expired', ...of },
  ];
  const at = number % Object.keys(HipStepEvent).length;
  const event = events[at];
  if (event !== undefined) host.give({ kind: 'data-plane', event });
  else if (at === HipStepEvent.MAPPING_CHANGED) {
    const elsewhere = { address: places.moonElsewhere, port: hipUdpPort };
    host.give({
      kind: 'data-plane',
      event: { kind: 'mapping-changed', protocol: 'esp', spi: of.spi, childId, remote: elsewhere },
    });
  } else if (at === HipStepEvent.TRAFFIC_IN) host.give({ kind: 'traffic', childId, lastInboundAt: now });
  else host.give({ kind: 'traffic', childId, lastOutboundAt: now });
}

function pathOf({ kind, flags }: HipStep): HipPath {
  const port = (flags & HipStepFlag.UDP) !== 0 ? hipUdpPort : 0;
  const elsewhere = (flags & HipStepFlag.ELSEWHERE) !== 0;
  const isPeer = kind !== HipStepKind.STRANGER;
  const home = isPeer ? places.moon : places.stranger;
  const away = isPeer && kind !== HipStepKind.REPLAYED ? places.moonElsewhere : places.stranger;
  const to = (flags & HipStepFlag.TO_OTHER_ADDRESS) !== 0 ? places.sunElsewhere : places.sun;
  return {
    local: { address: to, port },
    remote: { address: elsewhere ? away : home, port },
  };
}

interface Earlier {
  readonly octets: Uint8Array;
  /** The host made nothing of it: who sends it again may be the first who is heard. */
  readonly ignored: boolean;
}

/** The conversation of a host with a peer, a stranger, and whoever forges and repeats. */
export class HipPlay {
  readonly host: FuzzedHipHost;
  readonly #moon = new FuzzPeer('moon');
  readonly #stranger = new FuzzPeer('stranger');
  readonly #said: Earlier[] = [];
  readonly #heard: Uint8Array[] = [];

  constructor(host: FuzzedHipHost) {
    this.host = host;
  }

  /** Throws if the host breaks a promise. */
  play(steps: readonly HipStep[]): void {
    const { host } = this;
    for (const step of steps) {
      host.wait(waitsMs[step.flags >>> 5] ?? 0);
      this.#listen();
      if (step.kind === HipStepKind.COMMAND) host.give({ kind: 'command', command: commandOf(step.number) });
      else if (step.kind === HipStepKind.EVENT) happen(host, step.number);
      else this.#deliver(step);
      host.checkBounds();
      this.#listen();
    }
  }

  #deliver(step: HipStep): void {
    const { host } = this;
    const { kind, number } = step;
    const earlier = this.#said[number % Math.max(1, this.#said.length)];
    const octets = this.#packet(step, earlier);
    if (octets === undefined || octets.length < 40) return;
    const path = pathOf(step);
    octets.fill(0, 4, 6);
    if (path.remote.port === 0) writeHipChecksum(octets, checksumAddresses(path.remote, path.local));
    const before = host.standing;
    host.give({ kind: 'packet', path, octets });
    const has = kind === HipStepKind.PEER || kind === HipStepKind.STRANGER;
    if (has) {
      const ignored = host.rejections > 0 || host.sent.length === 0;
      this.#said.push({ octets, ignored });
      if (host.sent.length > 24) throw new Error(`broken promise: ${host.sent.length} packets for one`);
      return;
    }
    if (kind === HipStepKind.REPLAYED && earlier?.ignored === true) return;
    if (host.standing !== before)
      throw new Error(
        `broken promise: nothing that proves nothing changes an SA: ${before} ${host.standing}`,
      );
    checkAnswers(host.sent, octets.length + (kind === HipStepKind.REPLAYED ? answerMoreBytes : 0));
  }

  #packet(step: HipStep, earlier: Earlier | undefined): Uint8Array | undefined {
    const { kind, number: packetType, flags, octets: parameters } = step;
    const said = {
      packetType,
      parameters,
      live: (flags & HipStepFlag.LITERAL) === 0,
      oldest: (flags & HipStepFlag.OLDEST) !== 0,
    };
    switch (kind) {
      case HipStepKind.PEER:
        return this.#moon.say(said);
      case HipStepKind.STRANGER:
        return this.#stranger.say(said);
      case HipStepKind.FORGED:
        return FuzzPeer.forged('moon', 'stranger', said);
      case HipStepKind.RAW:
        return withLength(parameters);
      case HipStepKind.REPLAYED:
        return earlier?.octets.slice();
      default:
        return this.#heard[packetType % Math.max(1, this.#heard.length)]?.slice();
    }
  }

  /** Both hear what was sent to them. */
  #listen(): void {
    for (const { octets } of this.host.sent.splice(0)) {
      this.#heard.push(octets);
      const { receiver } = decodeHipHeader(octets);
      (receiver === identities.stranger.identity.hit ? this.#stranger : this.#moon).hear(octets);
    }
  }
}

/** What the peer has proven once it may hear again, with one or two short parameters more than it has said itself. */
const answerMoreBytes = 24;

/** RFC 7401 6.7: only R1 may be larger than what it answers, and the one I2 that answers the R1 we have asked for. */
function checkAnswers(sent: readonly Sent[], lengthBytes: number): void {
  if (sent.length > 1) throw new Error(`broken promise: ${sent.length} packets for one that proves nothing`);
  for (const { octets } of sent)
    if (octets.length > lengthBytes && !isOfExchange(octets) && !isRelayed(octets))
      throw new Error(`broken promise: ${octets.length} octets for ${lengthBytes} that prove nothing`);
}

/** A rendezvous server adds who asks, within a rate of its own. */
function isRelayed(octets: Uint8Array): boolean {
  return decodeHipHeader(octets).sender !== local;
}

/** Mutations hardly ever get the length in a header right. */
function withLength(octets: Uint8Array): Uint8Array {
  const whole = octets.slice(0, Math.min(2_048, octets.length - (octets.length % 8)));
  if (whole.length > 1) whole[1] = Math.max(0, whole.length / 8 - 1);
  return whole;
}
