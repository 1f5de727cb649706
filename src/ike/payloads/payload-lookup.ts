// Finding payloads of one type in a message, with that type's fields.
import type { Payload } from '#wire';

/** One interface may serve several types (IDi and IDr), which is why `Extract` alone would find nothing. */
export type PayloadOf<T extends Payload['type'], P extends Payload = Payload> = P extends Payload
  ? T extends P['type']
    ? P
    : never
  : never;

export function payloadsOf<T extends Payload['type']>(
  payloads: readonly Payload[],
  type: T,
): readonly PayloadOf<T>[] {
  return payloads.filter((payload): payload is PayloadOf<T> => payload.type === type);
}

export function payloadOf<T extends Payload['type']>(
  payloads: readonly Payload[],
  type: T,
): PayloadOf<T> | undefined {
  return payloadsOf(payloads, type)[0];
}

/** For payloads that the exchange's rules have already made sure of. */
export function mandatoryPayload<T extends Payload['type']>(
  payloads: readonly Payload[],
  type: T,
): PayloadOf<T> {
  const found = payloadOf(payloads, type);
  if (found === undefined) throw new Error(`the rules of the exchange let a message without ${type} pass`);
  return found;
}
