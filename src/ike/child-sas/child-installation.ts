// Child SAs enter and leave the data plane: inbound before outbound, the policy once per pair (RFC 4301 4.4, RFC 7296 2.8).
import type { ChildKeys, PacketKeys } from '#crypto';
import {
  addressBytes,
  isIpv6,
  type PolicyParameters,
  replacedLingerMs,
  type SaCommand,
  type SaDirection,
  type SaParameters,
  type SaSelectors,
  type SequenceReservation,
  type TrafficSelector,
} from '#sa';
import { firstReservation } from '../checkpoint/reservations.ts';
import { type RetainedPair, wipeRetained } from '../checkpoint/retained.ts';
import { copyPacketKeys } from '../checkpoint/snapshot.ts';
import { childLifetimes } from '../clocks/lifetimes.ts';
import type { IkeSaState } from '../ike-sa-state.ts';
import type { IkeFailure } from '../interface.ts';
import { isEncapsulated } from '../payloads/nat-detection.ts';
import { type ChildAgreement, type ChildSa, summaryOf } from './child-sa.ts';
import { kernelTiesOfPolicy, kernelTiesOfSa } from './kernel-ties.ts';

export interface InstallationOptions {
  readonly keys: ChildKeys;
  /** Whether we began the exchange that made the pair. */
  readonly initiator: boolean;
  /** False for the responder of a rekeying, who waits for a sign that the initiator is ready (RFC 7296 2.8). */
  readonly useOutbound: boolean;
  readonly replaces?: ChildSa;
}

export function installChild(
  state: IkeSaState,
  agreement: ChildAgreement,
  options: InstallationOptions,
): ChildSa {
  const { configuration, childId } = agreement;
  const lifetimes = childLifetimes(configuration.lifetimes, state.ports.randomness);
  const child: ChildSa = {
    agreement,
    initiator: options.initiator,
    installedAt: state.at,
    phase: 'installed',
    outboundInUse: false,
    rekeyAt: lifetimes.rekeyAfterMs === undefined ? undefined : state.at + lifetimes.rekeyAfterMs,
    expiresAt: lifetimes.endAfterMs === undefined ? undefined : state.at + lifetimes.endAfterMs,
    collision: undefined,
    replaces: options.replaces,
    retained: undefined,
  };
  const first = !state.children.some((other) => other.agreement.childId === childId);
  const { keys, initiator } = options;
  const [outboundKeys, inboundKeys] = initiator
    ? [keys.initiator, keys.responder]
    : [keys.responder, keys.initiator];
  if (state.ports.checkpoints) {
    child.retained = retain(
      state,
      agreement,
      { inbound: inboundKeys, outbound: outboundKeys },
      child.replaces,
    );
  }
  if (state.keyLog) {
    logKeys(state, agreement, 'inbound', inboundKeys);
    logKeys(state, agreement, 'outbound', outboundKeys);
  }
  for (const [direction, packetKeys] of [
    ['inbound', inboundKeys],
    ['outbound', outboundKeys],
  ] as const) {
    installSa(state, child, direction, packetKeys, lifetimes.sa);
  }
  if (first && configuration.policies) {
    installPolicy(state, child);
  }
  state.children.push(child);
  if (options.useOutbound) useOutbound(state, child);
  return child;
}

function retain(
  state: IkeSaState,
  { suite: { esn } }: ChildAgreement,
  keys: Record<SaDirection, PacketKeys>,
  replaces: ChildSa | undefined,
): RetainedPair {
  const of = (direction: SaDirection): RetainedPair['inbound'] => ({
    keys: copyPacketKeys(keys[direction]),
    reserved: firstReservation(direction, state.at, esn, replaces?.retained?.[direction].reserved),
  });
  return { inbound: of('inbound'), outbound: of('outbound') };
}

/**
 * @param taken of an SA that is taken over: the highest number that may have been used or received before, and up to where
 *   its numbers are reserved; absent: the SA is a fresh one
 */
