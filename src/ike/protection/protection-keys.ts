// From the secrets of a key exchange to ciphers at work, and the end of both (RFC 7296 2.13, 2.14).
import { type IkeKeys, packetCipher, pseudorandomFunction, wipe } from '#crypto';
import type { IkeSuite } from '#sa';
import type { IkeSaState } from '../ike-sa-state.ts';
import { MessageSealer } from './sealed-message.ts';

/**
 * Puts keys to work and, if the host asked for it, logs them. Takes over the octets of `keys`.
 * @param firstIv the counter to begin with: other than 0 only for keys that were at work before
 */
export function protect(state: IkeSaState, suite: IkeSuite, keys: IkeKeys, firstIv = 0n): void {
  if (state.keyLog) {
    state.outputs.push({
      kind: 'key-log',
      entry: {
        kind: 'ike',
        initiatorSpi: state.spis.initiator,
        responderSpi: state.spis.responder,
        suite,
        skEi: keys.skEi.slice(),
        skEr: keys.skEr.slice(),
        skAi: keys.skAi.slice(),
        skAr: keys.skAr.slice(),
      },
    });
  }
  const cipher = (encryptionKey: Uint8Array, integrityKey: Uint8Array): ReturnType<typeof packetCipher> => {
    const { id, keyLengthBits } = suite.encr;
    const encryption = { id, keyLengthBits, key: encryptionKey };
    if (suite.integ === undefined) return packetCipher({ encryption });
    return packetCipher({ encryption, integrity: { id: suite.integ, key: integrityKey } });
  };
  const initiator = cipher(keys.skEi, keys.skAi);
  const responder = cipher(keys.skEr, keys.skAr);
  const { skEi, skEr, skAi, skAr } = keys;
  const retained = state.ports.checkpoints === true;
  if (!retained) wipe(skEi, skEr, skAi, skAr);
  const [outbound, inbound] = state.role === 'initiator' ? [initiator, responder] : [responder, initiator];
  state.protection = {
    suite,
    prf: pseudorandomFunction(suite.prf),
    sealer: new MessageSealer(outbound, state.ports.randomness, firstIv),
    opener: inbound,
    skD: keys.skD,
    skPi: keys.skPi,
    skPr: keys.skPr,
    keys: retained ? { skEi, skEr, skAi, skAr } : undefined,
  };
}

/** Forgets every key of an IKE SA. Idempotent. */
export function forgetKeys(state: IkeSaState): void {
  if (state.phase.name === 'init-sent') state.phase.keyPair.destroy();
  if (state.phase.name === 'resume-sent') wipe(state.phase.skD);
  forgetEap(state);
  const { protection } = state;
  if (protection === undefined) return;
  protection.sealer.destroy();
  protection.opener.destroy();
  const { skD, skPi, skPr, keys } = protection;
  wipe(skD, skPi, skPr, keys?.skEi, keys?.skEr, keys?.skAi, keys?.skAr);
  state.protection = undefined;
}

function forgetEap({ phase }: IkeSaState): void {
  if (phase.name === 'eap-peer') {
    phase.peer.destroy();
    wipe(phase.sessionKey);
  }
  if (phase.name === 'eap-authenticator') {
    phase.authenticator.destroy();
    wipe(phase.proven?.sessionKey);
  }
}
