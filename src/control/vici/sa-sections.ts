// IKE SAs and Child SAs as vici shows them: the names are charon's.
import type { ChildSaStatus, ChildSaSummary, IkeSaStatus } from '#engine';
import { formatSelector, formatSpi, type KernelTies, type SaCounters, type SaDirection } from '#sa';
import { ExchangeType, encodeViciMessage, type ViciMessage, viciPacketLengthMax } from '#wire';
import { suiteNames } from './algorithm-names.ts';
import type { ChildNumbers } from './child-numbers.ts';

const ikeStates: Readonly<Record<IkeSaStatus['phase'], string>> = {
  connecting: 'CONNECTING',
  established: 'ESTABLISHED',
  rekeying: 'REKEYING',
  rekeyed: 'REKEYED',
  deleting: 'DELETING',
  ended: 'DESTROYING',
};

const childStates: Readonly<Record<ChildSaStatus['phase'], string>> = {
  installed: 'INSTALLED',
  replaced: 'REKEYED',
  deleting: 'DELETING',
};

const activeTasks: Readonly<Record<number, string>> = {
  [ExchangeType.IKE_SA_INIT]: 'IKE_INIT',
  [ExchangeType.IKE_AUTH]: 'IKE_AUTH',
  [ExchangeType.CREATE_CHILD_SA]: 'CHILD_CREATE',
  [ExchangeType.INFORMATIONAL]: 'IKE_DPD',
};

const queuedTasks: Readonly<Record<string, string>> = {
  'initiate-child': 'CHILD_CREATE',
  'rekey-child': 'CHILD_REKEY',
  'delete-child': 'CHILD_DELETE',
  'rekey-ike': 'IKE_REKEY',
  'delete-ike': 'IKE_DELETE',
  'check-liveness': 'IKE_DPD',
  'update-addresses': 'IKE_MOBIKE',
  'check-path': 'IKE_MOBIKE',
  'announce-addresses': 'IKE_MOBIKE',
};

/** So many fit into a packet, whatever their selectors are. */
const childSasPerMessageMin = 8;
/** Without the packet's type and the name of the event. */
const messageBytesMax = viciPacketLengthMax - 2 - 255;

const seconds = (ms: number): string => String(Math.round(ms / 1000));

/** Sections of SAs, with what is not theirs to know. */
export class SaSections {
  readonly #numbers: ChildNumbers;
  readonly #counters: (direction: SaDirection, spi: number) => SaCounters | undefined;
  readonly #now: () => number;

  constructor(
    numbers: ChildNumbers,
    counters: (direction: SaDirection, spi: number) => SaCounters | undefined,
    now: () => number,
  ) {
    this.#numbers = numbers;
    this.#counters = counters;
    this.#now = now;
  }

  /** Without its Child SAs. */
  ike(sa: IkeSaStatus, state: string = ikeStates[sa.phase]): ViciMessage {
    const active = sa.activeExchangeTypes.map((type) =>
      sa.phase === 'deleting' && type === ExchangeType.INFORMATIONAL
        ? 'IKE_DELETE'
        : (activeTasks[type] ?? String(type)),
    );
    const queued = sa.queuedTasks.map((task) => queuedTasks[task] ?? task);
    const established = state === 'ESTABLISHED';
    return {
      uniqueid: String(sa.ikeId),
      version: '2',
      state,
      'local-host': sa.local.address,
      'local-port': String(sa.local.port),
      'local-id': sa.localIdentity ?? '%any',
      'remote-host': sa.remote.address,
      'remote-port': String(sa.remote.port),
      'remote-id': sa.remoteIdentity ?? '%any',
      ...(sa.remoteEapIdentity === undefined ? {} : { 'remote-eap-id': sa.remoteEapIdentity }),
      ...(sa.initiator ? { initiator: 'yes' } : {}),
      'initiator-spi': sa.initiatorSpi,
      'responder-spi': sa.responderSpi,
      ...(sa.nat.local ? { 'nat-local': 'yes' } : {}),
      ...(sa.nat.remote ? { 'nat-remote': 'yes' } : {}),
      ...(isNatted(sa) ? { 'nat-any': 'yes' } : {}),
      ...(sa.mobility === undefined ? {} : { mobike: 'yes' }),
      ...(sa.suite === undefined ? {} : suiteNames(sa.suite)),
      ...(established && sa.establishedMsAgo !== undefined
        ? { established: seconds(sa.establishedMsAgo) }
        : {}),
      ...(established && sa.rekeyInMs !== undefined ? { 'rekey-time': seconds(sa.rekeyInMs) } : {}),
      ...(established && sa.reauthenticateInMs !== undefined
        ? { 'reauth-time': seconds(sa.reauthenticateInMs) }
        : {}),
      ...(sa.virtualAddresses.length > 0 ? { 'local-vips': sa.virtualAddresses } : {}),
      ...(sa.peerVirtualAddresses.length > 0 ? { 'remote-vips': sa.peerVirtualAddresses } : {}),
      ...(queued.length > 0 ? { 'tasks-queued': queued } : {}),
      ...(active.length > 0 ? { 'tasks-active': active } : {}),
    };
  }

