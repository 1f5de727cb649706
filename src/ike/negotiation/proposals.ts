// Proposals of an SA payload: ours onto the wire, and how one is chosen from a peer's (RFC 7296 2.7, 3.3).
import {
  type ChildSuite,
  Encr,
  Esn,
  type IkeSuite,
  isCombinedMode,
  Ke,
  type Proposal,
  spiFromBytes,
  type Transform,
} from '#sa';
import { TransformType, type WireProposal } from '#wire';
import {
  encryptionChoice,
  equalTransforms,
  isNoIntegrity,
  mandatoryTypes,
  protocolId,
  protocolOfId,
  transformFromWire,
  transformToWire,
  understandsType,
} from './transforms.ts';

/** In which exchange the SA payload travels; IKE_AUTH has no key exchange of its own (RFC 7296 1.2). */
export type ProposalExchange = 'IKE_SA_INIT' | 'IKE_AUTH' | 'CREATE_CHILD_SA';

/** Whose order decides, and which group the initiator already sent a KE payload for (saves a round trip). */
export interface SelectionPreference {
  readonly order: 'configured' | 'offered';
  readonly keyExchangeGroup?: number | undefined;
}

/** A chosen IKE suite; `reply` is the one proposal of our SA payload. */
export interface SelectedIkeSuite {
  readonly suite: IkeSuite;
  readonly proposalNumber: number;
  /** The initiator's SPI for the new IKE SA (8 octets, rekeying), empty in IKE_SA_INIT. */
  readonly peerSpi: Uint8Array;
  readonly reply: WireProposal;
}

/** A chosen ESP or AH suite; `peerSpi` has 4 octets. */
export interface SelectedChildSuite {
  readonly suite: ChildSuite;
  readonly proposalNumber: number;
  readonly peerSpi: Uint8Array;
  readonly reply: WireProposal;
}

const { ENCR, PRF, INTEG, KE, ESN } = TransformType;

/**
 * Our proposals in order, numbered from 1. A proposal that mixes combined-mode and other ciphers becomes two
 * (RFC 7296 3.3). KE transforms of ESP and AH are left out in IKE_AUTH.
 * @param spi empty (IKE_SA_INIT), 8 octets (IKE rekeying) or 4 octets (ESP, AH)
 */
export function proposalsToWire(
  proposals: readonly Proposal[],
  spi: Uint8Array,
  exchange: ProposalExchange,
): WireProposal[] {
  const sent = proposals.flatMap(homogeneousProposals);
  return sent.map((proposal, index) => ({
    number: index + 1,
    protocolId: protocolId(proposal.protocol),
    spi,
    transforms: completeTransforms(proposal)
      .filter((transform) => transform.type !== KE || exchange !== 'IKE_AUTH')
      .map(transformToWire),
  }));
}

/** Ours are asked for with each peer. */
const homogeneous = new WeakMap<Proposal, readonly Proposal[]>();

function homogeneousProposals(proposal: Proposal): readonly Proposal[] {
  const known = homogeneous.get(proposal) ?? splitByCipher(proposal);
  homogeneous.set(proposal, known);
  return known;
}

function splitByCipher(proposal: Proposal): readonly Proposal[] {
  const combined = (transform: Transform): boolean => isCombinedMode(transform.id);
  const ciphers = proposal.transforms.filter((transform) => transform.type === ENCR);
  if (!ciphers.some(combined)) return [proposal];
  const alternatives = ciphers.every(combined) ? [true] : [combined(ciphers[0]!), !combined(ciphers[0]!)];
  return alternatives.map((wanted) => ({
    protocol: proposal.protocol,
    transforms: proposal.transforms.filter(({ type, id }) => {
      if (type === ENCR) return isCombinedMode(id) === wanted;
      // RFC 7296 3.3.3: a combined-mode cipher stands without an integrity algorithm.
      return type !== INTEG || !wanted;
    }),
  }));
}

