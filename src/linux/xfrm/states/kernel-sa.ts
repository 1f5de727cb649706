// What this process knows of an SA of ours that the kernel carries.
import type { Endpoint, HardwareOffload, SaCounters, SaDirection, SaParameters, SaProtocol, Spi } from '#sa';
import type { XfrmStateId } from '#wire';
import { type LookupAttributes, lookupAttributes } from '../kernel-ties.ts';
import type { DeviceOffload } from './device-offload.ts';
import { stateId } from './kernel-state.ts';

export class KernelSa {
  readonly protocol: SaProtocol;
  readonly direction: SaDirection;
  readonly spi: Spi;
  readonly childId: number;
  readonly mode: SaParameters['mode'];
  readonly requestId: number;
  /** By which the kernel knows it, besides `id`. */
  readonly lookup: LookupAttributes;
  readonly hardwareOffload: HardwareOffload | undefined;
  /** What has taken it. */
  device: DeviceOffload | undefined;
  /** The kernel has it no more, and the engine was asked to replace it. */
  ended = false;
  local: Endpoint;
  remote: Endpoint;
  encapsulated: boolean;
  /** Of the last report; a counter that stands is not told again. */
  bytes = 0;
  packets = 0;
  integrityFailures = 0;
  replays = 0;
  lastUsedAt: number | undefined;
  /** Where the kernel said last that the peer is now. */
  mapping: string | undefined;

  constructor(sa: SaParameters, requestId: number) {
    this.protocol = sa.protocol;
    this.direction = sa.direction;
    this.spi = sa.spi;
    this.childId = sa.childId;
    this.mode = sa.mode;
    this.requestId = requestId;
    this.lookup = lookupAttributes(sa.kernelTies);
    this.hardwareOffload = sa.hardwareOffload;
    this.local = { address: sa.local, port: sa.encapsulation?.localPort ?? 0 };
    this.remote = { address: sa.remote, port: sa.encapsulation?.remotePort ?? 0 };
    this.encapsulated = sa.encapsulation !== undefined;
  }

  get id(): XfrmStateId {
    const { protocol, direction, spi } = this;
    return stateId({ protocol, direction, spi, local: this.local.address, remote: this.remote.address });
  }

  get key(): string {
    return stateKey(this.id);
  }

  /** How far an SA is that a device does all of, the kernel cannot tell. */
  get isNumberedByDevice(): boolean {
    return this.device?.kind === 'packet';
  }

  /** Whether a move to there would change nothing. */
  isAt({ local, remote, encapsulated }: Pick<KernelSa, 'local' | 'remote' | 'encapsulated'>): boolean {
    if (!this.isBetween({ local, remote }) || this.encapsulated !== encapsulated) return false;
    return !encapsulated || (this.local.port === local.port && this.remote.port === remote.port);
  }

  /** Whether these are its addresses. */
  isBetween({ local, remote }: Pick<KernelSa, 'local' | 'remote'>): boolean {
    return this.local.address === local.address && this.remote.address === remote.address;
  }

  counters(): SaCounters {
    const { bytes, packets, lastUsedAt, integrityFailures, replays } = this;
    return {
      bytes,
      packets,
      integrityFailures,
      replays,
      // The kernel counts those for all SAs together.
      malformed: 0,
      ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
    };
  }
}

/** What tells SAs apart in the kernel. */
export function stateKey({ protocol, spi, destination }: XfrmStateId): string {
  return `${protocol} ${spi} ${destination}`;
}
