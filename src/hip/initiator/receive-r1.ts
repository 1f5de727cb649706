// R1: judged, its puzzle worked on, and answered by I2 (RFC 7401 4.1.3, 4.1.4, 4.1.7, 6.8, RFC 7402 6.4).
import {
  CryptoError,
  decodeHostIdentity,
  type HostIdentity,
  rhashOf,
  supportedHipCipher,
  verifyHipSignature,
} from '#crypto';
import { espSuiteOf } from '#sa';
import {
  type HipPacket,
  HipParameterType,
  hipParameter,
  hipParameterOctets,
  hitSuiteOf,
  sameOctets,
} from '#wire';
import type { AcceptedR1, HipAssociation, I1Sent, I2Sent } from '../association.ts';
import type { HipConfiguration } from '../configuration.ts';
import { echoWanted, unsignedEchoesWanted } from '../echo.ts';
import type { HipHostState, ReceivedPacket } from '../host-state.ts';
import type { HipRejection } from '../interface.ts';
import { toldLocators } from '../locators/told-locators.ts';
import { mayAnswerFrom } from '../rendezvous/answering-address.ts';
import { puzzleLifetimeMs } from '../responder/r1-pool.ts';
import { opportunisticOf } from './associate.ts';

/** Values of #J that one job tries: some milliseconds, between which the lifetime of the puzzle is looked at. */
const attemptsPerJob = 4096;

/** 2^16 seconds: nobody waits longer for an answer. */
const lifetimeMax = 48;

export function receiveR1(state: HipHostState, received: ReceivedPacket): void {
  const { packet, path } = received;
  const { receiver, sender } = packet.header;
  const association = state.of(received) ?? opportunisticOf(state, receiver, path);
  const attempt = association?.attempt;
  if (association === undefined || attempt === undefined) {
    state.reject(received, 'unexpected');
    return;
  }
  if (!mayAnswerFrom(state, attempt, received)) {
    state.reject(received, 'address');
    return;
  }
  if (!isNews(attempt, packet)) {
    state.reject(received, 'repeated');
    return;
  }
  const r1 = judge(state.configuration, association, received);
  if (typeof r1 === 'string') {
    state.reject(received, r1);
    return;
  }
  const { repetitions, nextAt } = attempt;
  const waiting: I1Sent =
    attempt.name === 'I1-SENT'
      ? attempt
      : { ...attempt.call, renewals: attempt.renewals + 1, repetitions, nextAt };
  if (attempt.name === 'I2-SENT')
    state.change(association, 'a newer R1', () => {
      state.dropAttempt(association);
      association.attempt = waiting;
    });
  // An opportunistic call has been answered: from now on we know by whom.
  const answered = association.remote === sender ? association : state.rename(association, sender);
  answered.attempt = waiting;
  const { lifetime } = hipParameter(packet.parameters, 'PUZZLE')!;
  const expiresAt = state.at + puzzleLifetimeMs(Math.min(lifetime, lifetimeMax));
  const start = state.ports.randomness.bytes(r1.random.length);
  waiting.solving = { r1, path, computeId: search(state, answered, r1, start), expiresAt, attempts: 0 };
}

/** Whether it takes the place of the R1 that we answer already, if there is one. */
function isNews(attempt: I1Sent | I2Sent, { parameters }: HipPacket): boolean {
  const before = attempt.name === 'I2-SENT' ? attempt.r1 : attempt.solving?.r1;
  if (before === undefined) return true;
  // We have asked for one with each repetition; whoever asks in our name must not make us begin anew without end.
  const hasAsked = attempt.name === 'I1-SENT' || attempt.renewals < attempt.repetitions;
  const counter = hipParameter(parameters, 'R1_COUNTER')?.counter;
  const known = before.counter?.counter;
  // RFC 7401 6.8 8
  if (counter !== undefined && known !== undefined && counter !== known) return hasAsked && counter > known;
  // RFC 7401 4.1.4: with the one before there was no progress. A NAT may have given us another address, for which the puzzle is
  // another one; or somebody has made up the Opaque or #I that we know, which no signature covers.
  const puzzle = hipParameter(parameters, 'PUZZLE');
  if (attempt.name === 'I1-SENT' || !hasAsked || puzzle === undefined) return false;
  return puzzle.opaque !== before.opaque || !sameOctets(puzzle.random, before.random);
}

