// What every decoder of this room owes: whatever the input, a value or a WireError.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WireError } from '../error.ts';

/** Runs `decode` and says whether it returned; any other exception than WireError fails the test. */
export function decodes(decode: (octets: Uint8Array) => unknown, octets: Uint8Array): boolean {
  try {
    decode(octets);
    return true;
  } catch (error) {
    assert.ok(error instanceof WireError, `${error}`);
    assert.ok(
      error.offset >= 0 && error.offset <= octets.length,
      `offset ${error.offset} is outside the input`,
    );
    assert.notEqual(error.field, '');
    return false;
  }
}

/** Checks that every proper prefix of `octets` is refused with a WireError inside of it. */
export function assertRefusesEveryPrefix(decode: (octets: Uint8Array) => unknown, octets: Uint8Array): void {
  assert.ok(decodes(decode, octets), 'the whole input must decode');
  for (let length = 0; length < octets.length; length++) {
    assert.equal(
      decodes(decode, octets.slice(0, length)),
      false,
      `${length} of ${octets.length} octets decoded`,
    );
  }
}

/** Checks that arbitrary octets, and arbitrary changes to valid octets, lead to a value or a WireError. */
export function assertTotal(
  decode: (octets: Uint8Array) => unknown,
  valid: fc.Arbitrary<Uint8Array>,
  numRuns = 300,
): void {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), (octets) => {
      decodes(decode, octets);
    }),
    { numRuns },
  );
  const change = fc.record({ at: fc.nat(), value: fc.nat(255) });
  fc.assert(
    fc.property(valid, fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(), (octets, changes, cut) => {
      const mutated = octets.slice();
      for (const { at, value } of changes) if (mutated.length > 0) mutated[at % mutated.length] = value;
      decodes(decode, mutated);
      decodes(decode, mutated.slice(0, cut % (mutated.length + 1)));
    }),
    { numRuns },
  );
}
