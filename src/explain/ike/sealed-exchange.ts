// Exchanges without keys: what their types, sizes and order tell all the same.
import { Encr, isCombinedMode } from '#sa';
import { ExchangeType } from '#wire';
import type { Sighting } from '../story.ts';
import { duration } from '../words.ts';
import { otherRole, type TrackedExchange, type TrackedIkeSa, type TrackedMessage } from './tracked-ike-sa.ts';

/**
 * A body of at most so many octets holds neither IDr and AUTH nor an SA and a nonce: with IV and ICV of 8 octets each,
 * these take 90 octets at least.
 */
const refusalBytesMax = 80;

/** A Delete of an IKE SA, and of one Child SA (RFC 7296 3.11), with its generic header. */
const deleteIkeBytes = 8;
const deleteChildBytes = 12;

export function answeredSealed(sa: TrackedIkeSa, exchange: TrackedExchange): void {
  const { response, request } = exchange;
  if (response === undefined) return;
  switch (exchange.exchangeType) {
    case ExchangeType.IKE_AUTH:
      authentication(sa, exchange, response);
      return;
    case ExchangeType.CREATE_CHILD_SA:
      creation(sa, exchange, response);
      return;
    case ExchangeType.INFORMATIONAL:
      information(sa, exchange, request, response);
      return;
  }
}

function begun(sa: TrackedIkeSa, { request, response }: TrackedExchange): Sighting {
  return request?.first ?? response?.first ?? sa.last;
}

function isRefusal({ bodyBytes, fragmentsTotal }: TrackedMessage): boolean {
  return fragmentsTotal === 1 && bodyBytes !== undefined && bodyBytes <= refusalBytesMax;
}

function authentication(sa: TrackedIkeSa, exchange: TrackedExchange, response: TrackedMessage): void {
  const { events, findings } = sa.conversation;
  const [initiator, responder] = [sa.address('initiator'), sa.address('responder')];
  // Later messages of IKE_AUTH belong to EAP, whose messages may be small.
  if (exchange.messageId !== 1) {
    if (exchange.messageId === 2) {
      events.tell(
        begun(sa, exchange),
        'ike-auth',
        `IKE_AUTH of ${initiator} and ${responder} goes on, most likely with EAP (sealed)`,
      );
    }
    return;
  }
  if (isRefusal(response)) {
    sa.state = 'refused';
    events.tell(
      begun(sa, exchange),
      'auth-refused',
      `${initiator} authenticates; the answer of ${responder} is too small for anything but a refusal (sealed)`,
    );
    findings.find(response.first, {
      code: 'auth-refused',
      severity: 'problem',
      about: sa.name,
      what: `${responder} refuses the authentication of ${initiator}, as it seems`,
      why: `its answer in frame ${response.first.frame} has ${response.bodyBytes} sealed octets: no room for its identity and proof`,
      advice: `Identity, secret or certificate differ, as a rule (AUTHENTICATION_FAILED). --keys would show the notify, and the log of ${responder} knows the reason.`,
    });
    return;
  }
  sa.state = 'established';
  sa.conversation.sealedNegotiation = response.first;
  const { request } = exchange;
  const pieces =
    request !== undefined && request.fragmentsTotal > 1 ? `, in ${request.fragmentsTotal} fragments` : '';
  events.tell(
    begun(sa, exchange),
    'ike-auth',
    `${initiator} and ${responder} authenticate, most likely with a first Child SA (sealed${pieces})`,
  );
}

function creation(sa: TrackedIkeSa, exchange: TrackedExchange, response: TrackedMessage): void {
  const { events, findings } = sa.conversation;
  const [asker, other] = [sa.address(exchange.requester), sa.address(otherRole(exchange.requester))];
  if (isRefusal(response)) {
    events.tell(
      begun(sa, exchange),
      'create-child-refused',
      `${asker} asks for another SA, or fresh keys; the answer of ${other} is too small for anything but a refusal (sealed)`,
    );
    findings.find(response.first, {
      code: 'create-child-refused',
      severity: 'notice',
      about: sa.name,
      what: `${other} refuses a CREATE_CHILD_SA of ${asker}, as it seems`,
      why: `its answer in frame ${response.first.frame} has ${response.bodyBytes} sealed octets: no room for an SA and a nonce`,
      advice:
        'TEMPORARY_FAILURE passes by itself (both sides rekeyed at once). NO_PROPOSAL_CHOSEN at the first rekey means a key ' +
        'exchange in esp_proposals of one side only, which the first IKE_AUTH cannot show. --keys would tell.',
    });
    return;
  }
  sa.conversation.sealedNegotiation = response.first;
  sa.conversation.sealedCreation = { at: response.first, by: sa };
  const tookUs = response.first.atUs - begun(sa, exchange).atUs;
  events.tell(
    begun(sa, exchange),
    'create-child-sa',
    `${asker} and ${other} make fresh keys or another SA (CREATE_CHILD_SA, sealed), in ${duration(tookUs)}`,
  );
}

function information(
  sa: TrackedIkeSa,
  exchange: TrackedExchange,
  request: TrackedMessage | undefined,
  response: TrackedMessage,
): void {
  if (request === undefined) return;
  const text = textBytes(sa, request);
  if (text === 0 || (text === undefined && request.bodyBytes === response.bodyBytes)) {
    sa.livenessChecks++;
    return;
  }
  const asker = sa.address(exchange.requester);
  if (text === deleteIkeBytes) sa.likelyDelete = request.first;
  // RFC 4555 3.6: one further address of IPv4 is as long, and has an empty answer.
  else if (text === deleteChildBytes && textBytes(sa, response) !== 0) {
    sa.conversation.events.tell(
      request.first,
      'child-sa-ends',
      `${asker} likely deletes a Child SA (INFORMATIONAL of the size of a Delete, sealed)`,
    );
  }
}

/** Octets of payloads inside, where the suite is known and pads nothing. */
function textBytes({ suite }: TrackedIkeSa, { bodyBytes }: TrackedMessage): number | undefined {
  if (suite === undefined || bodyBytes === undefined || !isCombinedMode(suite.encr.id)) return undefined;
  const { id } = suite.encr;
  const icvBytes =
    id === Encr.AES_GCM_8 || id === Encr.AES_CCM_8
      ? 8
      : id === Encr.AES_GCM_12 || id === Encr.AES_CCM_12
        ? 12
        : 16;
  return bodyBytes - 8 - icvBytes - 1;
}