function search(state: HipHostState, association: HipAssociation, r1: AcceptedR1, start: Uint8Array): number {
  const puzzle = {
    initiator: association.local.identity.hit,
    responder: r1.identity.hit,
    random: r1.random,
    difficulty: r1.difficulty,
  };
  return state.compute(association, { kind: 'search-puzzle', puzzle, start, attemptsMax: attemptsPerJob });
}

/** A search that found nothing goes on while the puzzle is valid. */
export function searchOn(
  state: HipHostState,
  association: HipAssociation,
  next: Uint8Array,
  attempts: number,
): void {
  const { attempt } = association;
  if (attempt?.name !== 'I1-SENT' || attempt.solving === undefined) return;
  const { r1, expiresAt, path } = attempt.solving;
  if (state.at >= expiresAt) {
    // RFC 7401 6.8 12: another puzzle is asked for, within the bounds of repetition.
    delete attempt.solving;
    return;
  }
  attempt.solving = {
    r1,
    path,
    computeId: search(state, association, r1, next),
    expiresAt,
    attempts: attempt.solving.attempts + attempts,
  };
}

function judge(
  configuration: HipConfiguration,
  { local }: HipAssociation,
  { packet, path }: ReceivedPacket,
): AcceptedR1 | HipRejection {
  const { parameters, header } = packet;
  const puzzle = hipParameter(parameters, 'PUZZLE');
  const keyExchange = hipParameter(parameters, 'DIFFIE_HELLMAN');
  const ciphers = hipParameter(parameters, 'HIP_CIPHER')?.ciphers;
  const hostId = hipParameter(parameters, 'HOST_ID');
  const hitSuites = hipParameter(parameters, 'HIT_SUITE_LIST')?.suites;
  const groups = hipParameter(parameters, 'DH_GROUP_LIST')?.groups;
  const formats = hipParameter(parameters, 'TRANSPORT_FORMAT_LIST')?.formats;
  const transform = hipParameter(parameters, 'ESP_TRANSFORM')?.suites;
  if (!puzzle || !keyExchange || !ciphers || !hostId || !hitSuites || !groups || !formats || !transform)
    return 'missing-parameter';

  const echoSigned = echoWanted(parameters);
  if (echoSigned === 'too-long') return 'echo';
  const identity = readIdentity(hostId.algorithm, hostId.hostIdentity);
  if (identity === undefined || identity.hit !== header.sender) return 'host-identity';
  if (!verifyHipSignature(packet, identity, 'HIP_SIGNATURE_2')) return 'signature';
  if (puzzle.random.length !== rhashOf(header.sender).hashBytes) return 'puzzle';
  if (!hitSuites.includes(hitSuiteOf(local.identity.hit) ?? 0)) return 'hit-suite';
  // RFC 7401 6.8 7: the Responder's best of what we offered, or somebody has changed our offer.
  const best = groups.find((group) => configuration.groups.includes(group));
  if (best === undefined || keyExchange.group !== best) return 'downgrade';
  if (puzzle.difficulty > configuration.puzzle.acceptedDifficultyMax) return 'difficulty';
  const cipher = ciphers.find((one) => configuration.ciphers.includes(one) && supportedHipCipher(one));
  if (cipher === undefined) return 'cipher';
  if (!formats.includes(HipParameterType.ESP_TRANSFORM)) return 'transport';
  const espSuite = transform.find(
    (one) => configuration.espSuites.includes(one) && espSuiteOf(one) !== undefined,
  );
  if (espSuite === undefined) return 'esp-transform';
  return {
    identity,
    hostId: hipParameterOctets(packet.octets, 'HOST_ID')!.slice(),
    counter: hipParameter(parameters, 'R1_COUNTER'),
    group: keyExchange.group,
    publicValue: keyExchange.publicValue.slice(),
    cipher,
    espSuite,
    opaque: puzzle.opaque,
    difficulty: puzzle.difficulty,
    random: puzzle.random.slice(),
    echoSigned,
    echoUnsigned: unsignedEchoesWanted(parameters),
    // RFC 8047 5.1: of type 0, for there are no SAs yet.
    locators: toldLocators(parameters, [], path.remote),
    registrarOffer: hipParameter(parameters, 'REG_INFO'),
  };
}

/** `undefined`: no key that we can use. */
export function readIdentity(algorithm: number, octets: Uint8Array): HostIdentity | undefined {
  try {
    return decodeHostIdentity(algorithm, octets);
  } catch (error) {
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
}
