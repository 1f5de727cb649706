// EAP as the client: says who it is and proves by MSCHAPv2 that it knows the password, and that the gateway does (RFC 3748 2).
import {
  authenticatorResponse,
  equalConstantTime,
  type MsChapChallenges,
  msChapChallengeBytes,
  msChapSessionKey,
  ntPasswordHash,
  ntResponse,
  type Randomness,
  wipe,
} from '#crypto';
import {
  decodeEapPacket,
  decodeMsChapRequest,
  decodeUtf8,
  EapCode,
  type EapMessage,
  type EapPacket,
  EapType,
  encodeEapPacket,
  encodeMsChapResponse,
  type MsChapRequest,
  WireError,
} from '#wire';
import { withoutDomain } from './user-name.ts';

export interface EapPeerOptions {
  readonly randomness: Pick<Randomness, 'bytes'>;
  readonly userName: Uint8Array;
  /** Stays the caller's. */
  readonly password: Uint8Array;
}

export type EapPeerStep =
  | { readonly kind: 'respond'; readonly message: Uint8Array }
  /** The session key (MSK) is the caller's to wipe. */
  | { readonly kind: 'success'; readonly sessionKey: Uint8Array }
  /** `told`: by the gateway itself, which has ended it. */
  | { readonly kind: 'failure'; readonly reason: string; readonly told: boolean };

type Stage =
  | { readonly name: 'asked' }
  /** What the gateway must say if it knows the password. */
  | { readonly name: 'answered'; readonly expected: Uint8Array; readonly sessionKey: Uint8Array }
  | { readonly name: 'confirmed'; readonly sessionKey: Uint8Array }
  | { readonly name: 'refused'; readonly reason: string }
  | { readonly name: 'ended' };

/** RFC 7296 2.16 wants ten to be possible. */
const requestsMax = 20;
/** Of what a gateway says to its users, so much is told. */
const textMax = 120;

/** One conversation; it is destroyed with its IKE SA. */
export class EapPeer {
  readonly #options: EapPeerOptions;
  #stage: Stage = { name: 'asked' };
  #requests = 0;

  constructor(options: EapPeerOptions) {
    this.#options = options;
  }

  receive(octets: Uint8Array): EapPeerStep {
    let packet: EapPacket;
    try {
      packet = decodeEapPacket(octets);
      if (packet.code === EapCode.REQUEST) return this.#answer(packet);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.#fail(`the gateway's EAP message is unreadable: ${error.message}`);
    }
    const stage = this.#stage;
    switch (packet.code) {
      case EapCode.SUCCESS: {
        // RFC 3748 4.2: none is believed before the method is done.
        if (stage.name !== 'confirmed')
          return this.#fail('the gateway let us in without knowing the password');
        const { sessionKey } = stage;
        this.#stage = { name: 'ended' };
        return { kind: 'success', sessionKey };
      }
      case EapCode.FAILURE:
        return this.#fail(stage.name === 'refused' ? stage.reason : 'the gateway broke EAP off', true);
      default:
        return this.#fail('the gateway sent an EAP response');
    }
  }

