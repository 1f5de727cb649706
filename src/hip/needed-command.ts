// Which commands to the data plane have to be carried out, or an association is none.
import type { SaCommand, Spi } from '#sa';

export interface NeededCommand {
  readonly childId: number;
  /** Of the SA in question; absent: it is about the policy. */
  readonly spi?: Spi;
}

/** Absent for what an association can do without. */
export function neededCommand(command: SaCommand): NeededCommand | undefined {
  switch (command.kind) {
    case 'install':
      return { childId: command.sa.childId, spi: command.sa.spi };
    case 'use-outbound':
      return { childId: command.childId, spi: command.spi };
    case 'update-addresses':
      // A data plane that counts no credit sends to the old address until the new one has proven itself.
      return command.unverified ? undefined : { childId: command.childId, spi: command.spi };
    case 'install-policy':
      return { childId: command.policy.policyId };
    default:
      return undefined;
  }
}
