// I2: the solved puzzle, our Diffie-Hellman value and identity, and the SPI that we want to be reached by (RFC 7401 5.3.3).
import { appendHipMac, appendHipSignature, CryptoError, sealHipParameters } from '#crypto';
import { keyExchangeOfDhGroup, type Spi, sameFamily } from '#sa';
import {
  encodeHipPacket,
  HipPacketType,
  type HipParameter,
  type HipParameterOf,
  HipParameterType,
  WireError,
} from '#wire';
import type { AcceptedR1, AssociationKeys, HipAssociation, I1Sent } from '../association.ts';
import { withUnsignedEchoes } from '../echo.ts';
import { type HipHostState, wipeKeys } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import { deriveAssociationKeys } from '../keying.ts';
import { locatorsInExchange, sourcesFor } from '../locators/own-locators.ts';
import { requestInI2 } from '../registration/requester.ts';
import { failAttempt } from './failure.ts';

export function sendI2(
  state: HipHostState,
  association: HipAssociation,
  answer: {
    readonly call: I1Sent;
    readonly r1: AcceptedR1;
    readonly solution: Uint8Array;
    readonly path: HipPath;
  },
): void {
  const { call, r1, solution } = answer;
  const path = preferredPath(state, r1, answer.path);
  const { local, remote } = association;
  const { randomness } = state.ports;
  const keyPair = randomness.keyPair(keyExchangeOfDhGroup(r1.group)!);
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = keyPair.agree(r1.publicValue);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    // The Responder signed a bad value: there is nothing to wait for from it.
    failAttempt(state, association, 'the peer sent a bad Diffie-Hellman value');
    return;
  } finally {
    keyPair.destroy();
  }
  const initiator = local.identity.hit;
  const keys = deriveAssociationKeys({
    role: 'initiator',
    initiator,
    responder: remote,
    sharedSecret,
    random: r1.random,
    solution,
    cipher: r1.cipher,
    group: r1.group,
    peerPublicValue: r1.publicValue,
  });
  const inboundSpi = state.ports.allocateSpi();
  const keymatIndex = keys.nextIndex;
  const info = { type: 'ESP_INFO', keymatIndex, oldSpi: 0, newSpi: inboundSpi } as const;
  let packet: Uint8Array;
  try {
    const { publicValue } = keyPair;
    packet = encodeI2(state, association, { r1, solution, publicValue, keys, path, info });
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    wipeKeys(keys);
    state.ports.releaseSpi(inboundSpi);
    failAttempt(state, association, 'an answer to the R1 of the peer is too long for a packet');
    return;
  }
  const { renewals } = call;
  const repetitions = renewals === undefined ? 0 : call.repetitions;
  state.change(association, 'R1 was answered', () => {
    association.attempt = {
      name: 'I2-SENT',
      sentAt: state.at,
      path,
      packet,
      repetitions,
      nextAt: state.at + state.configuration.retransmission.baseMs * 2 ** repetitions,
      call,
      renewals: renewals ?? 0,
      r1,
      keys,
      inboundSpi,
      keymatIndex,
    };
  });
  state.transmit(path, packet);
}

/** @throws WireError if keys, locators and what the Responder wants back are too much for one packet */
function encodeI2(
  state: HipHostState,
  { local, remote }: HipAssociation,
  i2: {
    readonly r1: AcceptedR1;
    readonly solution: Uint8Array;
    readonly publicValue: Uint8Array;
    readonly keys: AssociationKeys;
    readonly path: HipPath;
    readonly info: HipParameterOf<'ESP_INFO'>;
  },
): Uint8Array {
  const { r1, solution, publicValue, keys, path, info } = i2;
  const { randomness } = state.ports;
  const { identity, key, anonymous } = local;
  const hostId: HipParameter = {
    type: 'HOST_ID',
    algorithm: identity.algorithm,
    hostIdentity: identity.octets,
  };
  const { random, opaque, difficulty, cipher } = r1;
  const parameters: HipParameter[] = [
    info,
    ...(r1.counter === undefined ? [] : [r1.counter]),
    ...locatorsInExchange(state, path, info.newSpi as Spi),
    { type: 'SOLUTION', difficulty, opaque, random, solution },
    { type: 'DIFFIE_HELLMAN', group: r1.group, publicValue },
    { type: 'HIP_CIPHER', ciphers: [cipher] },
    { type: 'ENCRYPTED', body: sealHipParameters(cipher, keys.own.encryption, [hostId], randomness) },
    ...(r1.echoSigned === undefined ? [] : [{ type: 'ECHO_RESPONSE_SIGNED' as const, data: r1.echoSigned }]),
    ...requestInI2(state, remote, r1.registrarOffer),
    { type: 'TRANSPORT_FORMAT_LIST', formats: [HipParameterType.ESP_TRANSFORM] },
    { type: 'ESP_TRANSFORM', suites: [r1.espSuite] },
  ];
  const bare = encodeHipPacket({
    header: { packetType: HipPacketType.I2, anonymous, sender: identity.hit, receiver: remote },
    parameters,
  });
  const authenticated = appendHipSignature(appendHipMac(bare, remote, keys.own.integrity), key, randomness);
  return withUnsignedEchoes(authenticated, r1.echoUnsigned);
}

/** RFC 8047 4.2.8: the Responder has signed where it wants I2, which needs no other proof. */
function preferredPath(state: HipHostState, { locators }: AcceptedR1, path: HipPath): HipPath {
  const address = locators?.find(({ preferred }) => preferred)?.address;
  if (address === undefined || address === path.remote.address) return path;
  const source = sameFamily(address, path.remote.address)
    ? path.local.address
    : sourcesFor(state, path, address)[0];
  if (source === undefined) return path;
  return {
    local: { address: source, port: path.local.port },
    remote: { address, port: path.remote.port },
  };
}
