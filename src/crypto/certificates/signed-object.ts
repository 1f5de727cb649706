// The common outside of certificates, lists and OCSP responses: what is signed, how, and the signature.
import { DerReader, Tag } from '../asn1/der-reader.ts';

export interface AlgorithmIdentifier {
  /** Object identifier in dotted decimal. */
  readonly algorithm: string;
  /** DER of the parameters, absent if absent. */
  readonly parameters?: Uint8Array;
  readonly der: Uint8Array;
}

export interface SignedObject {
  /** The DER that is signed. */
  readonly toBeSigned: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
}

export function readAlgorithmIdentifier(reader: DerReader, field: string): AlgorithmIdentifier {
  const element = reader.element(Tag.SEQUENCE, field);
  const sequence = new DerReader(element.contents);
  const algorithm = sequence.objectIdentifier(field);
  const parameters = sequence.atEnd ? undefined : sequence.any(field).der;
  sequence.end(field);
  return parameters === undefined
    ? { algorithm, der: element.der }
    : { algorithm, parameters, der: element.der };
}

/** Reads `SIGNED { ToBeSigned }` out of the reader on its contents, leaving what may follow. */
export function readSignedObject(reader: DerReader, field: string): SignedObject {
  const toBeSigned = reader.element(Tag.SEQUENCE, field).der;
  const signatureAlgorithm = readAlgorithmIdentifier(reader, `${field} signatureAlgorithm`);
  const signature = reader.bitOctets(`${field} signature`);
  return { toBeSigned, signatureAlgorithm, signature };
}
