// Records as decoders make them: with the ordinary prototype, which deepEqual compares.
import fc from 'fast-check';

export function plainRecord<T extends object>(
  model: { [K in keyof T]: fc.Arbitrary<T[K]> },
): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}
