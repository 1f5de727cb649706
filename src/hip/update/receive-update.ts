// UPDATE: acknowledgements first, then what has to be acknowledged (RFC 7401 4.2, 6.12, 6.12.1, 6.12.2).
import { equalConstantTime, verifyHipMac, verifyHipSignature } from '#crypto';
import { type HipParameter, hipParameter } from '#wire';
import type { HipAssociation, Standing } from '../association.ts';
import { echoWanted, unsignedEchoesWanted } from '../echo.ts';
import type { HipHostState, ReceivedPacket } from '../host-state.ts';
import { takeLocators, takeProof } from '../locators/choose-path.ts';
import { followMapping, noticeMapping } from '../locators/follow-mapping.ts';
import { announce } from '../locators/own-locators.ts';
import { askWhoIsHeard, takeProbeAnswer } from '../locators/probe.ts';
import { toldLocators, unsupportedLocators } from '../locators/told-locators.ts';
import { sendUnsupportedLocators } from '../locators/unsupported.ts';
import { isSameWay, verifiedPath } from '../locators/verified-path.ts';
import { grant, judgeRequest } from '../registration/registrar.ts';
import { sendOffer } from '../registration/reload.ts';
import { askNow, sendCancellation, takeAnswers, takeUpdate } from '../registration/requester.ts';
import { unknownAssociation } from '../unknown-association.ts';
import { beginRekey, halfAcknowledged, judgeHalf, takeHalf } from './rekey.ts';
import { sendAcknowledgement, sendUpdate } from './send-update.ts';

export function receiveUpdate(state: HipHostState, received: ReceivedPacket): void {
  const { packet } = received;
  const association = state.of(received);
  const standing = association?.standing;
  if (association === undefined || standing === undefined) {
    // RFC 7401 tables 7 and 8: whom we leave, we still know.
    if (association?.leaving === undefined) unknownAssociation(state, received);
    else state.reject(received, 'unexpected');
    return;
  }
  const seq = hipParameter(packet.parameters, 'SEQ');
  const ack = hipParameter(packet.parameters, 'ACK');
  if (seq === undefined && ack === undefined) {
    state.reject(received, 'missing-parameter');
    return;
  }
  if (!verifyHipMac(packet, standing.keys.responder, standing.keys.peer.integrity)) {
    state.reject(received, 'mac');
    return;
  }
  const novelty = seq === undefined ? undefined : standing.updates.judge(seq.updateId);
  if (novelty === 'outside') {
    state.reject(received, 'update-id');
    return;
  }
  if (seq !== undefined && novelty === 'repeated') {
    answerAgain(state, association, standing, received, seq.updateId);
    return;
  }
  if (seq === undefined && !isAwaited(standing, ack!.updateIds)) {
    state.reject(received, 'repeated');
    return;
  }
  if (!verifyHipSignature(packet, standing.peer)) {
    state.reject(received, 'signature');
    return;
  }
  // RFC 7401 table 5: the peer must be in ESTABLISHED to send it.
  state.change(association, 'an UPDATE came', () => {
    standing.state = 'ESTABLISHED';
    standing.r2 = undefined;
  });
  if (seq !== undefined) standing.lastInboundAt = state.at;
  heardAgain(state, association, standing);
  if (ack !== undefined) takeAcknowledgement(state, association, standing, received, ack.updateIds);
  if (seq !== undefined && association.standing === standing)
    process(state, association, standing, received, seq.updateId);
  nextWanted(state, association, standing);
  if (association.standing !== standing) return;
  noticeMapping(state, association, standing, received.path);
  askWhoIsHeard(state, association, standing, received.path);
}

/** The peer knows the association: nothing has to take its place, and nobody has to give it up. */
function heardAgain(state: HipHostState, association: HipAssociation, standing: Standing): void {
  standing.silent = false;
  const { attempt } = association;
  if (attempt?.name === 'I1-SENT' && attempt.becauseOfSilence) state.dropAttempt(association);
}

/** What acknowledges nothing that is under way is an old one, or came twice. */
function isAwaited({ updates: { outstanding, probes } }: Standing, updateIds: readonly number[]): boolean {
  return updateIds.some((one) => one === outstanding?.updateId || probes.has(one));
}

function answerAgain(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  received: ReceivedPacket,
  updateId: number,
): void {
  const { path } = received;
  const answer = standing.updates.answerTo(updateId) ?? [];
  const isMade = answer instanceof Uint8Array;
  // Whoever has recorded it can say that it is from anywhere: nothing goes there that is longer than it is.
  const isFromThere = isSameWay(path, verifiedPath(association, standing));
  const bytesMax = isFromThere ? Number.POSITIVE_INFINITY : received.packet.octets.length;
  if (!(isMade && isFromThere) && !standing.repetitionRate.take(state.at)) state.reject(received, 'rate');
  else if (!isMade) sendAcknowledgement(state, association, standing, received, updateId, answer, bytesMax);
  else if (answer.length <= bytesMax) state.transmit(path, answer);
  else state.reject(received, 'repeated');
}

