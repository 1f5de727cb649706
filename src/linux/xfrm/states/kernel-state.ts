// An SA of ours as the kernel wants it.
import {
  addressBytes,
  type Endpoint,
  type IpAddress,
  isIpv6,
  type SaLifetimes,
  type SaParameters,
} from '#sa';
import {
  IpProtocol,
  type XfrmAttributes,
  type XfrmEncapsulation,
  XfrmFamily,
  type XfrmLifetimeLimits,
  XfrmMode,
  type XfrmReplay,
  type XfrmReplayEsn,
  type XfrmSelector,
  type XfrmState,
  XfrmStateExtraFlag,
  XfrmStateFlag,
  type XfrmStateId,
  xfrmEncapsulationUdp,
  xfrmUnlimited,
} from '#wire';
import { tiesAttributes, tiesKey } from '../kernel-ties.ts';
import { kernelSelectors } from '../policies/kernel-selectors.ts';
import { algorithmsOf } from './algorithm-names.ts';

/** XFRMA_REPLAY_ESN_MAX. */
export const replayWindowPacketsMax = 4_096;
/** What the short form of an SA's replay state can hold. */
const shortWindowPacketsMax = 32;
/** Without ESN the last number ends an SA (RFC 4303 3.3.3): it is replaced while an eighth of them is left. */
const sequencesMax = 0xffff_ffff;
const softSequences = sequencesMax - sequencesMax / 8;
/** As large as the packet gets (the kernel knows the path). */
const paddingMax = 0xffff_ffff;

export const unusedYet = { bytes: 0n, packets: 0n, addedAtSeconds: 0n, usedAtSeconds: 0n };

export const unlimitedLifetime: XfrmLifetimeLimits = {
  softBytes: xfrmUnlimited,
  hardBytes: xfrmUnlimited,
  softPackets: xfrmUnlimited,
  hardPackets: xfrmUnlimited,
  softAddSeconds: 0n,
  hardAddSeconds: 0n,
  softUseSeconds: 0n,
  hardUseSeconds: 0n,
};

export function familyOf(address: IpAddress): number {
  return isIpv6(address) ? XfrmFamily.IPV6 : XfrmFamily.IPV4;
}

export function protocolNumber(protocol: SaParameters['protocol']): number {
  return protocol === 'esp' ? IpProtocol.ESP : IpProtocol.AH;
}

export function modeNumber(mode: SaParameters['mode']): number {
  return { tunnel: XfrmMode.TUNNEL, transport: XfrmMode.TRANSPORT, beet: XfrmMode.BEET }[mode];
}

/** Where packets of an SA come from and go to. */
export function endsOf({ direction, local, remote }: Pick<SaParameters, 'direction' | 'local' | 'remote'>): {
  readonly source: IpAddress;
  readonly destination: IpAddress;
} {
  return direction === 'inbound'
    ? { source: remote, destination: local }
    : { source: local, destination: remote };
}

export function stateId(
  sa: Pick<SaParameters, 'direction' | 'protocol' | 'spi' | 'local' | 'remote'>,
): XfrmStateId {
  const { destination } = endsOf(sa);
  return {
    family: familyOf(destination),
    destination: addressBytes(destination),
    spi: sa.spi,
    protocol: protocolNumber(sa.protocol),
  };
}

const anySelector = (family: number): XfrmSelector => ({
  family,
  source: new Uint8Array(family === XfrmFamily.IPV4 ? 4 : 16),
  destination: new Uint8Array(family === XfrmFamily.IPV4 ? 4 : 16),
  sourcePrefixLength: 0,
  destinationPrefixLength: 0,
  sourcePort: 0,
  sourcePortMask: 0,
  destinationPort: 0,
  destinationPortMask: 0,
  protocol: 0,
  interfaceIndex: 0,
  user: 0,
});

