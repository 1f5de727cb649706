// I2: checked from cheap to dear, and answered by R2 (RFC 7401 4.1.4, 4.1.5, 5.3.4, 6.9, RFC 7402 6.5).
import {
  appendHipMac2,
  appendHipSignature,
  CryptoError,
  type HostIdentity,
  openHipParameters,
  verifyHipMac,
  verifyHipSignature,
} from '#crypto';
import type { Spi } from '#sa';
import {
  encodeHipPacket,
  encodeHipParameters,
  HipPacketType,
  type HipParameter,
  type HipParameterOf,
  type Hit,
  hipParameter,
  hipParameterOctets,
  hipSignatureOctets,
  sameOctets,
} from '#wire';
import type { AssociationKeys, R2Sent } from '../association.ts';
import { hipQuirks, type LocalIdentity } from '../configuration.ts';
import { peersOf } from '../configured-peers.ts';
import { unsignedEchoesWanted, withUnsignedEchoes } from '../echo.ts';
import { mayDraw } from '../esp-pair.ts';
import { establish } from '../establish.ts';
import { type HipHostState, type ReceivedPacket, wipeKeys } from '../host-state.ts';
import { readIdentity } from '../initiator/receive-r1.ts';
import type { HipRejection } from '../interface.ts';
import { deriveAssociationKeys } from '../keying.ts';
import { locatorsInExchange } from '../locators/own-locators.ts';
import { toldLocators } from '../locators/told-locators.ts';
import { awaitRoom, grant, judgeRequest, registrarOffer } from '../registration/registrar.ts';
import { behindPuzzle, judgeOffer, type Offer } from './judge-i2.ts';
import { tellRefusal } from './refusal.ts';

export function receiveI2(state: HipHostState, received: ReceivedPacket): void {
  const { packet, path } = received;
  const { receiver, sender } = packet.header;
  const local = state.identity(receiver);
  if (local === undefined) {
    state.reject(received, 'not-ours');
    return;
  }
  const known = state.find(receiver, sender);
  const r2 = known?.standing?.r2;
  if (r2 !== undefined && isRepeated(r2, received)) {
    // RFC 7401 6.9 4: our R2 was lost.
    state.transmit(path, withUnsignedEchoes(r2.octets, unsignedEchoesWanted(packet.parameters)));
    return;
  }
  // Whoever sends bad ones by the thousand makes the next puzzles harder, as whoever asks for them does.
  state.responder.load.note(state.at);
  const offer = judgeOffer(state, received);
  if (typeof offer === 'string') {
    if (offer === 'puzzle') wrongSolution(state, received);
    // What is wrong besides was looked at behind a puzzle that is solved.
    if (behindPuzzle.has(offer)) spend(state, hipParameter(packet.parameters, 'SOLUTION')!);
    refuse(state, received, local, offer);
    return;
  }
  // RFC 7401 6.9 5: of two exchanges that cross, that of the smaller HIT goes on.
  if (known?.attempt?.name === 'I2-SENT' && known.localIsSmaller) {
    refuse(state, received, local, 'smaller-hit');
    return;
  }
  if (known?.refusedUntil !== undefined && state.at < known.refusedUntil) {
    refuse(state, received, local, 'data-plane');
    return;
  }
  if (known === undefined && !hasRoomFor(state, sender)) {
    refuse(state, received, local, 'too-many');
    return;
  }
  const proven = proveInitiator(state, received, offer);
  if (typeof proven === 'string') {
    spend(state, offer.solution);
    refuse(state, received, local, proven);
    return;
  }
  accept(state, received, { local, offer, ...proven });
}

/** The solution has not bought what it is for. */
function spend({ responder }: HipHostState, { random, solution }: HipParameterOf<'SOLUTION'>): void {
  responder.solutions.fail(random, solution);
}

function refuse(
  state: HipHostState,
  received: ReceivedPacket,
  local: LocalIdentity,
  rejection: HipRejection,
): void {
  state.reject(received, rejection);
  tellRefusal(state, received, local, rejection);
}

function hasRoomFor({ configuration, associations }: HipHostState, sender: Hit): boolean {
  const { accept, strangersMax } = configuration;
  if (accept !== 'any' || associations.strangers < strangersMax) return true;
  return peersOf(configuration).with(sender) !== undefined;
}

/**
 * One from elsewhere is none: its puzzle was not set for there, and whoever recorded it could be anywhere. Whoever passes it on may
 * have added other requests than the last time.
 */
function isRepeated({ i2, path: { remote } }: R2Sent, { packet, path }: ReceivedPacket): boolean {
  const { address, port } = path.remote;
  const isFromThere = address === remote.address && port === remote.port;
  return isFromThere && sameOctets(i2, hipSignatureOctets(packet.octets));
}

/** RFC 7401 5.4.3: to whom #I was sent, or it would not be ours; pointing at #J. */
function wrongSolution(state: HipHostState, { packet: { octets }, path }: ReceivedPacket): void {
  const solution = hipParameterOctets(octets, 'SOLUTION')!;
  const startAt = solution.byteOffset - octets.byteOffset;
  // #I and #J are as long as each other, behind the header of the parameter and four octets of it.
  const randomBytes = ((solution[2]! << 8) | solution[3]!) - 4;
  const pointer = startAt + 8 + randomBytes / 2;
  state.push({ kind: 'parameter-problem', path, pointer, octets, reason: 'puzzle' });
}