/** A Child SA proposal that says nothing of ESN means the 32-bit numbers every peer knows. */
function completeTransforms(proposal: Proposal): readonly Transform[] {
  const { protocol, transforms } = proposal;
  if (protocol === 'ike' || transforms.some(({ type }) => type === ESN)) return transforms;
  return [...transforms, { type: ESN, id: Esn.NO }];
}

/** The acceptable alternatives of a received proposal; `undefined` if it is unacceptable as a whole (3.3.6). */
export function proposalFromWire(wire: WireProposal): Proposal | undefined {
  const protocol = protocolOfId(wire.protocolId);
  if (protocol === undefined) return undefined;
  if (wire.transforms.some(({ type }) => !understandsType(protocol, type))) return undefined;
  const transforms = wire.transforms.map(transformFromWire).filter((transform) => transform !== undefined);
  const complete = mandatoryTypes(protocol).every((type) => ofType(transforms, type).length > 0);
  return complete ? { protocol, transforms } : undefined;
}

/** Responder, IKE_SA_INIT and IKE rekeying. `undefined`: NO_PROPOSAL_CHOSEN. `spi` is ours for the reply. */
export function selectIkeSuite(
  offered: readonly WireProposal[],
  configured: readonly Proposal[],
  preferred: SelectionPreference,
  spi: Uint8Array = new Uint8Array(),
): SelectedIkeSuite | undefined {
  const acceptable = configured.filter(({ protocol }) => protocol === 'ike');
  return select(offered, acceptable, preferred.order, (wire, offer, own) => {
    if (wire.spi.length !== spi.length) return undefined;
    const chosen = chooseTransforms(offer, own, preferred, 'IKE_SA_INIT');
    const suite = chosen && ikeSuite(chosen);
    return suite && selected(suite, wire, spi, chosen);
  });
}

/** Responder, IKE_AUTH and CREATE_CHILD_SA. `undefined`: NO_PROPOSAL_CHOSEN. `spi` is ours, 4 octets. */
export function selectChildSuite(
  offered: readonly WireProposal[],
  configured: readonly Proposal[],
  preferred: SelectionPreference,
  exchange: 'IKE_AUTH' | 'CREATE_CHILD_SA',
  spi: Uint8Array,
): SelectedChildSuite | undefined {
  return select(offered, configured, preferred.order, (wire, offer, own) => {
    if (spiFromBytes(wire.spi) === undefined) return undefined;
    const complete = { protocol: own.protocol, transforms: completeTransforms(own) };
    const chosen = chooseTransforms(offer, complete, preferred, exchange);
    const suite = chosen && childSuite(own.protocol, chosen);
    return suite && selected(suite, wire, spi, chosen);
  });
}

function selected<Suite extends IkeSuite | ChildSuite>(
  suite: Suite,
  wire: WireProposal,
  spi: Uint8Array,
  chosen: readonly Transform[],
): Omit<SelectedIkeSuite, 'suite'> & { readonly suite: Suite } {
  const reply = {
    number: wire.number,
    protocolId: wire.protocolId,
    spi,
    transforms: chosen.map(transformToWire),
  };
  return { suite, proposalNumber: wire.number, peerSpi: wire.spi, reply };
}

/** The first pair of proposals that gives a result, in the order of the preferred side. */
function select<Result>(
  offered: readonly WireProposal[],
  configured: readonly Proposal[],
  order: SelectionPreference['order'],
  choose: (wire: WireProposal, offer: Proposal, own: Proposal) => Result | undefined,
): Result | undefined {
  const offers = offered.map((wire) => ({ wire, offer: proposalFromWire(wire) }));
  const ofOwn = (of: (mine: Proposal) => Result | undefined): Result | undefined =>
    firstResult(configured, (proposal) => firstResult(homogeneousProposals(proposal), of));
  const suits = ({ wire, offer }: (typeof offers)[number], mine: Proposal): Result | undefined =>
    offer?.protocol === mine.protocol ? choose(wire, offer, mine) : undefined;
  return order === 'configured'
    ? ofOwn((mine) => firstResult(offers, (theirs) => suits(theirs, mine)))
    : firstResult(offers, (theirs) => ofOwn((mine) => suits(theirs, mine)));
}

