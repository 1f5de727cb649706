// The `auth` of a local or remote section.
import { BadValue, UnsupportedValue } from './bad-value.ts';

/** @param methods what is accepted here: `psk`, `pubkey`, `eap-mschapv2`, `eap` for whichever method there is, for the peer also `any` */
export function parseAuthentication(text: string, methods: readonly string[]): string {
  const method = text.toLowerCase();
  if (methods.includes(method)) return method;
  const accepted = methods.map((one) => `"${one}"`).join(', ');
  if (/^eap([-:].*)?$/.test(method)) {
    throw new UnsupportedValue(`"${text}": of EAP there is only MSCHAPv2; accepted: ${accepted}`);
  }
  if (/^xauth([-:].*)?$/.test(method)) {
    throw new UnsupportedValue(`"${text}": XAuth belongs to IKEv1; accepted: ${accepted}`);
  }
  // Minimum key strengths and hash algorithms: `rsa-2048-sha256`, `ike:pubkey-sha384`, `rsa/pss`.
  if (/^(ike:)?(pubkey|rsa|rsa\/pss|ecdsa|ed25519|ed448|bliss)(-[a-z0-9/_]+)*$/.test(method)) {
    throw new UnsupportedValue(
      `constraints on keys and hash algorithms are not supported; accepted: ${accepted}`,
    );
  }
  throw new BadValue(`one of ${accepted}`);
}