/** Tunnels carry both families; the other modes carry what their selectors say, if one selector of the kernel's can say it. */
function selectorOf(sa: SaParameters, family: number): XfrmSelector {
  if (sa.mode === 'tunnel') return anySelector(XfrmFamily.UNSPECIFIED);
  const { local, remote } = sa.selectors;
  const inbound = sa.direction === 'inbound';
  const all = inbound ? kernelSelectors(remote, local) : kernelSelectors(local, remote);
  return all.length === 1 ? all[0]! : anySelector(family);
}

export function limitsOf(sa: SaParameters): XfrmLifetimeLimits {
  const { lifetimes, esn, direction } = sa;
  // Without ESN the kernel stops at the last number and tells nobody.
  const ends = !esn && direction === 'outbound';
  const atMost = (limit: number | undefined, most: number): number | undefined =>
    ends ? Math.min(limit ?? most, most) : limit;
  const limit = (value: number | undefined): bigint =>
    value === undefined ? xfrmUnlimited : BigInt(Math.floor(value));
  return {
    softBytes: limit(lifetimes.softBytes),
    hardBytes: limit(lifetimes.hardBytes),
    softPackets: limit(atMost(lifetimes.softPackets, softSequences)),
    hardPackets: limit(atMost(lifetimes.hardPackets, sequencesMax)),
    softAddSeconds: 0n,
    hardAddSeconds: hardSeconds(lifetimes),
    softUseSeconds: 0n,
    hardUseSeconds: 0n,
  };
}

function hardSeconds({ hardTimeMs }: SaLifetimes): bigint {
  return hardTimeMs === undefined ? 0n : BigInt(Math.max(1, Math.ceil(hardTimeMs / 1000)));
}

function flagsOf({ mode, esn, direction, copyDscp, copyDf }: SaParameters): number {
  const inward = direction === 'inbound' && (copyDscp === 'in' || copyDscp === 'yes');
  return (
    (mode === 'tunnel' ? XfrmStateFlag.AF_UNSPEC : 0) |
    (esn ? XfrmStateFlag.ESN : 0) |
    (inward ? XfrmStateFlag.DECAP_DSCP : 0) |
    (direction === 'outbound' && !copyDf ? XfrmStateFlag.NOPMTUDISC : 0)
  );
}

function extraFlagsOf({ direction, copyDscp }: SaParameters): number {
  const outward = copyDscp === 'out' || copyDscp === 'yes';
  return direction === 'outbound' && !outward ? XfrmStateExtraFlag.DONT_ENCAP_DSCP : 0;
}

/** How far an SA is that goes on elsewhere. */
export type ReplayState = Pick<XfrmAttributes, 'replay' | 'replayEsn'>;

const freshReplay: XfrmReplay = { outboundSequence: 0, sequence: 0, bitmap: 0 };

function replayOf({ esn, replayWindow, direction }: SaParameters): ReplayState {
  // An outbound SA has no window, but the kernel wants one where numbers are long.
  const window = direction === 'inbound' ? replayWindow : Math.min(1, replayWindow);
  if (!esn && window <= shortWindowPacketsMax) return {};
  const packets = Math.max(1, window);
  const replayEsn: XfrmReplayEsn = {
    ...{ outboundSequence: 0, outboundSequenceHigh: 0, sequence: 0, sequenceHigh: 0 },
    replayWindow: packets,
    bitmap: new Array<number>(Math.ceil(packets / 32)).fill(0),
  };
  return { replayEsn };
}

/** @param local @param remote the ends of the UDP encapsulation, from our point of view */
export function encapsulationOf(
  direction: SaParameters['direction'],
  localPort: number,
  remotePort: number,
): XfrmEncapsulation {
  const inbound = direction === 'inbound';
  return {
    type: xfrmEncapsulationUdp,
    sourcePort: inbound ? remotePort : localPort,
    destinationPort: inbound ? localPort : remotePort,
    originalAddress: new Uint8Array(16),
  };
}

export interface KernelState {
  readonly state: XfrmState;
  readonly attributes: XfrmAttributes;
}

