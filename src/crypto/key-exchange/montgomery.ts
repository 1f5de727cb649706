// X25519 and X448 (RFC 7748) as groups 31 and 32 (RFC 8031).
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { plain } from '../key-material/octets.ts';
import { equalConstantTime, wipe } from '../key-material/secrets.ts';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { badPublicValue, EphemeralKeyPair } from './ephemeral-key-pair.ts';
import type { KeyExchangeMethod } from './key-exchange-method.ts';

type Curve = 'x25519' | 'x448';

/** With an encoding of the public key only, which the types do not know. */
const generate = generateKeyPairSync as unknown as (
  curve: Curve,
  options: { readonly publicKeyEncoding: { readonly format: 'jwk' } },
) => { readonly privateKey: KeyObject; readonly publicKey: JsonWebKey };

function keyPair(group: number, crv: string, privateKey: KeyObject, publicKey: JsonWebKey): EphemeralKeyPair {
  const publicValue = decodeBase64url(publicKey.x ?? '');
  const zero = new Uint8Array(publicValue.length);
  return new EphemeralKeyPair(group, publicValue, (peer) => {
    let secret: Uint8Array;
    try {
      const jwk: JsonWebKey = { kty: 'OKP', crv, x: encodeBase64url(peer) };
      secret = plain(diffieHellman({ privateKey, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }));
    } catch {
      throw badPublicValue(group, 'refused');
    }
    // RFC 7748 6: a peer value of small order gives zero, whatever our private value is. OpenSSL refuses it as well.
    if (equalConstantTime(secret, zero)) throw badPublicValue(group, 'of small order');
    return secret;
  });
}

export function montgomeryMethod(group: number, curve: Curve, lengthBytes: number): KeyExchangeMethod {
  const crv = curve.toUpperCase();
  return {
    group,
    generate() {
      // What made a pair locks it when it is collected: Node hangs if that happens while its public key is being exported.
      const { privateKey, publicKey } = generate(curve, { publicKeyEncoding: { format: 'jwk' } });
      return keyPair(group, crv, privateKey, publicKey);
    },
    derive(draw) {
      const scalar = draw(lengthBytes);
      // The public half of a JWK cannot be left out, but OpenSSL computes its own and does not look at it.
      const jwk: JsonWebKey = {
        kty: 'OKP',
        crv,
        d: encodeBase64url(scalar),
        x: encodeBase64url(new Uint8Array(lengthBytes)),
      };
      wipe(scalar);
      const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
      return keyPair(group, crv, privateKey, createPublicKey(privateKey).export({ format: 'jwk' }));
    },
  };
}
