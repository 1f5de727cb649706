// What MS-CHAP version 2 computes (RFC 2759 8), and the keys that come of it (RFC 3079 3.4, for EAP as MSK).
//
// Its DES has 56 bits, and who sees an exchange can search for the password: it belongs inside of something that is protected and
// whose other end has proven itself, as IKE is by then (RFC 7296 2.16).
import { createCipheriv } from 'node:crypto';
import { decodeUtf8, encodeUtf8, sameOctets } from '#wire';
import { digest } from '../key-material/digest.ts';
import { concatenate } from '../key-material/octets.ts';
import { wipe } from '../key-material/secrets.ts';
import { md4 } from './md4.ts';

/** Octets of a challenge of either side. */
export const msChapChallengeBytes: number = 16;

/** What both sides have said. */
export interface MsChapChallenges {
  /** 16 octets. */
  readonly authenticator: Uint8Array;
  /** 16 octets. */
  readonly peer: Uint8Array;
  /** As the peer sent it, without what stands for a domain in front of it (RFC 2759 4). */
  readonly userName: Uint8Array;
}

/**
 * NtPasswordHash (RFC 2759 8.3): as good as the password itself, and to be wiped by the caller.
 * @param password UTF-8; of octets that are none each is a character
 */
export function ntPasswordHash(password: Uint8Array): Uint8Array {
  const text = decodeUtf8(password);
  const plain = sameOctets(encodeUtf8(text), password) ? text : String.fromCharCode(...password);
  const unicode = new Uint8Array(2 * plain.length);
  for (let at = 0; at < plain.length; at++) {
    unicode[2 * at] = plain.charCodeAt(at);
    unicode[2 * at + 1] = plain.charCodeAt(at) >>> 8;
  }
  const hash = md4(unicode);
  wipe(unicode);
  return hash;
}

/** GenerateNTResponse (RFC 2759 8.1): 24 octets. */
export function ntResponse(challenges: MsChapChallenges, passwordHash: Uint8Array): Uint8Array {
  const challenge = challengeHash(challenges);
  const padded = new Uint8Array(21);
  padded.set(passwordHash);
  const response = concatenate(...[0, 7, 14].map((at) => desEncrypt(challenge, padded.subarray(at, at + 7))));
  wipe(padded);
  return response;
}

/** GenerateAuthenticatorResponse (RFC 2759 8.7): 20 octets, of which `S=` has the hexadecimal digits. */
export function authenticatorResponse(
  challenges: MsChapChallenges,
  passwordHash: Uint8Array,
  response: Uint8Array,
): Uint8Array {
  const hashHash = md4(passwordHash);
  const first = digest('sha1', hashHash, response, magicOne);
  const octets = digest('sha1', first, challengeHash(challenges), magicTwo);
  wipe(hashHash, first);
  return octets;
}

/**
 * The MSK of EAP-MSCHAPv2, 64 octets: the master keys of both directions as the authenticator has them, first the one that it
 * receives by, and zeros (RFC 3079 3.4; draft-kamath-pppext-eap-mschapv2).
 */
export function msChapSessionKey(passwordHash: Uint8Array, response: Uint8Array): Uint8Array {
  const hashHash = md4(passwordHash);
  const master = digest('sha1', hashHash, response, masterMagic).subarray(0, 16);
  const key = new Uint8Array(64);
  for (const [at, magic] of [clientSends, serverSends].entries()) {
    const start = digest('sha1', master, startPads[0], magic, startPads[1]);
    key.set(start.subarray(0, 16), 16 * at);
    wipe(start);
  }
  wipe(hashHash, master);
  return key;
}

const magicOne = encodeUtf8('Magic server to client signing constant');
const magicTwo = encodeUtf8('Pad to make it do more than one iteration');
const masterMagic = encodeUtf8('This is the MPPE Master Key');
const clientSends = encodeUtf8(
  'On the client side, this is the send key; on the server side, it is the receive key.',
);
const serverSends = encodeUtf8(
  'On the client side, this is the receive key; on the server side, it is the send key.',
);
const startPads = [new Uint8Array(40), new Uint8Array(40).fill(0xf2)] as const;

/** ChallengeHash (RFC 2759 8.2): 8 octets. */
function challengeHash({ peer, authenticator, userName }: MsChapChallenges): Uint8Array {
  return digest('sha1', peer, authenticator, userName).subarray(0, 8);
}

/** DesEncrypt (RFC 2759 8.6) with a key of 56 bits: OpenSSL 3 has DES only three times over, which with one key is DES. */
function desEncrypt(text: Uint8Array, key: Uint8Array): Uint8Array {
  const withParity = new Uint8Array(24);
  for (let at = 0; at < 8; at++) {
    const bits = ((key[at - 1] ?? 0) << 8) | (key[at] ?? 0);
    const octet = (bits >>> at) & 0xfe;
    for (const start of [0, 8, 16]) withParity[start + at] = octet;
  }
  const cipher = createCipheriv('des-ede3', withParity, null).setAutoPadding(false);
  const sealed = concatenate(cipher.update(text), cipher.final());
  wipe(withParity);
  return sealed;
}
