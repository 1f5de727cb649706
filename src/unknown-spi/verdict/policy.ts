// How talkative a host is about SPIs it does not know: four presets, as data.

export type UnknownSpiPolicyName = 'silent' | 'shy' | 'helpful' | 'debug';

/** Packets, never octets: no preset touches the byte rule. */
export interface ReplyRate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What may be sent because of a packet whose SPI is unknown. Settable for the host and for each connection. */
export interface UnknownSpiPolicy {
  readonly name: UnknownSpiPolicyName;
  /** INVALID_SPI over a standing IKE SA: RFC 7296 1.5 says MAY, 2.21.4 says SHOULD. */
  readonly notifyProtected: boolean;
  /**
   * Unprotected answers to ESP and AH: to nobody; only where it is clear which keying protocol the packet belongs to;
   * or to anybody.
   */
  readonly notifyUnprotected: 'nobody' | 'clear-protocol' | 'anybody';
  /** INVALID_IKE_SPI and INVALID_MAJOR_VERSION. */
  readonly answerIke: boolean;
  /** QCD tokens beside INVALID_SPI and INVALID_IKE_SPI (RFC 6290 4.5, 8.2). */
  readonly tokens: boolean;
  /** Calling a peer of whom only the history is left. */
  readonly reestablish: boolean;
  /** Of all unauthenticated answers to strangers together, and again of those to known peers. */
  readonly total: ReplyRate;
  /** Of unauthenticated answers to one prefix. */
  readonly perSource: ReplyRate;
  /** Reports every packet instead of merging what repeats. */
  readonly reportEach: boolean;
}

const shy: UnknownSpiPolicy = {
  name: 'shy',
  notifyProtected: true,
  notifyUnprotected: 'clear-protocol',
  answerIke: true,
  tokens: true,
  reestablish: true,
  total: { perSecond: 20, burst: 40 },
  perSource: { perSecond: 1, burst: 4 },
  reportEach: false,
};

const presets: Readonly<Record<UnknownSpiPolicyName, UnknownSpiPolicy>> = {
  silent: {
    ...shy,
    name: 'silent',
    notifyProtected: false,
    notifyUnprotected: 'nobody',
    answerIke: false,
    tokens: false,
    reestablish: false,
  },
  shy,
  helpful: {
    ...shy,
    name: 'helpful',
    notifyUnprotected: 'anybody',
    total: { perSecond: 50, burst: 100 },
    perSource: { perSecond: 2, burst: 8 },
  },
  debug: {
    ...shy,
    name: 'debug',
    notifyUnprotected: 'anybody',
    total: { perSecond: 200, burst: 400 },
    perSource: { perSecond: 20, burst: 40 },
    reportEach: true,
  },
};

export const unknownSpiPolicyNames: readonly UnknownSpiPolicyName[] = ['silent', 'shy', 'helpful', 'debug'];

/** The settings that a name of the configuration stands for. */
export function unknownSpiPolicy(name: UnknownSpiPolicyName): UnknownSpiPolicy {
  return presets[name];
}
