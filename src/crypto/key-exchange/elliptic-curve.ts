// Diffie-Hellman on the curves of RFC 5903 (groups 19 to 21) and, in the same format, Brainpool (RFC 6954).
import { createECDH, getCurves, randomFillSync } from 'node:crypto';
import { plain } from '../key-material/octets.ts';
import { wipe } from '../key-material/secrets.ts';
import { badPublicValue, EphemeralKeyPair } from './ephemeral-key-pair.ts';
import type { Draw, KeyExchangeMethod } from './key-exchange-method.ts';

/** SEC 1's octet in front of an uncompressed point, which KE payloads leave out. */
const uncompressed = 0x04;

/** `undefined` if OpenSSL was built without the curve. */
export function curveMethod(group: number, curve: string, bits: number): KeyExchangeMethod | undefined {
  if (!getCurves().includes(curve)) return undefined;
  const coordinateBytes = Math.ceil(bits / 8);
  const derive = (draw: Draw): EphemeralKeyPair => {
    const ecdh = createECDH(curve);
    for (;;) {
      const scalar = draw(coordinateBytes);
      scalar[0]! &= 0xff >> (8 * coordinateBytes - bits);
      try {
        ecdh.setPrivateKey(scalar);
        break;
      } catch {
        // Zero, or not below the order: drawing again keeps the distribution uniform. At worst (Brainpool) every
        // third draw is refused.
      } finally {
        wipe(scalar);
      }
    }
    const publicValue = plain(ecdh.getPublicKey()).slice(1);
    return new EphemeralKeyPair(group, publicValue, (peer) => {
      const point = new Uint8Array(1 + peer.length);
      point[0] = uncompressed;
      point.set(peer, 1);
      try {
        // OpenSSL checks that the point is on the curve (RFC 6989 2.3); the result is X, padded (RFC 5903 7).
        return plain(ecdh.computeSecret(point));
      } catch {
        throw badPublicValue(group, 'not on the curve');
      }
    });
  };
  return {
    group,
    derive,
    generate: () => derive((count) => randomFillSync(new Uint8Array(count))),
  };
}
