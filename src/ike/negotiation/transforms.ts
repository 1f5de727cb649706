// Single transforms: key lengths, and which transform types each protocol knows (RFC 7296 3.3.2, 3.3.3, 3.3.5, 3.3.6).
import { Encr, type EncryptionChoice, Integ, type Proposal, type Transform } from '#sa';
import { ProtocolId, TransformType, type WireTransform } from '#wire';

/** RFC 7296 3.3.5: the only attribute defined so far. */
const keyLengthAttribute = 14;

const protocolIds = { ike: ProtocolId.IKE, ah: ProtocolId.AH, esp: ProtocolId.ESP } as const;

/** RFC 7296 3.3.3; INTEG of IKE and ESP depends on the cipher and is judged with it. */
const typesOfProtocol = {
  ike: {
    mandatory: [TransformType.ENCR, TransformType.PRF, TransformType.KE],
    optional: [TransformType.INTEG],
  },
  esp: {
    mandatory: [TransformType.ENCR, TransformType.ESN],
    optional: [TransformType.INTEG, TransformType.KE],
  },
  ah: { mandatory: [TransformType.INTEG, TransformType.ESN], optional: [TransformType.KE] },
} as const;

export function protocolId(protocol: Proposal['protocol']): number {
  return protocolIds[protocol];
}

export function protocolOfId(id: number): Proposal['protocol'] | undefined {
  return (['ike', 'ah', 'esp'] as const).find((protocol) => protocolIds[protocol] === id);
}

export function mandatoryTypes(protocol: Proposal['protocol']): readonly number[] {
  return typesOfProtocol[protocol].mandatory;
}

export function understandsType(protocol: Proposal['protocol'], type: number): boolean {
  const { mandatory, optional } = typesOfProtocol[protocol];
  return [...mandatory, ...optional].some((known) => known === type);
}

/** Key length of a cipher that has only one, `undefined` for those that name theirs in an attribute. */
function fixedKeyLengthBits(encr: number): number | undefined {
  switch (encr) {
    case Encr['3DES']:
      return 192;
    case Encr.NULL:
      return 0;
    case Encr.CHACHA20_POLY1305:
      return 256;
    default:
      return undefined;
  }
}

export function encryptionChoice(transform: Transform): EncryptionChoice {
  const keyLengthBits = transform.keyLengthBits ?? fixedKeyLengthBits(transform.id);
  if (keyLengthBits === undefined) throw new Error(`cipher ${transform.id} without key length`);
  return { id: transform.id, keyLengthBits };
}

export function transformToWire(transform: Transform): WireTransform {
  const { type, id, keyLengthBits } = transform;
  const named = type === TransformType.ENCR && keyLengthBits !== undefined;
  const attributes =
    named && fixedKeyLengthBits(id) === undefined ? [{ type: keyLengthAttribute, value: keyLengthBits }] : [];
  return { type, id, attributes };
}

/** `undefined` for a transform that must not be accepted: attributes not understood, or a key length amiss (3.3.5). */
export function transformFromWire(wire: WireTransform): Transform | undefined {
  const { type, id, attributes } = wire;
  if (type !== TransformType.ENCR) return attributes.length === 0 ? { type, id } : undefined;
  if (attributes.length === 0) return fixedKeyLengthBits(id) === undefined ? undefined : { type, id };
  const [only, ...others] = attributes;
  if (others.length > 0 || only?.type !== keyLengthAttribute || typeof only.value !== 'number')
    return undefined;
  return fixedKeyLengthBits(id) === undefined ? { type, id, keyLengthBits: only.value } : undefined;
}

export function equalTransforms(a: Transform, b: Transform): boolean {
  // A configuration may spell out the key length of a cipher that has only one.
  const length = (transform: Transform): number | undefined =>
    transform.type === TransformType.ENCR
      ? (fixedKeyLengthBits(transform.id) ?? transform.keyLengthBits)
      : undefined;
  return a.type === b.type && a.id === b.id && length(a) === length(b);
}

export function isNoIntegrity(transform: Transform): boolean {
  return transform.type === TransformType.INTEG && transform.id === Integ.NONE;
}
