// IKE messages that belong to no IKE SA of ours: what they are answered with, and why. Pure.
import type { Endpoint } from '#sa';
import { type IkeSpi, PayloadType, type ReceivedIkeHeader, zeroIkeSpi } from '#wire';
import { type NotAnswerable, unanswerableAddresses } from './answerable.ts';
import type { UnknownSpiPolicy } from './policy.ts';

/** A message whose SPIs lead to no IKE SA, and that is no request to start one. */
export interface UnknownIkeEvidence {
  readonly header: ReceivedIkeHeader;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** Octets of the IKE message. */
  readonly lengthBytes: number;
}

export interface IkeFacts {
  readonly policy: UnknownSpiPolicy;
  readonly ready: boolean;
  readonly destinationIsOurs: boolean;
  /** Another keying daemon of this host claims these IKE SPIs. */
  readonly claimedByOther: boolean;
  /**
   * An IKE SA with either of these SPIs, in whatever role and phase and with whatever peer, lives here, in the cluster,
   * awaits re-adoption, or is being made: the message overtook the answer that makes it.
   */
  readonly ikeSaLive: boolean;
  /** What the history knows of these IKE SPIs; absent: nothing. */
  readonly history: { readonly quickCrashDetection: boolean; readonly reestablishable: boolean } | undefined;
}

export type IkeIgnored =
  /** RFC 7296 2.21.4: a response is never answered. */
  | 'response'
  /** RFC 7296 2.5: nothing is said to older versions. */
  | 'lower-version'
  /** A zero IKE SPI, as the one-way messages of RFC 7296 1.5 have. */
  | 'no-ike-spi'
  /** RFC 7296 1.5 answers encrypted requests only: to answer another host's one-way message would make a loop. */
  | 'unprotected'
  | 'not-ready'
  | 'policy'
  /** An SA with one of these SPIs lives or is being made: the message is forged, wrongly flagged, or early. */
  | 'live';

export type IkeVerdict =
  | { readonly kind: 'ignore'; readonly reason: IkeIgnored }
  | { readonly kind: 'ignore'; readonly reason: 'not-answerable'; readonly because: NotAnswerable }
  | { readonly kind: 'leave-to-owner'; readonly reason: 'claimed' }
  | { readonly kind: 'invalid-major-version'; readonly reason: 'higher-version' }
  | {
      readonly kind: 'invalid-ike-spi';
      readonly reason: 'with-tokens';
      readonly tokensFor: { readonly initiatorSpi: IkeSpi; readonly responderSpi: IkeSpi };
      readonly reestablish: boolean;
    }
  | {
      readonly kind: 'invalid-ike-spi';
      readonly reason: 'no-crash-detection';
      readonly reestablish: boolean;
    };

const ikeHeaderBytes = 28;

function ignore(reason: IkeIgnored): IkeVerdict {
  return { kind: 'ignore', reason };
}

function isProtected({ nextPayload }: ReceivedIkeHeader): boolean {
  return nextPayload === PayloadType.SK || nextPayload === PayloadType.SKF;
}

/** The rows in the order in which they count. */
export function judgeUnknownIkeMessage(evidence: UnknownIkeEvidence, facts: IkeFacts): IkeVerdict {
  const { header, source, destination, lengthBytes } = evidence;
  const { policy, history } = facts;
  // First of all, so that no other row can ever answer one.
  if (header.response) return ignore('response');
  const because =
    lengthBytes < ikeHeaderBytes || header.length !== lengthBytes
      ? 'bad-length'
      : unanswerableAddresses(source, destination, {
          udp: true,
          destinationIsOurs: facts.destinationIsOurs,
        });
  if (because !== undefined) return { kind: 'ignore', reason: 'not-answerable', because };
  if (!facts.ready) return ignore('not-ready');
  if (header.majorVersion < 2) return ignore('lower-version');
  if (facts.claimedByOther) return { kind: 'leave-to-owner', reason: 'claimed' };
  if (!policy.answerIke) return ignore('policy');
  if (header.majorVersion > 2) return { kind: 'invalid-major-version', reason: 'higher-version' };
  const { initiatorSpi, responderSpi } = header;
  if (initiatorSpi === zeroIkeSpi || responderSpi === zeroIkeSpi) return ignore('no-ike-spi');
  if (!isProtected(header)) return ignore('unprotected');
  if (facts.ikeSaLive) return ignore('live');
  const reestablish = policy.reestablish && history?.reestablishable === true;
  const kind = 'invalid-ike-spi';
  // Tokens need no history (RFC 6290 5.1), but one that knows of no token must not be contradicted.
  if (!policy.tokens || history?.quickCrashDetection === false) {
    return { kind, reason: 'no-crash-detection', reestablish };
  }
  return { kind, reason: 'with-tokens', tokensFor: { initiatorSpi, responderSpi }, reestablish };
}