function firstResult<Item, Result>(
  items: readonly Item[],
  of: (item: Item) => Result | undefined,
): Result | undefined {
  for (const item of items) {
    const result = of(item);
    if (result !== undefined) return result;
  }
  return undefined;
}

function ofType(transforms: readonly Transform[], type: number): Transform[] {
  return transforms.filter((transform) => transform.type === type);
}

/** Exactly one transform per type the offer has, as the reply carries them; `undefined` if the two have none in common. */
function chooseTransforms(
  offer: Proposal,
  own: Proposal,
  preferred: SelectionPreference,
  exchange: ProposalExchange,
): Transform[] | undefined {
  const common = (type: number): Transform[] => {
    const [first, second] = preferred.order === 'configured' ? [own, offer] : [offer, own];
    return ofType(first.transforms, type).filter((transform) =>
      ofType(second.transforms, type).some((other) => equalTransforms(transform, other)),
    );
  };
  const protection = chooseProtection(offer, common);
  const keyExchange = chooseKeyExchange(offer, own, common(KE), preferred.keyExchangeGroup, exchange);
  if (protection === undefined || keyExchange === undefined) return undefined;
  const single = mandatoryTypes(offer.protocol).filter((type) => type === PRF || type === ESN);
  const others = single.map((type) => common(type)[0]);
  if (others.includes(undefined)) return undefined;
  return [...protection, ...others.filter((transform) => transform !== undefined), ...keyExchange];
}

/** The cipher and, unless it authenticates by itself, the integrity algorithm that goes with it (RFC 7296 3.3.3). */
function chooseProtection(offer: Proposal, common: (type: number) => Transform[]): Transform[] | undefined {
  const integrity = common(INTEG).find((transform) => !isNoIntegrity(transform));
  if (offer.protocol === 'ah') return integrity && [integrity];
  const offeredIntegrity = ofType(offer.transforms, INTEG);
  for (const cipher of common(ENCR)) {
    if (!isCombinedMode(cipher.id)) {
      // RFC 8221 4: encryption without integrity protection is not to be used.
      if (integrity !== undefined) return [cipher, integrity];
    } else if (offeredIntegrity.length === 0) {
      return [cipher];
    } else {
      const none = offeredIntegrity.find(isNoIntegrity);
      if (none !== undefined) return [cipher, none];
    }
  }
  return undefined;
}

/** The KE transform of the reply: none, or one. `undefined`: the two sides disagree about it. */
function chooseKeyExchange(
  offer: Proposal,
  own: Proposal,
  common: readonly Transform[],
  sentGroup: number | undefined,
  exchange: ProposalExchange,
): Transform[] | undefined {
  const none = ofType(offer.transforms, KE).filter(({ id }) => id === Ke.NONE);
  if (exchange === 'IKE_AUTH') return none.slice(0, 1);
  const sent = common.find(({ id }) => id === sentGroup && id !== Ke.NONE);
  const chosen = sent ?? common[0];
  if (chosen !== undefined) return [chosen];
  // RFC 7296 3.3.3: leaving the type out means that only NONE is acceptable.
  const withoutBy = (proposal: Proposal): boolean => {
    const groups = ofType(proposal.transforms, KE);
    return groups.length === 0 || groups.some(({ id }) => id === Ke.NONE);
  };
  return withoutBy(offer) && withoutBy(own) ? none.slice(0, 1) : undefined;
}

/** Initiator: the responder's answer, made of exactly what was offered. `undefined`: it is not. */
export function ikeSuiteFromReply(
  reply: readonly WireProposal[],
  offered: readonly WireProposal[],
): { readonly suite: IkeSuite; readonly peerSpi: Uint8Array } | undefined {
  const chosen = consistentReply(reply, offered);
  if (chosen === undefined || chosen.protocol !== 'ike') return undefined;
  const suite = ikeSuite(chosen.transforms);
  return suite && { suite, peerSpi: chosen.spi };
}

