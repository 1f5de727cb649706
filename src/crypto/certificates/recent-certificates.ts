// Certificates that were read lately. Peers show the same ones with every handshake, and reading one means importing its key,
// which costs more than a signature. What is remembered follows from the octets alone: whether a certificate has expired, is
// revoked or trusted is asked anew each time.
import { hash } from 'node:crypto';
import { type Certificate, readCertificate } from './certificate.ts';

/** Strangers may show any number, but only the latest of them stay. */
export const recentCertificatesMax = 256;
/** Longer ones are rare, and read each time: together the others take two megabytes at most. */
const rememberedBytesMax = 8_192;

/** By the SHA-256 of all octets, the one that was asked for last at the end. */
const recent = new Map<string, Certificate>();

/**
 * The same object for the same octets as long as it is remembered; its fields are not to be changed.
 * @throws CryptoError as `readCertificate` does
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > rememberedBytesMax) return readCertificate(der);
  const key = hash('sha256', der);
  let certificate = recent.get(key);
  // Of a copy, for the fields are views of it and the octets are the caller's.
  if (certificate === undefined) certificate = readCertificate(Uint8Array.from(der));
  else recent.delete(key);
  recent.set(key, certificate);
  if (recent.size > recentCertificatesMax) {
    for (const [oldest] of recent) {
      recent.delete(oldest);
      break;
    }
  }
  return certificate;
}
