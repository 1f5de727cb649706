// The curves whose ECDSA keys are accepted: those of RFC 5480 and RFC 5639 that IKEv2 has groups for, and one of HIP.
import { hex, numberFromOctets } from '../key-material/octets.ts';

export interface SigningCurve {
  /** OpenSSL's name. */
  readonly name: string;
  readonly bits: number;
  /** Of the base point. */
  readonly order: bigint;
  /** Of the order, and so of a private key and of each half of a signature; all but once the same as `bits`. */
  readonly orderBits: number;
  /** Too weak for anything but HIP's profile ECDSA_LOW. */
  readonly onlyHip?: true;
}

function curve(name: string, bits: number, order: string): SigningCurve {
  const value = numberFromOctets(hex(order.replaceAll(' ', '')));
  return { name, bits, order: value, orderBits: value.toString(2).length };
}

const curves: readonly SigningCurve[] = [
  curve('prime256v1', 256, 'ffffffff00000000 ffffffffffffffff bce6faada7179e84 f3b9cac2fc632551'),
  curve(
    'secp384r1',
    384,
    'ffffffffffffffff ffffffffffffffff ffffffffffffffff c7634d81f4372ddf 581a0db248b0a77a ecec196accc52973',
  ),
  curve(
    'secp521r1',
    521,
    '01ff ffffffffffffffff ffffffffffffffff ffffffffffffffff fffffffffffffffa ' +
      '51868783bf2f966b 7fcc0148f709a5d0 3bb5c9b8899c47ae bb6fb71e91386409',
  ),
  curve('brainpoolP256r1', 256, 'a9fb57dba1eea9bc 3e660a909d838d71 8c397aa3b561a6f7 901e0e82974856a7'),
  curve(
    'brainpoolP384r1',
    384,
    '8cb91e82a3386d28 0f5d6f7e50e641df 152f7109ed5456b3 1f166e6cac0425a7 cf3ab6af6b7fc310 3b883202e9046565',
  ),
  curve(
    'brainpoolP512r1',
    512,
    'aadd9db8dbe9c48b 3fd4e6ae33c9fc07 cb308db3b3c9d20e d6639cca70330870 ' +
      '553e5c414ca92619 418661197fac1047 1db1d381085ddadd b58796829ca90069',
  ),
  // SEC 2 2.4.2; RFC 7401 5.2.9
  {
    ...curve('secp160r1', 160, '01 0000000000000000 0001f4c8f927aed3 ca752257'),
    onlyHip: true,
  },
];

/** By OpenSSL's name. */
export function signingCurve(name: string | undefined): SigningCurve | undefined {
  return curves.find((known) => known.name === name);
}