export function installSa(
  state: IkeSaState,
  child: ChildSa,
  direction: SaDirection,
  keys: PacketKeys,
  lifetimes: SaParameters['lifetimes'],
  taken?: SequenceReservation,
): void {
  const fresh = child.retained?.[direction].reserved.limit;
  const reservation =
    taken ?? (fresh === undefined ? undefined : { last: { high: 0, low: 0 }, limit: fresh });
  const parameters = saParameters(state, child.agreement, direction, keys, lifetimes);
  const sa = reservation === undefined ? parameters : { ...parameters, reservation };
  demand(state, child, { kind: 'install', sa }, direction);
}

/** Once for all generations of a pair. */
export function installPolicy(state: IkeSaState, child: ChildSa): void {
  demand(state, child, { kind: 'install-policy', policy: policyOf(child.agreement) });
}

/** What a pair cannot be without: a refusal ends it. */
function demand(state: IkeSaState, child: ChildSa, command: SaCommand, direction?: SaDirection): void {
  const id = state.command(command);
  state.installations.set(id, direction === undefined ? { child } : { child, direction });
}

export function useOutbound(state: IkeSaState, child: ChildSa): void {
  if (child.outboundInUse) return;
  const { protocol, outboundSpi, childId } = child.agreement;
  for (const other of state.children) {
    if (other.agreement.childId === childId) other.outboundInUse = false;
  }
  child.outboundInUse = true;
  demand(state, child, { kind: 'use-outbound', protocol, spi: outboundSpi, childId });
}

export function removeChild(state: IkeSaState, child: ChildSa, failure: IkeFailure): void {
  const { protocol, inboundSpi, outboundSpi, childId, configuration } = child.agreement;
  const index = state.children.indexOf(child);
  if (index < 0) return;
  state.children.splice(index, 1);
  wipeRetained(child.retained);
  child.retained = undefined;
  const last = !state.children.some((other) => other.agreement.childId === childId);
  state.command({
    kind: 'remove',
    protocol,
    direction: 'inbound',
    spi: inboundSpi,
    childId,
    ...(failure.code === 'replaced' && !last && { lingerMs: replacedLingerMs }),
  });
  state.command({ kind: 'remove', protocol, direction: 'outbound', spi: outboundSpi, childId });
  if (last && configuration.policies) state.command({ kind: 'remove-policy', policyId: childId });
  for (const other of state.children) {
    if (other.replaces === child) other.replaces = undefined;
    if (other.collision?.child === child) other.collision = undefined;
  }
  state.tasks.removeWhere((work) => 'inboundSpi' in work && work.inboundSpi === inboundSpi);
  state.ports.releaseSpi(inboundSpi);
  state.emit({ kind: 'child-ended', child: summaryOf(child), failure });
}

/** RFC 7296 2.23: the SAs follow the addresses of their IKE SA. */
export function moveChildren(state: IkeSaState): void {
  const { local, remote, nat } = state.tunnelEnds;
  const encapsulated = isEncapsulated(nat);
  for (const child of state.children) {
    const { agreement } = child;
    for (const direction of ['inbound', 'outbound'] as const) {
      demand(
        state,
        child,
        {
          kind: 'update-addresses',
          protocol: agreement.protocol,
          direction,
          spi: direction === 'inbound' ? agreement.inboundSpi : agreement.outboundSpi,
          childId: agreement.childId,
          local,
          remote,
          encapsulated,
        },
        direction,
      );
    }
  }
}

function selectorsOf(agreement: ChildAgreement): SaSelectors {
  return { local: agreement.local, remote: agreement.remote };
}

