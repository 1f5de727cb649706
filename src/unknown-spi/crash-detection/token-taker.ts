// The side that holds a peer's tokens and believes them (RFC 6290 4.4, 4.5, 5).
import { equalConstantTime, wipe } from '#crypto';
import { type NotifyPayload, NotifyType } from '#wire';
import { tokenOf, tokensPerMessageMax } from './token.ts';

/** RFC 6290 5: a maker with several addresses may come back to an earlier token. */
const heldMax = 4;

/** The tokens that the peer of one IKE SA gave us under protection. */
export class HeldTokens {
  #tokens: Uint8Array[] = [];

  get size(): number {
    return this.#tokens.length;
  }

  /** A token from IKE_AUTH, a rekeying or an INFORMATIONAL. `false`: it is none, or malformed, and was not taken. */
  take(payload: NotifyPayload): boolean {
    const token = tokenOf(payload);
    if (token === undefined) return false;
    if (this.#tokens.some((held) => equalConstantTime(held, token))) return true;
    this.#tokens.unshift(token.slice());
    wipe(...this.#tokens.splice(heldMax));
    return true;
  }

  /** Copies, the newest first, for a host that keeps them over a restart. */
  all(): readonly Uint8Array[] {
    return this.#tokens.map((token) => token.slice());
  }

  /** What `all` gave to an earlier run. */
  adopt(tokens: readonly Uint8Array[]): void {
    this.#tokens = tokens.slice(0, heldMax).map((token) => token.slice());
  }

  /**
   * Whether one of up to four tokens of an unprotected message is one of these. All pairs are compared, in a time that
   * depends on lengths only.
   */
  verify(payloads: readonly NotifyPayload[]): boolean {
    let verified = false;
    for (const payload of offeredTokens(payloads)) {
      const token = tokenOf(payload);
      if (token === undefined) continue;
      for (const held of this.#tokens) if (equalConstantTime(held, token)) verified = true;
    }
    return verified;
  }

  /** RFC 6290 5.3: tokens go with their IKE SA. */
  destroy(): void {
    wipe(...this.#tokens);
    this.#tokens = [];
  }
}

/** The QCD notifies that count: RFC 6290 4.5 asks for at least four, and more are not worth anybody's time. */
export function offeredTokens(payloads: readonly NotifyPayload[]): readonly NotifyPayload[] {
  return payloads
    .filter(({ notifyType }) => notifyType === NotifyType.QUICK_CRASH_DETECTION)
    .slice(0, tokensPerMessageMax);
}
