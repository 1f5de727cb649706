// What every builder of a part of the configuration has at hand.
import type { RetransmitConfiguration } from '#engine';
import type { Findings } from '../error.ts';
import type { ConfigurationPorts } from '../ports.ts';

/** Settings of the whole host that connections take part in. */
export interface HostDefaults {
  readonly ikePort: number;
  readonly fragmentSizeBytes: number;
  readonly windowSize: number;
  readonly retransmit: RetransmitConfiguration;
  /** What there cannot be without the kernel's data plane is refused if it is not wanted. */
  readonly withoutKernel: boolean;
}

export interface BuildContext {
  readonly ports: ConfigurationPorts;
  readonly findings: Findings;
  /** Files are looked up in the folder of this file. */
  readonly file: string;
  readonly host: HostDefaults;
}