/**
 * @param requestId of the pair
 * @param stateTag what says that the SA is ours
 * @returns undefined if the kernel's crypto has no name for an algorithm
 */
export function kernelState(sa: SaParameters, requestId: number, stateTag: number): KernelState | undefined {
  const algorithms = algorithmsOf(sa);
  if (algorithms === undefined) return undefined;
  const { source, destination } = endsOf(sa);
  const family = familyOf(destination);
  const { encapsulation, tfcPadding, direction } = sa;
  const replay = replayOf(sa);
  const extraFlags = extraFlagsOf(sa);
  return {
    state: {
      selector: selectorOf(sa, family),
      family,
      source: addressBytes(source),
      destination: addressBytes(destination),
      spi: sa.spi,
      protocol: protocolNumber(sa.protocol),
      limits: limitsOf(sa),
      used: unusedYet,
      replayWindowFailures: 0,
      replays: 0,
      integrityFailures: 0,
      sequence: stateTag,
      requestId,
      mode: modeNumber(sa.mode),
      replayWindow: replay.replayEsn === undefined && direction === 'inbound' ? sa.replayWindow : 0,
      flags: flagsOf(sa),
    },
    attributes: {
      ...algorithms,
      ...replay,
      ...(encapsulation !== undefined && {
        encapsulation: encapsulationOf(direction, encapsulation.localPort, encapsulation.remotePort),
      }),
      ...(extraFlags !== 0 && { extraFlags }),
      ...tiesAttributes(sa.kernelTies),
      ...(direction === 'outbound' &&
        tfcPadding !== undefined && { tfcPadding: tfcPadding === 'mtu' ? paddingMax : tfcPadding }),
    },
  };
}

/**
 * Whether two SAs protect the same packets with the same keys: only then may one go on as the other. A device that does it goes on
 * doing it, whatever is wanted of new ones.
 */
export function isSameState(a: KernelState, b: KernelState): boolean {
  const text = ({ state, attributes }: KernelState): string =>
    [
      ...[state.source, state.destination, state.spi, state.protocol, state.mode],
      state.flags & (XfrmStateFlag.ESN | XfrmStateFlag.AF_UNSPEC),
      ...algorithmTexts(attributes),
      attributes.encapsulation?.sourcePort,
      attributes.encapsulation?.destinationPort,
      tiesKey(attributes),
      attributes.outputMark,
      attributes.outputMarkMask,
    ].join(' ');
  return text(a) === text(b);
}

function algorithmTexts({ aead, encryption, authenticationTruncated }: XfrmAttributes): unknown[] {
  return [aead, encryption, authenticationTruncated].flatMap((one) =>
    one === undefined ? ['-'] : [one.name, one.key, 'icvLengthBits' in one ? one.icvLengthBits : ''],
  );
}

/** Keys of a message that is done with. */
export function wipeKeys({
  aead,
  encryption,
  authentication,
  authenticationTruncated,
}: XfrmAttributes): void {
  for (const one of [aead, encryption, authentication, authenticationTruncated]) one?.key.fill(0);
}

/** The same SA with other ends: everything else goes on where it was. */
export function movedState(
  { state, attributes }: KernelState,
  direction: SaParameters['direction'],
  local: Endpoint,
  remote: Endpoint,
  encapsulated: boolean,
): KernelState {
  const { source, destination } = endsOf({ direction, local: local.address, remote: remote.address });
  const { authentication: _, encapsulation: __, lastUsedSeconds: ___, others: ____, ...kept } = attributes;
  return {
    state: {
      ...state,
      family: familyOf(destination),
      source: addressBytes(source),
      destination: addressBytes(destination),
    },
    attributes: {
      ...kept,
      // Limits count what it has carried, and how old it is, from its beginning.
      used: state.used,
      replay: attributes.replayEsn === undefined ? (attributes.replay ?? freshReplay) : undefined,
      ...(encapsulated && { encapsulation: encapsulationOf(direction, local.port, remote.port) }),
    } as XfrmAttributes,
  };
}
