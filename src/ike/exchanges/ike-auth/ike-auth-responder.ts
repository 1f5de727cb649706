// IKE_AUTH as its responder: which connection the initiator means, whether to believe it, and the first Child SA (RFC 7296 1.2, 2.21.2).
import type { ValidatePathResult } from '#crypto';
import { AuthMethod, NotifyType, type Payload } from '#wire';
import type { SecretTry } from '../../authentication/guesses.ts';
import { formatIdentity } from '../../authentication/identity-text.ts';
import type { Identity } from '../../configuration.ts';
import { failure, type IkeSaState } from '../../ike-sa-state.ts';
import type { IkeFailure } from '../../interface.ts';
import type { RequestOrigin } from '../../messages/transmission.ts';
import { mandatoryPayload, payloadOf, payloadsOf } from '../../payloads/payload-lookup.ts';
import type {
  AuthenticationMaterial,
  HalfOpen,
  TriedClaim,
  Validating,
  ValidatingResponder,
} from '../../phase.ts';
import { credentialOf } from '../ike-session-resume/client-credential.ts';
import { connectionOfTicket, ticketNotAllowed } from '../ike-session-resume/ticket-connection.ts';
import { isRefusedForNat } from '../mobike/agreement.ts';
import { claimsOf } from './claims.ts';
import { beginEap } from './eap-responder.ts';
import { idPayload, validationTimeoutMs } from './ike-auth-initiator.ts';
import { believeInitiator, refuseInitiator } from './initiator-believed.ts';
import { proveOurselves } from './own-authentication.ts';
import { judgePath, judgePeer, type PeerClaim, type PeerVerdict } from './peer-authentication.ts';

export function handleAuthRequest(
  state: IkeSaState,
  phase: HalfOpen,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): void {
  if (phase.held !== undefined) {
    const detail = 'another IKE_AUTH request came before the first was answered';
    refuseInitiator(state, origin, failure('invalid-syntax', detail), NotifyType.INVALID_SYNTAX);
    return;
  }
  if (payloadOf(payloads, 'AUTH') === undefined) {
    // RFC 7296 2.16: an initiator that leaves AUTH out wants EAP.
    beginEap(state, phase, origin, payloads);
    return;
  }
  const guess = guessIn(state, payloads);
  const admission = (guess && state.ports.guesses?.admit(guess)) ?? { kind: 'judge' };
  if (admission.kind === 'wait') {
    state.phase = { ...phase, held: { origin, payloads, until: state.at + admission.forMs } };
    return;
  }
  if (guess !== undefined && admission.kind === 'refuse') {
    const detail = `${formatIdentity(guess.user)} was not heard: too many wrong pre-shared keys came before`;
    refuseInitiator(state, origin, failure('too-many-tries', detail));
    return;
  }
  judgeAuthRequest(state, phase, origin, payloads);
}

/** It is time to judge what had to wait. */
export function continueHeldAuth(state: IkeSaState): void {
  const { phase } = state;
  if (phase.name !== 'half-open' || phase.held === undefined || phase.held.until > state.at) return;
  judgeAuthRequest(state, phase, phase.held.origin, phase.held.payloads);
}

/** RFC 7296 2.15: whoever initiates may try pre-shared keys. `undefined`: this one does not. */
function guessIn(state: IkeSaState, payloads: readonly Payload[]): SecretTry | undefined {
  const { method } = mandatoryPayload(payloads, 'AUTH');
  if (state.resumption !== undefined || method !== AuthMethod.SHARED_KEY) return undefined;
  const { idType, data } = mandatoryPayload(payloads, 'IDi');
  const user = { idType, data };
  return { user, machine: user, secret: 'pre-shared-key' };
}

function judgeAuthRequest(
  state: IkeSaState,
  phase: HalfOpen,
  origin: RequestOrigin,
  payloads: readonly Payload[],
): void {
  const idi = mandatoryPayload(payloads, 'IDi');
  const idr = payloadOf(payloads, 'IDr');
  const peerIdentity: Identity = { idType: idi.idType, data: idi.data };
  const wanted = idr === undefined ? undefined : { idType: idr.idType, data: idr.data };
  const { resumption } = state;
  // Its first message was a while ago.
  const ends = { ports: state.ports, local: state.local, remote: state.begunWith };
  const resumed = resumption?.content && connectionOfTicket(ends, resumption.content);
  if (resumption !== undefined && resumed === undefined) {
    refuseInitiator(state, origin, failure('ticket-refused', ticketNotAllowed));
    return;
  }
  const claims =
    resumption === undefined || resumed === undefined
      ? claimsOf(state, peerIdentity, wanted)
      : [{ connection: resumed, localIdentity: wanted ?? resumption.localIdentity, peerIdentity }];
  if (claims.length === 0) {
    const asked = wanted === undefined ? '' : `, which asks for us as ${formatIdentity(wanted)}`;
    const detail = `no connection is for the peer's identity ${formatIdentity(peerIdentity)}${asked}`;
    refuseInitiator(state, origin, failure('identity-mismatch', detail));
    return;
  }
  judgeClaims(state, { material: phase, origin, payloads, claims, tried: [], expiresAt: undefined });
}

