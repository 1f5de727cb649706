// Everything that reads octets of strangers, one row each. `fuzz/corpus/<name>/` holds what to start from.
import { decodeIkeMessage, decodePayloads, encodeIkeMessage, encodePayloads, WireError } from '#wire';

export interface FuzzTarget {
  /** Also the name of its corpus folder. */
  readonly name: string;
  /** Reads the octets: returns, or throws a typed error. Breaking a promise of the codec is any other error. */
  run(octets: Uint8Array): void;
  /** Whether an error is the one by which the target may refuse octets. */
  refuses(error: unknown): boolean;
  /** Makes mutated octets pass a check which mutations hardly ever satisfy, such as a length or a checksum. */
  repair?(octets: Uint8Array): void;
}

function isWireError(error: unknown): boolean {
  return error instanceof WireError;
}

function mustEqual(one: Uint8Array, other: Uint8Array, promise: string): void {
  if (one.length !== other.length || one.some((octet, at) => octet !== other[at])) throw new Error(promise);
}

/** What was read must be writable: a refusal to write it is a broken promise, not a refusal of the input. */
function mustWrite<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new Error('what was read cannot be written and read again', { cause: error });
  }
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'ike-message',
    run(octets) {
      const message = decodeIkeMessage(octets);
      mustWrite(() => {
        const once = encodeIkeMessage(message);
        mustEqual(encodeIkeMessage(decodeIkeMessage(once)), once, 'a message changes when read and written');
      });
    },
    refuses: isWireError,
    repair(octets) {
      if (octets.length < 28) return;
      new DataView(octets.buffer, octets.byteOffset).setUint32(24, octets.length);
      octets[17] = 0x20;
    },
  },
  {
    // The first octet is the type of the first payload.
    name: 'ike-inner-payloads',
    run(octets) {
      const payloads = decodePayloads(octets[0] ?? 0, octets.subarray(1));
      mustWrite(() => {
        const once = encodePayloads(payloads);
        const again = encodePayloads(decodePayloads(once.firstPayload, once.octets));
        mustEqual(again.octets, once.octets, 'payloads change when read and written');
      });
    },
    refuses: isWireError,
  },
];
