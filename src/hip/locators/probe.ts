// Is the peer at this address? An UPDATE with a nonce that goes there and nowhere else (RFC 8046 3.3.1, 5.4, RFC 8047 5.3).
//
// RFC 8046 6.2.1: no more than eight are under way with a peer at a time, whatever it names.
import { equalConstantTime } from '#crypto';
import type { IpAddress } from '#sa';
import { HipPacketType, type HipParameter, hipParameter } from '#wire';
import type { HipAssociation, Standing } from '../association.ts';
import type { HipHostState, ReceivedPacket } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import { firstWaitMs, protectedPacket } from '../update/send-update.ts';
import { isOpen, sourcesFor } from './own-locators.ts';
import { type PeerLocator, peerLocatorsMax } from './peer-locators.ts';
import { isSameWay, verifiedPath } from './verified-path.ts';

const echoBytes = 16;
const waitMsMax = 30_000;
/** An address that did not answer is asked again after this; it doubles. */
const againMsMin = 30_000;
const againMsMax = 5 * 60_000;
/** Before there is room for another probe. */
const roomMs = 1_000;

/** An UPDATE of its own, beside the one that others wait for: an address that is dead holds nothing up. */
export interface Probe {
  readonly updateId: number;
  readonly address: IpAddress;
  /** It asks whether a NAT shows the peer there now, whatever is known of the address. */
  readonly mapping?: HipPath;
  readonly packet: Uint8Array;
  readonly echo: Uint8Array;
  readonly sentAt: number;
  repetitions: number;
  waitMs: number;
  nextAt: number;
  /**
   * All its repetitions were in vain. It goes to where the peer certainly is from then on, because the peer's sequence of Update IDs may
   * have no holes (RFC 7401 6.12.1); and proves no other address any more.
   */
  lapsed: boolean;
}

export interface ProbeExtras {
  readonly acknowledges?: readonly number[];
  readonly answers?: readonly HipParameter[];
  readonly unsignedEchoes?: readonly Uint8Array[];
  /** By all our addresses at once, but not by this way. */
  readonly otherThan?: HipPath;
}

/** @returns false: it cannot be asked now */
export function sendProbe(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  locator: PeerLocator,
  { otherThan, ...extras }: ProbeExtras = {},
): boolean {
  const sources = sourcesFor(state, association.path, locator.address);
  if (sources.length === 0 || standing.updates.probes.size >= peerLocatorsMax) {
    locator.askAt = state.at + (sources.length === 0 ? againMsMin : roomMs);
    return false;
  }
  const probe = newProbe(state, association, standing, locator, extras);
  locator.askAt = Number.POSITIVE_INFINITY;
  transmit(state, association, standing, { probe, otherThan });
  return true;
}

/** Asks whether a NAT shows the peer there now, and nowhere else any more. */
export function probeMapping(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  mapping: HipPath,
): void {
  const { probes } = standing.updates;
  for (const probe of probes.values()) {
    if (probe.mapping === undefined || probe.lapsed) continue;
    const { address, port } = probe.mapping.remote;
    if (address === mapping.remote.address && port === mapping.remote.port) return;
    probe.lapsed = true;
  }
  if (probes.size >= peerLocatorsMax) return;
  const { address } = mapping.remote;
  const probe = newProbe(state, association, standing, { address, mapping });
  transmit(state, association, standing, { probe });
}

function newProbe(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  { address, mapping }: { readonly address: IpAddress; readonly mapping?: HipPath },
  { acknowledges, answers = [], unsignedEchoes }: ProbeExtras = {},
): Probe {
  const { updates, pair, keys } = standing;
  const updateId = updates.takeId();
  const echo = state.ports.randomness.bytes(echoBytes);
  const all: readonly HipParameter[] = [
    { type: 'ESP_INFO', keymatIndex: keys.nextIndex, oldSpi: pair.inboundSpi, newSpi: pair.inboundSpi },
    { type: 'SEQ', updateId },
    ...(acknowledges === undefined ? [] : [{ type: 'ACK' as const, updateIds: acknowledges }]),
    { type: 'ECHO_REQUEST_SIGNED', data: echo },
    ...answers,
  ];
  const { UPDATE } = HipPacketType;
  const packet = protectedPacket(state, association, keys, UPDATE, all, unsignedEchoes);
  const waitMs = firstWaitMs(state, standing);
  const probe: Probe = {
    ...{ updateId, address, packet, echo, sentAt: state.at, ...(mapping && { mapping }) },
    ...{ repetitions: 0, waitMs, nextAt: state.at + waitMs, lapsed: false },
  };
  updates.probes.set(updateId, probe);
  return probe;
}