/** What is left to be judged of an IKE_AUTH request. */
interface Judging {
  readonly material: Material;
  readonly origin: RequestOrigin;
  readonly payloads: readonly Payload[];
  readonly claims: readonly PeerClaim[];
  /** Those that were not believed. */
  readonly tried: readonly TriedClaim[];
  /** Since the first path that had to be validated. */
  readonly expiresAt: number | undefined;
}

/** A claim, and a mark of what it is judged by. */
interface Judged {
  readonly claim: PeerClaim;
  readonly credential: Uint8Array | undefined;
}

/** Of a half-open IKE SA, kept while a path is validated. */
type Material = AuthenticationMaterial & Pick<HalfOpen, 'otherInitRequest'>;

/** One claim after another, until one is believed. The peer never hears which were tried. */
function judgeClaims(state: IkeSaState, judging: Judging): void {
  const [claim, ...others] = judging.claims;
  if (claim === undefined) {
    refuseAll(state, judging);
    return;
  }
  const { material, origin, payloads, tried } = judging;
  state.connection = claim.connection;
  const verdict = judgeInitiator(state, material, claim, payloads);
  const credential = credentialOf(state.ports, claim.connection, {
    clientMethod: mandatoryPayload(payloads, 'AUTH').method,
    clientIdentity: claim.peerIdentity,
    gatewayIdentity: claim.localIdentity,
  });
  if (verdict.kind !== 'validate') {
    conclude(state, { ...judging, claims: others }, { claim, credential }, verdict);
    return;
  }
  const id = state.nextOutputId();
  state.outputs.push({ kind: 'compute', id, job: verdict.job });
  state.phase = {
    name: 'validating',
    initRequest: material.initRequest,
    initResponse: material.initResponse,
    nonceInitiator: material.nonceInitiator,
    nonceResponder: material.nonceResponder,
    computeId: id,
    payloads,
    claim,
    expiresAt: judging.expiresAt ?? state.at + validationTimeoutMs,
    asker: {
      role: 'responder',
      origin,
      claims: others,
      tried,
      credential,
      ...(material.otherInitRequest !== undefined && { otherInitRequest: material.otherInitRequest }),
    },
  };
}

/** The first is the one that fits best: what is wrong with it is told. */
function refuseAll(state: IkeSaState, { origin, tried }: Judging): void {
  const [first, ...others] = tried;
  if (first === undefined) throw new Error('a peer was refused for no reason');
  state.connection = first.connection;
  const { failure: reason } = first;
  const more = others.length === 1 ? '1 other connection' : `${others.length} other connections`;
  refuseInitiator(
    state,
    origin,
    others.length === 0 ? reason : { ...reason, detail: `${reason.detail}; ${more} did not take it either` },
  );
}

/** RFC 7296 2.15: AUTH covers the request as it was sent last; a cookie makes the difference. */
function judgeInitiator(
  state: IkeSaState,
  material: Material,
  claim: PeerClaim,
  payloads: readonly Payload[],
): PeerVerdict {
  const verdict = judgePeer(state, material, claim, payloads);
  const { otherInitRequest } = material;
  if (verdict.kind !== 'refused' || otherInitRequest === undefined) return verdict;
  const other = judgePeer(state, { ...material, initRequest: otherInitRequest }, claim, payloads);
  return other.kind === 'refused' ? verdict : other;
}

export function continueAsResponder(
  state: IkeSaState,
  phase: Validating,
  { origin, claims, tried, credential, otherInitRequest }: ValidatingResponder,
  result: ValidatePathResult,
): void {
  const { claim, payloads, expiresAt } = phase;
  const material = { ...phase, ...(otherInitRequest !== undefined && { otherInitRequest }) };
  const judging = { material, origin, payloads, claims, tried, expiresAt };
  conclude(state, judging, { claim, credential }, judgePath(claim.connection, result));
}

/** @param judging what is left if this claim is not believed */
function conclude(
  state: IkeSaState,
  judging: Judging,
  { claim, credential }: Judged,
  verdict: PeerVerdict,
): void {
  if (verdict.kind === 'validate') throw new Error('a path was to be validated twice');
  const { material, origin, payloads } = judging;
  const { connection } = claim;
  const goOn = (reason: IkeFailure): void =>
    judgeClaims(state, { ...judging, tried: [...judging.tried, { connection, failure: reason }] });
  if (verdict.kind === 'refused') {
    goOn(verdict.failure);
    return;
  }
  const guess = guessIn(state, payloads);
  if (guess !== undefined) state.ports.guesses?.right(guess);
  if (isRefusedForNat(state, payloads, origin)) {
    const detail = 'there is a NAT on the way, and the initiator cannot do with one';
    refuseInitiator(state, origin, failure('peer-notify', detail), NotifyType.UNEXPECTED_NAT_DETECTED);
    return;
  }
  const proof = proveOurselves(state, connection, material, {
    identity: claim.peerIdentity,
    requests: payloadsOf(payloads, 'CERTREQ'),
  });
  if (proof.kind === 'impossible') {
    goOn(proof.failure);
    return;
  }
  believeInitiator(state, {
    claim,
    material,
    origin,
    payloads,
    method: mandatoryPayload(payloads, 'AUTH').method,
    credential,
    identity: proof.identity,
    proof: [idPayload('IDr', proof.identity), ...proof.certificates, proof.auth],
  });
}