function saParameters(
  state: IkeSaState,
  agreement: ChildAgreement,
  direction: SaDirection,
  keys: PacketKeys,
  lifetimes: SaParameters['lifetimes'],
): SaParameters {
  const { configuration } = agreement;
  const { tfcPadding, hardwareOffload } = configuration;
  const { local, remote, nat } = state.tunnelEnds;
  const kernelTies = kernelTiesOfSa(configuration, agreement.childId, direction);
  const sa: { -readonly [Name in keyof SaParameters]: SaParameters[Name] } = {
    direction,
    protocol: agreement.protocol,
    spi: direction === 'inbound' ? agreement.inboundSpi : agreement.outboundSpi,
    mode: agreement.mode,
    local: local.address,
    remote: remote.address,
    esn: agreement.suite.esn,
    replayWindow: configuration.replayWindow,
    selectors: selectorsOf(agreement),
    lifetimes,
    childId: agreement.childId,
    generation: agreement.generation,
    copyDscp: configuration.copyDscp,
    copyDf: configuration.copyDf,
  };
  if (isEncapsulated(nat)) {
    sa.encapsulation = { localPort: local.port, remotePort: remote.port };
  }
  if (keys.encryption !== undefined) sa.encryption = keys.encryption;
  if (keys.integrity !== undefined) sa.integrity = keys.integrity;
  if (tfcPadding !== undefined) sa.tfcPadding = tfcPadding;
  if (kernelTies !== undefined) sa.kernelTies = kernelTies;
  if (hardwareOffload !== undefined) sa.hardwareOffload = hardwareOffload;
  return sa;
}

/** The policy shares the number of the pair, which is stable over rekeyings. */
function policyOf(agreement: ChildAgreement): PolicyParameters {
  const { childId, configuration } = agreement;
  const kernelTies = kernelTiesOfPolicy(configuration, childId);
  const policy: PolicyParameters = {
    policyId: childId,
    action: 'protect',
    selectors: selectorsOf(agreement),
    priority: configuration.priority ?? derivedPriority(agreement),
    mode: agreement.mode,
    childId,
  };
  return kernelTies === undefined ? policy : { ...policy, kernelTies };
}

/** Smaller blocks, single protocols and single ports come before larger ones (RFC 4301 4.4.1 wants an order). */
function derivedPriority(agreement: ChildAgreement): number {
  const broadest = (selectors: readonly TrafficSelector[]): number =>
    Math.max(...selectors.map((selector) => breadth(selector)));
  return 1000 + 4 * (broadest(agreement.local) + broadest(agreement.remote));
}

function breadth(selector: TrafficSelector): number {
  const start = addressBytes(selector.start);
  const end = addressBytes(selector.end);
  const differing = start.findIndex((octet, i) => octet !== end[i]);
  const common =
    differing < 0
      ? 8 * start.length
      : 8 * differing + Math.clz32((start[differing] ?? 0) ^ (end[differing] ?? 0)) - 24;
  // IPv4 and IPv6 policies never compete, so that their scales need not agree.
  const free = (isIpv6(selector.start) ? 128 : 32) - common;
  const anyPort = selector.startPort === 0 && selector.endPort === 65535;
  return 3 * free + (selector.protocol === 0 ? 1 : 0) + (anyPort ? 1 : 0);
}

function logKeys(
  state: IkeSaState,
  agreement: ChildAgreement,
  direction: SaDirection,
  keys: PacketKeys,
): void {
  const inbound = direction === 'inbound';
  const { local, remote } = state.tunnelEnds;
  const [source, destination] = inbound ? [remote, local] : [local, remote];
  const { encryption, integrity } = keys;
  state.outputs.push({
    kind: 'key-log',
    entry: {
      kind: 'child',
      protocol: agreement.protocol,
      spi: inbound ? agreement.inboundSpi : agreement.outboundSpi,
      source: source.address,
      destination: destination.address,
      ...(encryption !== undefined && { encryption: { ...encryption, key: encryption.key.slice() } }),
      ...(integrity !== undefined && { integrity: { ...integrity, key: integrity.key.slice() } }),
    },
  });
}