  /**
   * With the section `child-sas`, under the name of its connection: in one message, or in several with some of its Child SAs
   * each if it has more than fit into a packet.
   */
  ikeWithChildren(sa: IkeSaStatus): readonly ViciMessage[] {
    return this.#parts(sa, sa.children);
  }

  #parts(sa: IkeSaStatus, children: readonly ChildSaStatus[]): readonly ViciMessage[] {
    const message = { [sa.connection]: { ...this.ike(sa), 'child-sas': this.#children(sa, children) } };
    const few = children.length <= childSasPerMessageMin;
    if (few || encodeViciMessage(message).length <= messageBytesMax) return [message];
    const half = Math.ceil(children.length / 2);
    return [...this.#parts(sa, children.slice(0, half)), ...this.#parts(sa, children.slice(half))];
  }

  /** With one Child SA, which may be gone by now. */
  ikeWithChild(sa: IkeSaStatus, child: ChildSaSummary, state?: string): ViciMessage {
    const known = sa.children.find(({ inboundSpi }) => inboundSpi === child.inboundSpi) ?? child;
    return {
      ...this.ike(sa),
      'child-sas': { [this.#keyOf(child)]: this.child(sa, known, state) },
    };
  }

  child(sa: IkeSaStatus, child: ChildSaSummary | ChildSaStatus, state?: string): ViciMessage {
    const now = this.#now();
    const status = 'phase' in child ? child : undefined;
    const usage = (direction: SaDirection, suffix: string, spi: number): ViciMessage => {
      const counters = this.#counters(direction, spi);
      return {
        [`bytes-${suffix}`]: String(counters?.bytes ?? 0),
        [`packets-${suffix}`]: String(counters?.packets ?? 0),
        ...(counters?.lastUsedAt === undefined
          ? {}
          : { [`use-${suffix}`]: seconds(now - counters.lastUsedAt) }),
      };
    };
    return {
      name: child.name,
      uniqueid: String(this.#numbers.of(child)),
      reqid: String(child.childId),
      state: state ?? (status === undefined ? 'INSTALLED' : childStates[status.phase]),
      mode: child.mode.toUpperCase(),
      protocol: child.suite.protocol.toUpperCase(),
      ...(isNatted(sa) && child.suite.protocol === 'esp' ? { encap: 'yes' } : {}),
      'spi-in': formatSpi(child.inboundSpi),
      'spi-out': formatSpi(child.outboundSpi),
      ...tiesSection(child.kernelTies?.inbound, 'in'),
      ...tiesSection(child.kernelTies?.outbound, 'out'),
      ...suiteNames(child.suite),
      ...usage('inbound', 'in', child.inboundSpi),
      ...usage('outbound', 'out', child.outboundSpi),
      ...(status?.rekeyAt === undefined ? {} : { 'rekey-time': seconds(status.rekeyAt - now) }),
      ...(status?.expiresAt === undefined ? {} : { 'life-time': seconds(status.expiresAt - now) }),
      ...(status === undefined ? {} : { 'install-time': seconds(now - status.installedAt) }),
      'local-ts': child.local.map(formatSelector),
      'remote-ts': child.remote.map(formatSelector),
    };
  }

  #children(sa: IkeSaStatus, children: readonly ChildSaStatus[]): ViciMessage {
    return Object.fromEntries(children.map((child) => [this.#keyOf(child), this.child(sa, child)]));
  }

  #keyOf(child: ChildSaSummary): string {
    return `${child.name}-${this.#numbers.of(child)}`;
  }
}

const hexadecimal = (number: number): string => number.toString(16).padStart(8, '0');

/** Numbers as charon prints them. */
function tiesSection(ties: KernelTies | undefined, suffix: 'in' | 'out'): ViciMessage {
  const { mark, interfaceId } = ties ?? {};
  return {
    ...(mark === undefined
      ? {}
      : { [`mark-${suffix}`]: hexadecimal(mark.value), [`mark-mask-${suffix}`]: hexadecimal(mark.mask) }),
    ...(interfaceId === undefined ? {} : { [`if-id-${suffix}`]: hexadecimal(interfaceId) }),
  };
}

function isNatted({ nat }: IkeSaStatus): boolean {
  return nat.local || nat.remote;
}