function transmit(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  { probe, otherThan }: { readonly probe: Probe; readonly otherThan?: HipPath | undefined },
): void {
  const { path } = association;
  const { locators, askRate } = standing;
  const { address, packet, lapsed, repetitions } = probe;
  if (lapsed) {
    state.transmit(verifiedPath(association, standing), packet);
    return;
  }
  const locator = locators.find(address);
  // It is somebody's who may have nothing to do with the peer.
  if ((locator?.state !== 'ACTIVE' || probe.mapping) && !askRate.take(state.at)) return;
  if (probe.mapping !== undefined) {
    state.transmit(probe.mapping, packet);
    return;
  }
  const known = locator?.path?.local.address;
  const sources = sourcesFor(state, path, address);
  const ordered = known !== undefined && sources.includes(known) ? new Set([known, ...sources]) : sources;
  const ways = [...ordered].map(
    (source): HipPath => ({
      local: { address: source, port: path.local.port },
      remote: { address, port: portAt(locator, association) },
    }),
  );
  if (otherThan === undefined) {
    // One after the other, for not every address of ours leads there.
    const way = ways[repetitions % ways.length];
    if (way !== undefined) state.transmit(way, packet);
    return;
  }
  for (const way of ways) if (!isSameWay(way, otherThan)) state.transmit(way, packet);
}

/** Behind another NAT the peer has another port as well: that from which it was heard at this address. */
function portAt(locator: PeerLocator | undefined, { path }: HipAssociation): number {
  return locator?.path?.remote.port ?? path.remote.port;
}

/** Asks an address at once, by every way but one; if it is being asked already, once more. */
export function probeNow(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  locator: PeerLocator,
  otherThan: HipPath,
): void {
  const probe = probeOf(standing, locator.address);
  if (probe === undefined) sendProbe(state, association, standing, locator, { otherThan });
  else transmit(state, association, standing, { probe, otherThan });
}

/**
 * Something new and authentic came from there, although nobody had answered from there: its answers may have been lost, and it is not
 * waited for the next time.
 */
export function askWhoIsHeard(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  { remote: { address } }: HipPath,
): void {
  const locator = standing.locators.find(address);
  if (locator?.state !== 'UNVERIFIED' || probeOf(standing, address) !== undefined) return;
  sendProbe(state, association, standing, locator);
}

export function probeOf({ updates }: Standing, address: IpAddress): Probe | undefined {
  for (const probe of updates.probes.values())
    if (probe.address === address && probe.mapping === undefined && !probe.lapsed) return probe;
  return undefined;
}

/** @returns addresses of which all repetitions were in vain */
export function repeatProbes(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
): readonly PeerLocator[] {
  const { updates, locators } = standing;
  const inVain: PeerLocator[] = [];
  const { tries } = state.configuration.retransmission;
  for (const probe of updates.probes.values()) {
    if (state.at < probe.nextAt) continue;
    // Each wait is as long as all before it.
    if (probe.repetitions > 0) probe.waitMs = Math.min(waitMsMax, 2 * probe.waitMs);
    probe.nextAt = state.at + probe.waitMs;
    if (++probe.repetitions > tries && !probe.lapsed) {
      probe.lapsed = true;
      const locator = probe.mapping === undefined ? locators.find(probe.address) : undefined;
      if (locator !== undefined) {
        locator.askAt = state.at + Math.min(againMsMax, againMsMin * 2 ** locator.failures++);
        inVain.push(locator);
      }
    }
    transmit(state, association, standing, { probe });
  }
  return inVain;
}

/** What an acknowledgement proves. */
export interface Proven {
  readonly probe: Probe;
  readonly locator: PeerLocator;
  /** A way that is known to lead there. */
  readonly path: HipPath;
}

export function takeProbeAnswer(
  state: HipHostState,
  association: HipAssociation,
  { updates, locators }: Standing,
  received: ReceivedPacket,
  updateIds: readonly number[],
): Proven | { readonly mapping: HipPath } | undefined {
  const updateId = updateIds.find((one) => updates.probes.has(one));
  const probe = updateId === undefined ? undefined : updates.probes.get(updateId);
  if (updateId === undefined || probe === undefined) return undefined;
  const echoed = hipParameter(received.packet.parameters, 'ECHO_RESPONSE_SIGNED')?.data;
  if (echoed === undefined || !equalConstantTime(probe.echo, echoed)) {
    state.reject(received, 'echo');
    return undefined;
  }
  updates.probes.delete(updateId);
  const { mapping } = probe;
  if (mapping !== undefined) return probe.lapsed ? undefined : { mapping };
  const locator = locators.find(probe.address);
  // What lapsed may have been read elsewhere; what is DEPRECATED was not asked for (RFC 8046 5.1).
  if (probe.lapsed || locator === undefined || locator.state === 'DEPRECATED') return undefined;
  // Where it went, the peer has proven to be; from which port the answer comes, nothing covers.
  const remote = { address: probe.address, port: portAt(locator, association) };
  const { path } = received;
  if (path.remote.address === probe.address && isOpen(state, association.path, path))
    return { probe, locator, path: { local: path.local, remote } };
  const [source] = sourcesFor(state, association.path, probe.address);
  if (source === undefined) return undefined;
  const local = { address: source, port: association.path.local.port };
  return { probe, locator, path: { local, remote } };
}
