// The keys of an association, out of its base exchange (RFC 7401 6.5).
import { HipKeymat, wipe } from '#crypto';
import type { Hit } from '#wire';
import type { AssociationKeys } from './association.ts';

export interface KeyingInput {
  readonly role: 'initiator' | 'responder';
  readonly initiator: Hit;
  readonly responder: Hit;
  /** Kij; wiped. */
  readonly sharedSecret: Uint8Array;
  readonly random: Uint8Array;
  readonly solution: Uint8Array;
  readonly cipher: number;
  readonly group: number;
  readonly peerPublicValue: Uint8Array;
}

export function deriveAssociationKeys(input: KeyingInput): AssociationKeys {
  const { role, initiator, responder, sharedSecret, cipher, group } = input;
  const random = input.random.slice();
  const solution = input.solution.slice();
  const keymat = new HipKeymat({ initiator, responder, sharedSecret, random, solution });
  wipe(sharedSecret);
  const drawn = keymat.drawHipKeys(cipher);
  const [own, peer] =
    role === 'initiator' ? [drawn.initiator, drawn.responder] : [drawn.responder, drawn.initiator];
  return {
    role,
    keymat,
    responder,
    cipher,
    group,
    own,
    peer,
    random,
    solution,
    nextIndex: drawn.nextIndex,
    peerPublicValue: input.peerPublicValue.slice(),
  };
}