/** Like `ikeSuiteFromReply`, for ESP and AH. */
export function childSuiteFromReply(
  reply: readonly WireProposal[],
  offered: readonly WireProposal[],
): { readonly suite: ChildSuite; readonly peerSpi: Uint8Array } | undefined {
  const chosen = consistentReply(reply, offered);
  if (chosen === undefined || spiFromBytes(chosen.spi) === undefined) return undefined;
  const suite = childSuite(chosen.protocol, chosen.transforms);
  return suite && { suite, peerSpi: chosen.spi };
}

function consistentReply(
  reply: readonly WireProposal[],
  offered: readonly WireProposal[],
): (Proposal & { readonly spi: Uint8Array }) | undefined {
  const [answer, ...others] = reply;
  if (answer === undefined || others.length > 0) return undefined;
  const offer = offered.find(({ number }) => number === answer.number);
  if (offer === undefined || offer.protocolId !== answer.protocolId) return undefined;
  if (offer.spi.length !== answer.spi.length) return undefined;
  const accepted = proposalFromWire(answer);
  const ours = proposalFromWire(offer);
  if (accepted === undefined || ours === undefined) return undefined;
  // A transform that could not be read would be missing here.
  if (accepted.transforms.length !== answer.transforms.length) return undefined;
  for (const transform of accepted.transforms) {
    if (ofType(accepted.transforms, transform.type).length !== 1) return undefined;
    if (!ours.transforms.some((other) => equalTransforms(other, transform))) return undefined;
  }
  const types = new Set(ours.transforms.map(({ type }) => type));
  for (const type of types) {
    const mayBeLeftOut = ofType(ours.transforms, type).some(
      ({ id }) => (type === INTEG || type === KE) && id === 0,
    );
    if (!mayBeLeftOut && ofType(accepted.transforms, type).length === 0) return undefined;
  }
  return { ...accepted, spi: answer.spi };
}

/** `undefined` if the transforms do not make a whole and safe suite. */
function ikeSuite(transforms: readonly Transform[]): IkeSuite | undefined {
  const cipher = ofType(transforms, ENCR)[0];
  const prf = ofType(transforms, PRF)[0];
  const ke = ofType(transforms, KE)[0];
  if (cipher === undefined || prf === undefined || ke === undefined || ke.id === Ke.NONE) return undefined;
  // An IKE SA is never without encryption: not NULL, nor GMAC, which authenticates only.
  if (cipher.id === Encr.NULL || cipher.id === Encr.NULL_AUTH_AES_GMAC) return undefined;
  const integrity = ofType(transforms, INTEG).find((transform) => !isNoIntegrity(transform));
  if (isCombinedMode(cipher.id) === (integrity !== undefined)) return undefined;
  const suite = { encr: encryptionChoice(cipher), prf: prf.id, ke: ke.id };
  return integrity === undefined ? suite : { ...suite, integ: integrity.id };
}

function childSuite(
  protocol: Proposal['protocol'],
  transforms: readonly Transform[],
): ChildSuite | undefined {
  if (protocol === 'ike') return undefined;
  const cipher = ofType(transforms, ENCR)[0];
  const integrity = ofType(transforms, INTEG).find((transform) => !isNoIntegrity(transform));
  const group = ofType(transforms, KE).find(({ id }) => id !== Ke.NONE);
  const esn = ofType(transforms, ESN)[0];
  if (esn === undefined || (protocol === 'esp') !== (cipher !== undefined)) return undefined;
  const combined = cipher !== undefined && isCombinedMode(cipher.id);
  if (combined === (integrity !== undefined)) return undefined;
  return {
    protocol,
    ...(cipher && { encr: encryptionChoice(cipher) }),
    ...(integrity && { integ: integrity.id }),
    ...(group && { ke: group.id }),
    esn: esn.id === Esn.YES,
  };
}