/** One agreement, one MAC and then one signature: whoever made the MAC has solved the puzzle for this key. */
function proveInitiator(
  state: HipHostState,
  { packet }: ReceivedPacket,
  offer: Offer,
): { readonly keys: AssociationKeys; readonly peer: HostIdentity } | HipRejection {
  const { entry, solution, keyExchange, cipher } = offer;
  const { sender, receiver } = packet.header;
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = entry.keyPair.agree(keyExchange.publicValue);
  } catch (error) {
    if (error instanceof CryptoError) return 'public-value';
    throw error;
  }
  const keys = deriveAssociationKeys({
    role: 'responder',
    initiator: sender,
    responder: receiver,
    sharedSecret,
    random: solution.random,
    solution: solution.solution,
    cipher,
    group: entry.group,
    peerPublicValue: keyExchange.publicValue,
  });
  const peer = authenticate(packet, keys);
  if (typeof peer !== 'string') {
    const refusal = judgeProven(state, sender, offer, keys);
    if (refusal === undefined) return { keys, peer };
    wipeKeys(keys);
    return refusal;
  }
  wipeKeys(keys);
  return peer;
}

function authenticate(packet: ReceivedPacket['packet'], keys: AssociationKeys): HostIdentity | HipRejection {
  const { parameters, header } = packet;
  if (!verifyHipMac(packet, header.receiver, keys.peer.integrity)) return 'mac';
  const hidden = hipParameter(parameters, 'ENCRYPTED');
  const open =
    hidden === undefined
      ? parameters
      : (openHipParameters(keys.cipher, keys.peer.encryption, hidden.body) ?? 'encrypted');
  if (open === 'encrypted') return 'encrypted';
  const hostId = hipParameter(open, 'HOST_ID');
  if (hostId === undefined) return hidden === undefined ? 'missing-parameter' : 'encrypted';
  const identity = readIdentity(hostId.algorithm, hostId.hostIdentity);
  if (identity === undefined || identity.hit !== header.sender) return 'host-identity';
  return verifyHipSignature(packet, identity) ? identity : 'signature';
}

function judgeProven(
  { configuration }: HipHostState,
  sender: Hit,
  { espSuite, info }: Offer,
  keys: AssociationKeys,
): HipRejection | undefined {
  if (!mayDraw(keys, espSuite, info.keymatIndex)) return 'keymat-index';
  const mayAssociate = configuration.accept === 'any' || peersOf(configuration).with(sender) !== undefined;
  return mayAssociate ? undefined : 'not-configured';
}

function accept(
  state: HipHostState,
  { packet, path }: ReceivedPacket,
  made: {
    readonly local: LocalIdentity;
    readonly offer: Offer;
    readonly keys: AssociationKeys;
    readonly peer: HostIdentity;
  },
): void {
  const { local, offer, keys, peer } = made;
  const { entry, solution, info, espSuite, echo } = offer;
  const { responder, configuration, at } = state;
  responder.pool.deprecate(entry, at);
  if (!responder.solutions.accept(entry, solution.random, solution.solution))
    responder.pool.giveUp(entry, at);
  const association = state.findOrAdd(local, packet.header.sender, path);
  const inboundSpi = state.ports.allocateSpi();
  const request = judgeRequest(state, association.remote, packet.parameters);
  const octets = encodeR2(state, {
    local,
    association,
    keys,
    inboundSpi,
    keymatIndex: info.keymatIndex,
    answers: [
      ...locatorsInExchange(state, path, inboundSpi),
      ...(echo === undefined ? [] : [{ type: 'ECHO_RESPONSE_SIGNED' as const, data: echo }]),
      ...(request?.answers ?? []),
    ],
  });
  const { baseMs, tries } = configuration.retransmission;
  establish(state, association, {
    keys,
    peer,
    path,
    espSuite,
    inboundSpi,
    outboundSpi: info.newSpi as Spi,
    keymatIndex: info.keymatIndex,
    // RFC 8047 4.2.8: R2 goes to where I2 came from all the same.
    locators: toldLocators(packet.parameters, [info.newSpi], path.remote),
    // EC of RFC 7401 4.4.1: as long as the I2 may be repeated.
    r2: {
      i2: hipSignatureOctets(packet.octets),
      path,
      octets,
      r1Number: entry.number,
      until: at + baseMs * (2 ** (tries + 1) - 1),
    },
  });
  state.transmit(path, withUnsignedEchoes(octets, unsignedEchoesWanted(packet.parameters)));
  const standing = association.standing!;
  if (request !== undefined) grant(state, association, standing, request);
  else if (registrarOffer(state, association.remote)?.registrationTypes.length === 0)
    awaitRoom(state, association, standing);
}

function encodeR2(
  state: HipHostState,
  r2: {
    readonly local: LocalIdentity;
    readonly association: { readonly remote: ReceivedPacket['packet']['header']['sender'] };
    readonly keys: AssociationKeys;
    readonly keymatIndex: number;
    readonly inboundSpi: Spi;
    readonly answers: readonly HipParameter[];
  },
): Uint8Array {
  const { local, association, keys, keymatIndex, inboundSpi, answers } = r2;
  const { identity, key } = local;
  const bare = encodeHipPacket({
    header: {
      packetType: HipPacketType.R2,
      anonymous: false,
      sender: identity.hit,
      receiver: association.remote,
    },
    parameters: [{ type: 'ESP_INFO', keymatIndex, oldSpi: 0, newSpi: inboundSpi }, ...answers],
  });
  const hostId = encodeHipParameters([
    { type: 'HOST_ID', algorithm: identity.algorithm, hostIdentity: identity.octets },
  ]);
  const authenticated = appendHipMac2(bare, identity.hit, keys.own.integrity, hostId);
  const signature2 = state.hasQuirk(association.remote, hipQuirks.signature2InR2);
  const name = signature2 ? 'HIP_SIGNATURE_2' : 'HIP_SIGNATURE';
  return appendHipSignature(authenticated, key, state.ports.randomness, name);
}
