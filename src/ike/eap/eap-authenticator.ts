// EAP as the gateway: asks who it is, challenges him by MSCHAPv2, and says how it ended (RFC 3748 2, draft-kamath-pppext-eap-mschapv2).
//
// There is one try: a password that was wrong may be told again in another IKE SA. Who is not known is asked, computed with and
// refused as who has the wrong password.
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
  decodeMsChapResponse,
  EapCode,
  type EapMessage,
  EapType,
  eapTypeName,
  encodeEapPacket,
  encodeMsChapRequest,
  encodeUtf8,
  type MsChapResponse,
  WireError,
} from '#wire';
import type { TryAdmission } from '../authentication/guesses.ts';
import { formatIdentity } from '../authentication/identity-text.ts';
import type { Identity } from '../configuration.ts';
import { identityOfUserName, withoutDomain } from './user-name.ts';

/** A user's password, or why he does not get in whatever he says. */
export type PasswordLookup =
  | { readonly kind: 'password'; readonly password: Uint8Array }
  | { readonly kind: 'none'; readonly reason: string; readonly unheard?: true };

export interface EapAuthenticatorOptions {
  readonly randomness: Pick<Randomness, 'bytes'>;
  /** Whether the first question is who he is. The method asks for his name anyway. */
  readonly askIdentity: boolean;
  /** What the challenge calls us. */
  readonly ownName: Uint8Array;
  readonly passwordOf: (user: Identity) => PasswordLookup;
  /** Asked before a password is judged. Absent: it always is, at once. */
  readonly admit?: (user: Identity) => TryAdmission;
  /** The password was right. */
  readonly right?: (user: Identity) => void;
}

export interface EapRefusal {
  readonly reason: string;
  /** Nobody looked at what he gave. */
  readonly unheard?: true;
}

/** The next message to the peer, and what it means. */
export type EapAuthenticatorStep =
  | { readonly kind: 'ask'; readonly message: Uint8Array }
  /** Nothing yet: `judgeHeld` has it, once so many milliseconds are over. */
  | { readonly kind: 'wait'; readonly forMs: number }
  /** The session key (MSK) is the caller's to wipe. */
  | {
      readonly kind: 'success';
      readonly message: Uint8Array;
      readonly user: Identity;
      /** Who gave it still has it. */
      readonly password: Uint8Array;
      readonly sessionKey: Uint8Array;
    }
  | ({ readonly kind: 'failure'; readonly message: Uint8Array } & EapRefusal);

type Success = Extract<EapAuthenticatorStep, { readonly kind: 'success' }>;

type Stage =
  | { readonly name: 'identity' }
  | { readonly name: 'challenged'; readonly challenge: Uint8Array }
  /** What he answered is to be judged later. */
  | { readonly name: 'held'; readonly answer: Answer }
  /** He knows the password, and is told that we do. */
  | ({ readonly name: 'confirmed' } & Pick<Success, 'user' | 'password' | 'sessionKey'>)
  | { readonly name: 'refused'; readonly refusal: EapRefusal }
  | { readonly name: 'ended' };

/** To a challenge of ours. */
interface Answer {
  readonly challenge: Uint8Array;
  readonly user: Identity;
  readonly response: Extract<MsChapResponse, { readonly kind: 'response' }>;
}

/** RFC 2759 4 */
const nameBytesMax = 256;
/** How many of the methods that a peer would like are told. */
const methodsMax = 8;
/** Who has no password is computed with one, too. */
const decoy = encodeUtf8('nobody has this one');

/** One conversation; it holds a session key from its third message on, and is destroyed with its IKE SA. */
export class EapAuthenticator {
  readonly #options: EapAuthenticatorOptions;
  #stage: Stage = { name: 'ended' };
  #identifier: number;

  constructor(options: EapAuthenticatorOptions) {
    this.#options = options;
    this.#identifier = options.randomness.bytes(1)[0]!;
  }

