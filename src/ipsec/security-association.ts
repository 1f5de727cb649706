// One entry of the SAD at work (RFC 4301 4.4.2): parameters, keys, and the state which packets change.
import { type PacketCipher, type PacketKeys, packetCipher } from '#crypto';
import {
  type Endpoint,
  type IpAddress,
  isIpv6,
  type SaParameters,
  type SequenceNumber,
  type UdpEncapsulation,
} from '#sa';
import type { Credit } from './credit.ts';
import { type AddressPair, beetAddresses } from './inner-addresses.ts';
import { SelectorMatcher } from './policy/selector-match.ts';
import { ReplayWindow } from './replay-window.ts';
import { Reservation } from './reservation.ts';
import type { SaProgress } from './sa-progress.ts';
import { SequenceCounter } from './sequence-counter.ts';
import { Usage } from './usage.ts';

/**
 * A cipher that knows how an ESP packet is laid out: SPI and sequence number at `start`, IV, text of `textBytes`, ICV.
 * Views of the parts, which `seal` and `open` take, are half of what a packet costs once its cipher is fast.
 */
export interface EspPacketCipher extends PacketCipher {
  /** @param sequenceHigh -1 without ESN */
  sealEsp(octets: Uint8Array, start: number, textBytes: number, sequenceHigh: number): void;
  /** False leaves the text unspecified. */
  openEsp(octets: Uint8Array, start: number, textBytes: number, sequenceHigh: number): boolean;
}

/**
 * Makes the object that seals and opens an SA's packets. It may be an `EspPacketCipher`. It throws `CryptoError` for what it cannot do, and keeps no
 * reference to the keys it is given.
 */
export type PacketCipherFactory = (keys: PacketKeys) => PacketCipher;

/** What an SA may be given besides its parameters. */
export interface SaState {
  /** The highest sequence number that may have been used or received, if the SA is taken over from an earlier run. */
  readonly last?: SequenceNumber | undefined;
  /** Where its cipher comes from; from the crypto room by default. */
  readonly makeCipher?: PacketCipherFactory | undefined;
  /** Where it notes how far it has come, and goes on from what is noted there. */
  readonly progress?: SaProgress | undefined;
}

/** What an outbound and an inbound SA have in common. */
abstract class SecurityAssociation {
  readonly parameters: SaParameters;
  readonly cipher: PacketCipher;
  /** The same one, if it can do more. */
  readonly espCipher: EspPacketCipher | undefined;
  readonly matcher: SelectorMatcher;
  readonly usage: Usage;
  /** Absent: every number may be used. */
  readonly reservation: Reservation | undefined;
  readonly esn: boolean;
  readonly spi: number;
  /** Shared by the SAs of a pair that counts it. */
  credit: Credit | undefined;
  readonly #beetAddresses: AddressPair | undefined;
  #local: Endpoint;
  #remote: Endpoint;
  #encapsulation: UdpEncapsulation | undefined;

  /** @throws CryptoError for algorithms or keys that the crypto room refuses */
  protected constructor(
    parameters: SaParameters,
    at: number,
    { makeCipher = packetCipher, progress }: SaState,
  ) {
    this.parameters = parameters;
    this.matcher = new SelectorMatcher(parameters.selectors);
    this.cipher = makeCipher(parameters);
    this.espCipher = 'sealEsp' in this.cipher ? (this.cipher as EspPacketCipher) : undefined;
    this.usage = new Usage(parameters.lifetimes, at, progress);
    this.#beetAddresses = parameters.mode === 'beet' ? beetAddresses(parameters) : undefined;
    this.esn = parameters.esn;
    const { reservation } = parameters;
    this.reservation = reservation === undefined ? undefined : new Reservation(parameters.esn, reservation);
    this.spi = parameters.spi;
    this.#encapsulation = parameters.encapsulation;
    this.#local = { address: parameters.local, port: parameters.encapsulation?.localPort ?? 0 };
    this.#remote = { address: parameters.remote, port: parameters.encapsulation?.remotePort ?? 0 };
  }

  /** Our end of the outer header; the port is 0 without UDP encapsulation. */
  get local(): Endpoint {
    return this.#local;
  }

  get remote(): Endpoint {
    return this.#remote;
  }

  get encapsulated(): boolean {
    return this.#encapsulation !== undefined;
  }

  /** The addresses of the packets inside, where the mode fixes them: everywhere but in tunnel mode. */
  get innerLocal(): IpAddress {
    return this.#beetAddresses?.local ?? this.#local.address;
  }

  get innerRemote(): IpAddress {
    return this.#beetAddresses?.remote ?? this.#remote.address;
  }

  /** Moves the SA to other addresses (RFC 4555 3.5, RFC 7296 2.23). Sequence and replay state stay as they are. */
  move(local: Endpoint, remote: Endpoint, encapsulated: boolean): void {
    this.#encapsulation = encapsulated ? { localPort: local.port, remotePort: remote.port } : undefined;
    this.#local = encapsulated ? local : { address: local.address, port: 0 };
    this.#remote = encapsulated ? remote : { address: remote.address, port: 0 };
  }

  /** Octets of the outer IP and UDP headers. */
  get outerHeaderBytes(): number {
    return (isIpv6(this.#remote.address) ? 40 : 20) + (this.encapsulated ? 8 : 0);
  }

  /** The highest number used or received so far. */
  abstract get lastSequence(): SequenceNumber;

  /** Wipes the keys. */
  destroy(): void {
    this.cipher.destroy();
    wipeKeys(this.parameters);
  }
}

export function wipeKeys({ encryption, integrity }: PacketKeys): void {
  encryption?.key.fill(0);
  integrity?.key.fill(0);
}

/** The number to go on behind: what was noted lies beyond what the SA was installed with. */
function lastOf(parameters: SaParameters, { last, progress }: SaState): SequenceNumber | undefined {
  return last ?? progress?.last ?? parameters.reservation?.last;
}

/** An SA by which packets leave, with its sequence counter. */
export class OutboundSa extends SecurityAssociation {
  readonly sequence: SequenceCounter;
  /** What is known of the path to the peer, in octets of the outer IP packet. */
  pathMtuBytes: number | undefined;
  /** Whatever is inside, its packets may be cut on their way: of this path it cannot be known what fits. */
  fragmentable = false;
  /** Whether the end of the sequence numbers was reported. */
  exhaustionReported = false;
  /** Nobody has answered from `remote` yet: only credit leaves for it. */
  unverified = false;

  constructor(parameters: SaParameters, at: number, state: SaState = {}) {
    super(parameters, at, state);
    this.sequence = new SequenceCounter(parameters.esn, lastOf(parameters, state), state.progress);
  }

  override get lastSequence(): SequenceNumber {
    return { high: this.sequence.high, low: this.sequence.low };
  }
}

/** An SA by which packets come, with its replay window. */
export class InboundSa extends SecurityAssociation {
  readonly window: ReplayWindow;
  /** Whether an authentic packet has arrived. */
  used = false;
  /** The last remote endpoint that was reported as changed, so that each is reported once. */
  reportedRemote: Endpoint | undefined;

  constructor(parameters: SaParameters, at: number, state: SaState = {}) {
    super(parameters, at, state);
    this.window = new ReplayWindow(
      parameters.replayWindow,
      parameters.esn,
      lastOf(parameters, state),
      state.progress,
    );
  }

  override get lastSequence(): SequenceNumber {
    return this.window.top;
  }

  override move(local: Endpoint, remote: Endpoint, encapsulated: boolean): void {
    super.move(local, remote, encapsulated);
    this.reportedRemote = undefined;
  }
}
