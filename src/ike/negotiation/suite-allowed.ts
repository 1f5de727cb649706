// Whether a connection's proposals allow a suite that was agreed upon without it.
import type { IkeSuite } from '#sa';
import { TransformType } from '#wire';
import type { ConnectionConfiguration } from '../configuration.ts';

export function suiteAllowed(connection: ConnectionConfiguration, suite: IkeSuite): boolean {
  const { encr, prf, integ, ke } = suite;
  return connection.proposals.some(({ transforms }) => {
    const has = (type: number, id: number): boolean =>
      transforms.some((transform) => transform.type === type && transform.id === id);
    return (
      transforms.some(
        (transform) =>
          transform.type === TransformType.ENCR &&
          transform.id === encr.id &&
          (transform.keyLengthBits === undefined || transform.keyLengthBits === encr.keyLengthBits),
      ) &&
      has(TransformType.PRF, prf) &&
      has(TransformType.KE, ke) &&
      (integ === undefined || has(TransformType.INTEG, integ))
    );
  });
}
