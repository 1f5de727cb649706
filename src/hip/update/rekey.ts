// New ESP SAs for an association, with a fresh Diffie-Hellman exchange (RFC 7402 3.3.2, 4.1.3, 5.3.1, 5.3.2, 6.8 to 6.10).
import { CryptoError, HipKeymat, wipe } from '#crypto';
import { isNegotiableSpi, keyExchangeOfDhGroup, replacedLingerMs } from '#sa';
import type { EspInfoParameter, HipParameter } from '#wire';
import type { AssociationKeys, HipAssociation, Standing } from '../association.ts';
import { drawPair, installSa, mayDraw, type PairInput, pairOf, removePair } from '../esp-pair.ts';
import type { HipHostState } from '../host-state.ts';
import type { HipRejection } from '../interface.ts';
import { updateAddresses } from '../locators/use-path.ts';
import { sendUpdate } from './send-update.ts';
import type { PeerHalf, Rekeying } from './updates.ts';

/** How long old SAs stay if nothing comes by the new ones: packets on their way still belong to them. */
const formerMsMax = 60_000;
/** RFC 7402 6.8 5: a request that is acknowledged without the peer's half is not kept for ever. */
const halfMsMax = 30_000;

export function beginRekey(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { updates } = standing;
  if (updates.rekeying !== undefined && !updates.halfIsSpent) return;
  if (updates.outstanding !== undefined) {
    updates.wanted.add('rekey');
    return;
  }
  const rekeying = updates.rekeying ?? newHalf(state, standing, true, 0);
  sendUpdate(state, association, standing, {
    purpose: 'rekey',
    parameters: halfParameters(standing, rekeying),
  });
}

/** RFC 7402 6.9.1. Our half: an SPI, and a Diffie-Hellman value unless the peer does without (then KEYMAT goes on). */
function newHalf(state: HipHostState, standing: Standing, fresh: boolean, peerIndex: number): Rekeying {
  const { keys, pair, updates } = standing;
  const method = keyExchangeOfDhGroup(keys.group)!;
  const rekeying: Rekeying = {
    inboundSpi: state.ports.allocateSpi(pair.inboundSpi),
    keymatIndex: fresh ? 0 : Math.max(keys.nextIndex, peerIndex),
    keyPair: fresh ? state.ports.randomness.keyPair(method) : undefined,
    acknowledged: false,
    prepared: undefined,
    until: Number.POSITIVE_INFINITY,
  };
  updates.rekeying = rekeying;
  return rekeying;
}

function halfParameters({ pair, keys }: Standing, rekeying: Rekeying): HipParameter[] {
  const { inboundSpi, keymatIndex, keyPair } = rekeying;
  return [
    { type: 'ESP_INFO', keymatIndex, oldSpi: pair.inboundSpi, newSpi: inboundSpi },
    ...(keyPair === undefined
      ? []
      : [{ type: 'DIFFIE_HELLMAN' as const, group: keys.group, publicValue: keyPair.publicValue }]),
  ];
}

/** RFC 7402 6.9: whether the peer's half can be used. */
export function judgeHalf(
  standing: Standing,
  info: EspInfoParameter,
  keyExchange: { readonly group: number; readonly publicValue: Uint8Array } | undefined,
): PeerHalf | HipRejection {
  if (info.oldSpi !== standing.pair.outboundSpi || !isNegotiableSpi(info.newSpi)) return 'spi';
  if (keyExchange !== undefined) {
    if (keyExchange.group !== standing.keys.group) return 'group';
    if (info.keymatIndex !== 0) return 'keymat-index';
  } else if (!mayDraw(standing.keys, standing.espSuite, info.keymatIndex)) return 'keymat-index';
  const { newSpi, keymatIndex } = info;
  return { newSpi, keymatIndex, publicValue: keyExchange?.publicValue.slice() };
}

/** The peer's half came. @returns our own half, to be sent with the acknowledgement, unless it has it or is being told it already */
export function takeHalf(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  peer: PeerHalf,
): HipParameter[] | undefined {
  const { updates } = standing;
  const { halfIsSpent } = updates;
  const prepared = updates.rekeying?.prepared;
  // It has given up the rekeying that we know of, and begins another one.
  if (halfIsSpent && prepared !== undefined && prepared.pair.outboundSpi !== peer.newSpi)
    updates.dropRekeying(state, standing);
  const asked = updates.rekeying;
  const rekeying = asked ?? newHalf(state, standing, peer.publicValue !== undefined, peer.keymatIndex);
  if (rekeying.prepared === undefined && !prepare(state, association, standing, rekeying, peer)) {
    updates.dropRekeying(state, standing);
    return undefined;
  }
  completeRekey(state, association, standing);
  return asked === undefined || halfIsSpent ? halfParameters(standing, rekeying) : undefined;
}