function takeAcknowledgement(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  received: ReceivedPacket,
  updateIds: readonly number[],
): void {
  const proven = takeProbeAnswer(state, association, standing, received, updateIds);
  if (proven !== undefined && 'mapping' in proven)
    followMapping(state, association, standing, proven.mapping);
  else if (proven !== undefined) takeProof(state, association, standing, proven);
  const { updates } = standing;
  const { outstanding } = updates;
  if (outstanding === undefined || !updateIds.includes(outstanding.updateId)) return;
  const echoed = hipParameter(received.packet.parameters, 'ECHO_RESPONSE_SIGNED')?.data;
  if (
    outstanding.echo !== undefined &&
    (echoed === undefined || !equalConstantTime(outstanding.echo, echoed))
  ) {
    state.reject(received, 'echo');
    return;
  }
  updates.outstanding = undefined;
  standing.lastInboundAt = state.at;
  standing.suspect = false;
  standing.unansweredSince = undefined;
  // RFC 6298 3: the answer to a repeated packet says nothing about the time.
  if (outstanding.repetitions === 0) {
    standing.rttMs = state.at - outstanding.sentAt;
    state.emit({ kind: 'alive', context: association.context, rttMs: standing.rttMs });
  }
  if (outstanding.purpose === 'rekey' && updates.rekeying !== undefined)
    halfAcknowledged(state, association, standing, updates.rekeying);
  // With a SEQ of its own it is processed as what it is besides.
  const { parameters } = received.packet;
  if (outstanding.purpose === 'register' && hipParameter(parameters, 'SEQ') === undefined)
    takeAnswers(state, association, standing, parameters);
}

function process(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  received: ReceivedPacket,
  updateId: number,
): void {
  const { parameters } = received.packet;
  const { updates } = standing;
  const echo = echoWanted(parameters);
  if (echo === 'too-long') {
    state.reject(received, 'echo');
    return;
  }
  const request = judgeRequest(state, association.remote, parameters);
  const answers: HipParameter[] = [
    ...(echo === undefined ? [] : [{ type: 'ECHO_RESPONSE_SIGNED' as const, data: echo }]),
    ...(request?.answers ?? []),
  ];
  const info = hipParameter(parameters, 'ESP_INFO');
  let answer: Uint8Array | undefined;
  // The pair in use may have been made of the peer's half before this came.
  const isKnown = info?.newSpi === standing.pair.outboundSpi;
  if (info !== undefined && info.oldSpi !== info.newSpi && !isKnown) {
    const half = judgeHalf(standing, info, hipParameter(parameters, 'DIFFIE_HELLMAN'));
    if (typeof half === 'string') {
      state.reject(received, half);
      return;
    }
    // Another UPDATE of ours is under way: the peer will ask again, and this one is not acknowledged.
    const unsaid = updates.rekeying === undefined || updates.halfIsSpent;
    if (unsaid && updates.outstanding !== undefined) return;
    updates.processed(updateId);
    const own = takeHalf(state, association, standing, half);
    if (own !== undefined) {
      answer = sendUpdate(state, association, standing, {
        purpose: 'rekey',
        parameters: [...answers, ...own],
        acknowledges: [updateId],
        unsignedEchoes: unsignedEchoesWanted(parameters),
      });
    }
  } else updates.processed(updateId);
  // RFC 8046 3.2.2, 4.3, 5.3: after ESP_INFO, which may have given another SPI to the peer's SA.
  const carried = moveTo(
    state,
    association,
    standing,
    received,
    answer === undefined ? { updateId, answers } : undefined,
  );
  if (!carried) answer ??= sendAcknowledgement(state, association, standing, received, updateId, answers);
  // RFC 8046 5.4: the nonce of a probe is for whoever is at that address, and for nobody who asks again.
  updates.remember(updateId, answer ?? answers);
  if (request !== undefined) grant(state, association, standing, request);
  takeUpdate(state, association, standing, parameters);
}

/** @returns whether the acknowledgement went to the new address, with the question whether the peer is there */
function moveTo(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  { packet, path }: ReceivedPacket,
  due: { readonly updateId: number; readonly answers: readonly HipParameter[] } | undefined,
): boolean {
  const { parameters } = packet;
  const { pair, former, updates } = standing;
  const pairs = [pair, former?.pair, updates.rekeying?.prepared?.pair];
  const spis = pairs.flatMap((one) => (one === undefined ? [] : [one.outboundSpi]));
  const said = toldLocators(parameters, spis, path.remote);
  if (said === undefined) return false;
  // Where both go elsewhere at once and each followed the other, they would never meet: the greater HIT follows.
  const crossing = updates.outstanding?.purpose === 'move' || updates.wanted.has('move');
  const leads = crossing && association.localIsSmaller;
  const told = leads ? said.map((one) => ({ ...one, preferred: false })) : said;
  const unsupported = unsupportedLocators(hipParameter(parameters, 'LOCATOR_SET')!);
  if (unsupported.length > 0) sendUnsupportedLocators(state, association, unsupported, path);
  return takeLocators(state, association, standing, {
    told,
    path,
    ...(due !== undefined && {
      extras: {
        acknowledges: [due.updateId],
        answers: due.answers,
        unsignedEchoes: unsignedEchoesWanted(parameters),
      },
    }),
  });
}

/** What had to wait for an acknowledgement. */
export function nextWanted(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { updates } = standing;
  if (association.standing !== standing || updates.outstanding !== undefined) return;
  if (updates.wanted.delete('move')) announce(state, association, standing);
  else if (updates.halfIsSpent && !standing.silent) beginRekey(state, association, standing);
  else if (updates.wanted.delete('cancel')) sendCancellation(state, association, standing);
  else if (updates.wanted.delete('register')) askNow(state, association, standing);
  else if (updates.wanted.delete('offer')) sendOffer(state, association, standing);
  else if (updates.wanted.delete('rekey')) beginRekey(state, association, standing);
}
