// MACs and signatures of HIP packets: made while a packet is built from front to back, and checked (RFC 7401 6.4, RFC 7402 6.3).
import {
  appendHipParameters,
  HiAlgorithm,
  type HipPacket,
  type Hit,
  hipMac2Octets,
  hipMacOctets,
  hipParameter,
  hipSignature2Octets,
  hipSignatureOctets,
  WireError,
} from '#wire';
import { CryptoError } from '../error.ts';
import { equalConstantTime } from '../key-material/secrets.ts';
import type { PrivateKey, PublicKey, Randomness, SignatureScheme } from '../ports.ts';
import { hmac } from '../prf/hmac.ts';
import { ecdsaSignatureFromDer, ecdsaSignatureToDer } from '../signatures/ecdsa-encoding.ts';
import { verifySignature } from '../signatures/sign.ts';
import { rhashOf } from './hit-suite.ts';
import { type HostIdentity, hostIdentityOf } from './host-identity.ts';

/** The HMAC with RHASH, of its natural size (RFC 7401 5.2.12). */
function mac(responder: Hit, key: Uint8Array, covered: Uint8Array): Uint8Array {
  return hmac(rhashOf(responder).hash, key, [covered]);
}

type Mac = 'HIP_MAC' | 'RVS_HMAC' | 'RELAY_HMAC';

/**
 * The packet with a MAC behind its last parameter (RFC 7401 6.4.1; RVS_HMAC: RFC 8004 4.2.1; RELAY_HMAC: RFC 9028 5.8).
 * @param responder of the association that the key belongs to, whose HIT Suite says which hash is RHASH
 */
export function appendHipMac(
  octets: Uint8Array,
  responder: Hit,
  key: Uint8Array,
  name: Mac = 'HIP_MAC',
): Uint8Array {
  return appendHipParameters(octets, [{ type: name, mac: mac(responder, key, hipMacOctets(octets, name)) }]);
}

/**
 * The R2 with HIP_MAC_2 behind its last parameter.
 * @param hostId the HOST_ID parameter of the R1, from Type to padding, as it was sent
 */
export function appendHipMac2(
  octets: Uint8Array,
  responder: Hit,
  key: Uint8Array,
  hostId: Uint8Array,
): Uint8Array {
  const covered = hipMac2Octets(octets, hostId);
  return appendHipParameters(octets, [{ type: 'HIP_MAC_2', mac: mac(responder, key, covered) }]);
}

/** Whether the packet has a MAC of this kind, and the right one. */
export function verifyHipMac(
  packet: HipPacket,
  responder: Hit,
  key: Uint8Array,
  name: Mac = 'HIP_MAC',
): boolean {
  const received = hipParameter(packet.parameters, name);
  if (received === undefined) return false;
  return equalConstantTime(received.mac, mac(responder, key, hipMacOctets(packet.octets, name)));
}

/**
 * Whether the R2 has HIP_MAC_2, and the right one. It has not where it and HOST_ID are longer together than any packet: no
 * Header Length could say so.
 * @param hostId the HOST_ID parameter of the R1, from Type to padding, exactly as it was received
 */
export function verifyHipMac2(
  packet: HipPacket,
  responder: Hit,
  key: Uint8Array,
  hostId: Uint8Array,
): boolean {
  const received = hipParameter(packet.parameters, 'HIP_MAC_2');
  if (received === undefined) return false;
  let covered: Uint8Array;
  try {
    covered = hipMac2Octets(packet.octets, hostId);
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
  return equalConstantTime(received.mac, mac(responder, key, covered));
}

interface SignatureProfile {
  readonly scheme: SignatureScheme;
  /** Of r | s; absent where the signature is sent as the signer gives it. */
  readonly pairBytes?: number;
}

/**
 * RFC 7401 5.2.9: RSA with PSS. The hash is that of the signer's HIT Suite, also for P-256: what RFC 4754 says about
 * hashes is not repeated in RFC 7401, and for ECDSA_LOW there is nothing else that could name one. ECDSA signatures are
 * r | s, each as long as the order of the curve (RFC 6090 6): of SECP160R1 that is 161 bits.
 */
function signatureProfile(algorithm: number, publicKey: PublicKey): SignatureProfile {
  switch (algorithm) {
    case HiAlgorithm.RSA:
      return { scheme: 'rsa-pss-sha256' };
    case HiAlgorithm.ECDSA:
      return { scheme: 'ecdsa-sha384', pairBytes: publicKey.bits / 4 };
    case HiAlgorithm.ECDSA_LOW:
      return { scheme: 'ecdsa-sha1', pairBytes: 42 };
    default:
      throw new CryptoError('unsupported', `no signatures of HI algorithm ${algorithm}`);
  }
}

type Signature = 'HIP_SIGNATURE' | 'HIP_SIGNATURE_2';

const coveredBy: Readonly<Record<Signature, (octets: Uint8Array) => Uint8Array>> = {
  HIP_SIGNATURE: hipSignatureOctets,
  HIP_SIGNATURE_2: hipSignature2Octets,
};

/**
 * The packet with a signature behind its last parameter (RFC 7401 6.4.2): HIP_SIGNATURE_2 for an R1, whose Initiator,
 * Opaque and #I may be filled in afterwards, HIP_SIGNATURE for all others.
 * @throws CryptoError `unsupported` for a key that is no Host Identity
 */
export function appendHipSignature(
  octets: Uint8Array,
  key: PrivateKey,
  randomness: Pick<Randomness, 'sign'>,
  name: Signature = 'HIP_SIGNATURE',
): Uint8Array {
  const { algorithm } = hostIdentityOf(key.publicKey);
  const { scheme, pairBytes } = signatureProfile(algorithm, key.publicKey);
  const made = randomness.sign(key, scheme, coveredBy[name](octets));
  const signature = pairBytes === undefined ? made : ecdsaSignatureFromDer(made, pairBytes);
  return appendHipParameters(octets, [{ type: name, algorithm, signature }]);
}

/** Whether the packet has a signature of this kind that its sender's Host Identity made. */
export function verifyHipSignature(
  packet: HipPacket,
  sender: HostIdentity,
  name: Signature = 'HIP_SIGNATURE',
): boolean {
  const received = hipParameter(packet.parameters, name);
  if (received === undefined || received.algorithm !== sender.algorithm) return false;
  const { scheme, pairBytes } = signatureProfile(sender.algorithm, sender.publicKey);
  let { signature } = received;
  if (pairBytes !== undefined) {
    const der = signature.length === pairBytes ? ecdsaSignatureToDer(signature) : undefined;
    if (der === undefined) return false;
    signature = der;
  }
  return verifySignature(sender.publicKey, scheme, coveredBy[name](packet.octets), signature);
}