/** Both halves are known: the SAs are installed at once, for the peer may be the first to use them. */
function prepare(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  rekeying: Rekeying,
  peer: PeerHalf,
): boolean {
  const { childId, espSuite, pair } = standing;
  const peerPublicValue = peer.publicValue ?? standing.keys.peerPublicValue;
  const keymat = newKeymat(association, standing, rekeying, peerPublicValue);
  if (keymat === 'unusable') return false;
  const fresh: AssociationKeys = {
    ...standing.keys,
    keymat: keymat ?? standing.keys.keymat,
    nextIndex: keymat === undefined ? standing.keys.nextIndex : 0,
  };
  const keymatIndex = keymat === undefined ? Math.max(rekeying.keymatIndex, peer.keymatIndex) : 0;
  if (!mayDraw(fresh, espSuite, keymatIndex)) return false;
  const input: PairInput = {
    espSuite,
    inboundSpi: rekeying.inboundSpi,
    outboundSpi: peer.newSpi,
    keymatIndex,
    childId,
    generation: pair.generation + 1,
  };
  const drawn = drawPair(state, association, fresh, input);
  // They are drawn, whatever becomes of this rekeying.
  if (keymat === undefined) standing.keys.nextIndex = fresh.nextIndex;
  for (const direction of ['inbound', 'outbound'] as const)
    installSa(state, association, fresh, { input, drawn, direction });
  rekeying.prepared = {
    pair: pairOf(state, association, input),
    keymat,
    nextIndex: fresh.nextIndex,
    peerPublicValue,
  };
  // What is bounded stays bounded under new keys.
  if (standing.limited) updateAddresses(state, association, standing);
  return true;
}

/** RFC 7402 6.10 1: with a Diffie-Hellman value of either side there is a new KEYMAT; `undefined`: the old one goes on. */
function newKeymat(
  association: HipAssociation,
  { keys }: Standing,
  { keyPair }: Rekeying,
  peerPublicValue: Uint8Array,
): HipKeymat | 'unusable' | undefined {
  if (keyPair === undefined) return undefined;
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = keyPair.agree(peerPublicValue);
  } catch (error) {
    if (error instanceof CryptoError) return 'unusable';
    throw error;
  }
  const own = association.local.identity.hit;
  const initiator = keys.role === 'initiator' ? own : association.remote;
  const { responder, random, solution } = keys;
  const keymat = new HipKeymat({ initiator, responder, sharedSecret, random, solution });
  wipe(sharedSecret);
  return keymat;
}

/** The peer has our half. Its own may be on its way. */
export function halfAcknowledged(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  rekeying: Rekeying,
): void {
  rekeying.acknowledged = true;
  rekeying.until = state.at + halfMsMax;
  completeRekey(state, association, standing);
}

/** RFC 7402 6.10: our half is acknowledged too, so the peer can receive by the new SAs. */
function completeRekey(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { rekeying } = standing.updates;
  if (rekeying?.prepared === undefined || !rekeying.acknowledged) return;
  const { keys, childId, pair: replaced } = standing;
  const { pair, keymat, nextIndex, peerPublicValue } = rekeying.prepared;
  standing.updates.rekeying = undefined;
  rekeying.keyPair?.destroy();
  if (keymat !== undefined) {
    keys.keymat.destroy();
    keys.keymat = keymat;
  }
  keys.nextIndex = nextIndex;
  keys.peerPublicValue = peerPublicValue;
  state.command({ kind: 'use-outbound', protocol: 'esp', spi: pair.outboundSpi, childId });
  removeFormer(state, standing);
  standing.former = { pair: replaced, until: state.at + formerMsMax };
  standing.pair = pair;
  const { rekeyMs } = state.configuration;
  standing.rekeyAt = rekeyMs === 0 ? undefined : state.at + rekeyMs;
  state.emit({
    kind: 'rekeyed',
    context: association.context,
    childId,
    inboundSpi: pair.inboundSpi,
    outboundSpi: pair.outboundSpi,
    replacedInboundSpi: replaced.inboundSpi,
    replacedOutboundSpi: replaced.outboundSpi,
  });
}

/** Traffic came by the new SAs: the old ones have served, but for what is on its way. */
export function removeFormer(state: HipHostState, standing: Standing): void {
  if (standing.former === undefined) return;
  removePair(state, standing, standing.former.pair, replacedLingerMs);
  standing.former = undefined;
}