  destroy(): void {
    if ('sessionKey' in this.#stage) wipe(this.#stage.sessionKey);
    this.#stage = { name: 'ended' };
  }

  #answer(request: EapMessage): EapPeerStep {
    if (++this.#requests > requestsMax) return this.#fail('the gateway asks without end');
    switch (request.type) {
      case EapType.IDENTITY:
        return respond(request, EapType.IDENTITY, this.#options.userName);
      case EapType.NOTIFICATION:
        return respond(request, EapType.NOTIFICATION, new Uint8Array(0));
      case EapType.MSCHAPV2:
        return this.#msChap(request, decodeMsChapRequest(request.data));
      case EapType.NAK:
        return this.#fail('the gateway sent a Nak, which only peers do');
      case EapType.EXPANDED:
        return respond(request, EapType.EXPANDED, expandedNak);
      default:
        // RFC 3748 5.3.1: another method, please.
        return respond(request, EapType.NAK, Uint8Array.of(EapType.MSCHAPV2));
    }
  }

  #msChap(request: EapMessage, packet: MsChapRequest): EapPeerStep {
    const stage = this.#stage;
    if (packet.kind === 'challenge' && stage.name === 'asked') return this.#prove(request, packet);
    if (packet.kind === 'success' && stage.name === 'answered') {
      const said = octetsOfProof(packet.message);
      if (said === undefined || !equalConstantTime(said, stage.expected)) {
        return this.#fail('the gateway does not know our password');
      }
      this.#stage = { name: 'confirmed', sessionKey: stage.sessionKey };
      return respond(request, EapType.MSCHAPV2, encodeMsChapResponse({ kind: 'success' }));
    }
    if (packet.kind === 'failure' && stage.name === 'answered') {
      wipe(stage.sessionKey);
      this.#stage = { name: 'refused', reason: refusalText(packet.message) };
      return respond(request, EapType.MSCHAPV2, encodeMsChapResponse({ kind: 'failure' }));
    }
    return this.#fail('the gateway does not go on with EAP-MSCHAPv2 as it should');
  }

  #prove(
    request: EapMessage,
    { challenge, identifier }: Extract<MsChapRequest, { readonly kind: 'challenge' }>,
  ): EapPeerStep {
    const { userName, password, randomness } = this.#options;
    const peerChallenge = randomness.bytes(msChapChallengeBytes);
    const challenges: MsChapChallenges = {
      authenticator: challenge,
      peer: peerChallenge,
      userName: withoutDomain(userName),
    };
    const hash = ntPasswordHash(password);
    const response = ntResponse(challenges, hash);
    this.#stage = {
      name: 'answered',
      expected: authenticatorResponse(challenges, hash, response),
      sessionKey: msChapSessionKey(hash, response),
    };
    wipe(hash);
    return respond(
      request,
      EapType.MSCHAPV2,
      encodeMsChapResponse({
        kind: 'response',
        identifier,
        peerChallenge,
        ntResponse: response,
        name: userName,
      }),
    );
  }

  #fail(reason: string, told = false): EapPeerStep {
    this.destroy();
    return { kind: 'failure', reason, told };
  }
}

function respond({ identifier }: EapMessage, type: number, data: Uint8Array): EapPeerStep {
  return { kind: 'respond', message: encodeEapPacket({ code: EapCode.RESPONSE, identifier, type, data }) };
}

/** RFC 3748 5.3.2: vendor 0, Nak; and what would be liked, vendor 0, MSCHAPv2. */
const expandedNak = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, EapType.NAK],
  ...[EapType.EXPANDED, 0, 0, 0, 0, 0, 0, EapType.MSCHAPV2],
);

/** RFC 2759 5: `S=` and forty hexadecimal digits. */
function octetsOfProof(message: Uint8Array): Uint8Array | undefined {
  const digits = /^S=([0-9a-f]{40})/i.exec(decodeUtf8(message))?.[1];
  return digits === undefined
    ? undefined
    : Uint8Array.from(digits.match(/../g)!, (pair) => Number.parseInt(pair, 16));
}

/** RFC 2759 6 */
const errors: Readonly<Record<string, string>> = {
  '646': 'logging in is not allowed at this hour',
  '647': 'the account is disabled',
  '648': 'the password has expired',
  '649': 'dialling in is not allowed',
  '691': 'the user name or the password is wrong',
  '709': 'the password could not be changed',
};

/** `E=691 R=0 C=... V=3 M=text` */
function refusalText(message: Uint8Array): string {
  const text = decodeUtf8(message.subarray(0, 4 * textMax));
  const error = /^E=(\d{1,10})/.exec(text)?.[1];
  const words = /\bM=(.*)$/s.exec(text)?.[1]?.slice(0, textMax).replace(/\p{C}/gu, '?');
  const said = words === undefined || words === '' ? '' : `, which says "${words}"`;
  const meaning = errors[error ?? ''] ?? `error ${error ?? 'unknown'}`;
  return `the gateway refuses us${said}: ${meaning}`;
}
