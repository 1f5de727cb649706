// IKE_AUTH: who proves to be whom and how, who refuses, and who says that it starts anew.
import { NotifyType, type Payload } from '#wire';
import { type Opened, saOf } from './opened.ts';
import { child } from './opened-child.ts';
import { eapRefused, eapText, endsInFailure, followEap } from './opened-eap.ts';
import { authenticationText, errorNotify, hasNotify, identityText, notifyText } from './payload-text.ts';
import type { TrackedIkeSa } from './tracked-ike-sa.ts';

export function authentication(opened: Opened): void {
  const { eap } = opened.sa;
  if (opened.exchange.messageId === 1 || eap === undefined) {
    exchanged(opened);
    return;
  }
  followEap(eap, opened);
  if (endsInFailure(opened)) eapRefused(opened.sa, eap, opened);
  // The last answer is about what the first request offered.
  else if (opened.request.some(({ type }) => type === 'AUTH')) {
    exchanged({ ...opened, request: [...eap.offer, ...opened.request] });
  }
}

function exchanged(opened: Opened): void {
  const { sa, exchange, request, response, at } = opened;
  const { events, findings, silence } = sa.conversation;
  const initiatorIdentity = request.find((payload) => payload.type === 'IDi');
  if (initiatorIdentity?.type === 'IDi') sa.identities.initiator = identityText(initiatorIdentity);
  const responderIdentity = response.find((payload) => payload.type === 'IDr');
  if (responderIdentity?.type === 'IDr') sa.identities.responder = identityText(responderIdentity);
  // An IDr of the initiator is whom it wants to talk to.
  const wanted = request.find((payload) => payload.type === 'IDr');
  const [initiator, responder] = [sa.address('initiator'), sa.address('responder')];
  const whom = (role: 'initiator' | 'responder'): string =>
    sa.identities[role] === undefined ? sa.address(role) : `${sa.address(role)} (${sa.identities[role]})`;
  const error = errorNotify(response);
  const proved = response.some(({ type }) => type === 'AUTH');
  const begins = exchange.messageId === 1 && response.some(({ type }) => type === 'EAP');
  if (begins) sa.eap = { offer: request, refused: false };
  const method = sa.eap === undefined || begins ? authenticationText(request) : eapText(sa.eap);
  const crashDetection = (payloads: readonly Payload[]): boolean =>
    hasNotify(payloads, NotifyType.QUICK_CRASH_DETECTION);
  const side = sa.conversation.sideOf(sa.endpoints.initiator.address);
  silence.crashDetection[side] = silence.crashDetection[side] === true || crashDetection(request);
  silence.crashDetection[side === 0 ? 1 : 0] =
    silence.crashDetection[side === 0 ? 1 : 0] === true || crashDetection(response);
  if (error !== undefined && !proved) {
    sa.state = 'refused';
    events.tell(
      at,
      'auth-refused',
      `${whom('initiator')} authenticates; ${whom('responder')} refuses: ${notifyText(error)}`,
    );
    findings.find(exchange.response!.first, {
      code: 'auth-refused',
      severity: 'problem',
      about: sa.name,
      what: `${responder} refuses the authentication of ${whom('initiator')}: ${notifyText(error)}`,
      why: `the answer in frame ${exchange.response!.first.frame}; it came by ${method}${
        wanted?.type === 'IDr' ? `, and wanted ${identityText(wanted)}` : ''
      }`,
      advice:
        error.notifyType === NotifyType.AUTHENTICATION_FAILED
          ? `Identity, secret or certificate differ: does ${responder} expect exactly this identity, and do both have the same secret, or a chain to an authority that both trust?`
          : `The log of ${responder} knows more.`,
    });
    return;
  }
  const contact = hasNotify(request, NotifyType.INITIAL_CONTACT) && !begins;
  const initial = contact ? `; ${initiator} says INITIAL_CONTACT` : '';
  if (exchange.messageId === 1 || proved) {
    const other = authenticationText(response);
    const how = method === other || (sa.eap !== undefined && !begins) ? method : `${method} and ${other}`;
    const mobile = [sa.eap?.offer ?? request, response].every((said) =>
      hasNotify(said, NotifyType.MOBIKE_SUPPORTED),
    )
      ? '; the initiator may move (MOBIKE)'
      : '';
    events.tell(
      at,
      'ike-auth',
      `${whom('initiator')} and ${whom('responder')} authenticate by ${how}${initial}${mobile}`,
    );
  }
  const forgotten = initial === '' ? [] : standingBesides(sa);
  if (forgotten[0] !== undefined) {
    for (const one of forgotten) one.state = 'lost';
    findings.find(at, {
      code: 'restart-suspected',
      severity: 'notice',
      about: initiator,
      what: `${initiator} restarted, as it seems: it knows of no IKE SA with ${responder}, although one stood`,
      why: `INITIAL_CONTACT in frame ${at.frame}; ${forgotten[0].name} was last used in frame ${forgotten[0].last.frame}, and no Delete of it was seen`,
      advice: 'It lost its state. The other side may drop what it still holds (RFC 7296 2.4).',
    });
  }
  if (proved && !begins) sa.state = 'established';
  if (saOf(response) !== undefined || error !== undefined) child(opened, undefined);
}

/** IKE SAs of the same two that began earlier and had no end. */
function standingBesides(sa: TrackedIkeSa): TrackedIkeSa[] {
  return [...sa.conversation.ikeSas.values()].filter(
    (one) => one !== sa && one.state === 'established' && one.first.frame < sa.first.frame,
  );
}