  /** The first request. */
  begin(): Uint8Array {
    if (!this.#options.askIdentity) return this.#challenge();
    this.#stage = { name: 'identity' };
    return this.#request(EapType.IDENTITY, new Uint8Array(0));
  }

  receive(octets: Uint8Array): EapAuthenticatorStep {
    const stage = this.#stage;
    try {
      const packet = decodeEapPacket(octets);
      // RFC 3748 4.1 has another identifier ignored; here something must be answered.
      if (packet.code !== EapCode.RESPONSE || packet.identifier !== this.#identifier) {
        return this.#fail('the EAP message is no response to our request');
      }
      return this.#receive(stage, packet);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.#fail(`the EAP message is unreadable: ${error.message}`);
    }
  }

  /** What was to wait has waited. */
  judgeHeld(): EapAuthenticatorStep {
    const stage = this.#stage;
    if (stage.name !== 'held') throw new Error('there is no answer that waits to be judged');
    return this.#judge(stage.answer);
  }

  /** Why the peer was refused: it need not answer to that. */
  get refusal(): EapRefusal | undefined {
    return this.#stage.name === 'refused' ? this.#stage.refusal : undefined;
  }

  destroy(): void {
    if (this.#stage.name === 'confirmed') wipe(this.#stage.sessionKey);
    this.#stage = { name: 'ended' };
  }

  #receive(stage: Stage, packet: EapMessage): EapAuthenticatorStep {
    if (stage.name === 'refused') return this.#end(stage.refusal);
    if (stage.name === 'identity') {
      if (packet.type !== EapType.IDENTITY) return this.#fail('the peer does not say who it is');
      return { kind: 'ask', message: this.#challenge() };
    }
    if (packet.type === EapType.NAK) return this.#fail(refusedMethodText(packet.data));
    if (packet.type !== EapType.MSCHAPV2) {
      return this.#fail(`the peer answers EAP-MSCHAPv2 with ${eapTypeName(packet.type)}`);
    }
    const response = decodeMsChapResponse(packet.data);
    if (stage.name === 'challenged' && response.kind === 'response') {
      return this.#consider(stage.challenge, response);
    }
    if (stage.name === 'confirmed' && response.kind === 'success') {
      const { user, password, sessionKey } = stage;
      this.#stage = { name: 'ended' };
      return { kind: 'success', message: this.#outcome(EapCode.SUCCESS), user, password, sessionKey };
    }
    return this.#fail('the peer breaks EAP-MSCHAPv2 off');
  }

  #challenge(): Uint8Array {
    const challenge = this.#options.randomness.bytes(msChapChallengeBytes);
    this.#stage = { name: 'challenged', challenge };
    return this.#msChap((identifier) => ({
      kind: 'challenge',
      identifier,
      challenge,
      name: this.#options.ownName,
    }));
  }

  #consider(challenge: Uint8Array, response: Answer['response']): EapAuthenticatorStep {
    if (response.name.length > nameBytesMax) return this.#fail('the user name is too long');
    const user = identityOfUserName(response.name);
    const answer = { challenge, user, response };
    const admission = this.#options.admit?.(user) ?? { kind: 'judge' };
    switch (admission.kind) {
      case 'judge':
        return this.#judge(answer);
      case 'wait':
        this.#stage = { name: 'held', answer };
        return admission;
      case 'refuse': {
        const reason = `${formatIdentity(user)} was not heard: too many wrong passwords came before`;
        return this.#judge(answer, { kind: 'none', reason, unheard: true });
      }
    }
  }

  #judge(
    { challenge, user, response: { name, peerChallenge, ntResponse: given } }: Answer,
    found: PasswordLookup = this.#options.passwordOf(user),
  ): EapAuthenticatorStep {
    const hash = ntPasswordHash(found.kind === 'password' ? found.password : decoy);
    const challenges: MsChapChallenges = {
      authenticator: challenge,
      peer: peerChallenge,
      userName: withoutDomain(name),
    };
    const right = equalConstantTime(ntResponse(challenges, hash), given);
    if (found.kind === 'none' || !right) {
      wipe(hash);
      const reason = found.kind === 'none' ? found.reason : `${formatIdentity(user)} gave a wrong password`;
      return this.#refuse(found.kind === 'none' && found.unheard ? { reason, unheard: true } : { reason });
    }
    this.#options.right?.(user);
    const sessionKey = msChapSessionKey(hash, given);
    const proof = authenticatorResponse(challenges, hash, given);
    wipe(hash);
    this.#stage = { name: 'confirmed', user, password: found.password, sessionKey };
    const message = encodeUtf8(`S=${hexDigits(proof)} M=authenticated`);
    return {
      kind: 'ask',
      message: this.#msChap((identifier) => ({ kind: 'success', identifier, message })),
    };
  }

  /** RFC 2759 6: ERROR_AUTHENTICATION_FAILURE, not to be tried again. */
  #refuse(refusal: EapRefusal): EapAuthenticatorStep {
    this.#stage = { name: 'refused', refusal };
    const challenge = hexDigits(this.#options.randomness.bytes(msChapChallengeBytes));
    const message = encodeUtf8(`E=691 R=0 C=${challenge} V=3 M=authentication failed`);
    return {
      kind: 'ask',
      message: this.#msChap((identifier) => ({ kind: 'failure', identifier, message })),
    };
  }

  #fail(reason: string): EapAuthenticatorStep {
    return this.#end({ reason });
  }

  #end(refusal: EapRefusal): EapAuthenticatorStep {
    this.destroy();
    return { kind: 'failure', message: this.#outcome(EapCode.FAILURE), ...refusal };
  }

  #msChap(packet: (identifier: number) => Parameters<typeof encodeMsChapRequest>[0]): Uint8Array {
    this.#identifier = (this.#identifier + 1) & 0xff;
    const data = encodeMsChapRequest(packet(this.#identifier));
    return this.#encode(EapType.MSCHAPV2, data);
  }

  #request(type: number, data: Uint8Array): Uint8Array {
    this.#identifier = (this.#identifier + 1) & 0xff;
    return this.#encode(type, data);
  }

  #encode(type: number, data: Uint8Array): Uint8Array {
    return encodeEapPacket({ code: EapCode.REQUEST, identifier: this.#identifier, type, data });
  }

  /** RFC 3748 4.2: with the identifier of the response. */
  #outcome(code: typeof EapCode.SUCCESS | typeof EapCode.FAILURE): Uint8Array {
    return encodeEapPacket({ code, identifier: this.#identifier });
  }
}

/** RFC 3748 5.3.1: the types that it would like, or a zero. */
function refusedMethodText(types: Uint8Array): string {
  const wanted = [...types.subarray(0, methodsMax)].filter((type) => type !== 0).map(eapTypeName);
  const instead = wanted.length === 0 ? 'no method that we could offer' : wanted.join(' or ');
  return `the peer does not want EAP-MSCHAPv2, but ${instead}`;
}

function hexDigits(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}
