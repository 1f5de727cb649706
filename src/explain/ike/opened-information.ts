// INFORMATIONAL: Deletes, errors, moves, and liveness checks.
import { addressFromBytes, formatSpi, isNegotiableSpi } from '#sa';
import { type DeletePayload, NotifyType, ProtocolId, readU32 } from '#wire';
import type { Sighting } from '../story.ts';
import type { Opened } from './opened.ts';
import { eapRefused } from './opened-eap.ts';
import { errorNotify, hasNotify, notifies, notifyText } from './payload-text.ts';
import type { TrackedIkeSa } from './tracked-ike-sa.ts';

export function information(opened: Opened): void {
  const { sa, request, response, at, asker, other } = opened;
  const { events, findings } = sa.conversation;
  const deletes = request.filter((payload): payload is DeletePayload => payload.type === 'D');
  const known = request.length + response.length;
  if (known === 0) {
    sa.livenessChecks++;
    return;
  }
  for (const { protocolId, spis } of [
    ...deletes,
    ...response.filter((one): one is DeletePayload => one.type === 'D'),
  ]) {
    if (protocolId === ProtocolId.IKE) {
      if (sa.state !== 'rekeyed') sa.state = 'deleted';
      events.tell(at, 'ike-sa-ends', `${asker} deletes ${sa.name}`);
      continue;
    }
    for (const spi of spis) if (spi.length === 4) endChild(sa, readU32(spi, 0), at);
  }
  const named = deletes.filter(({ protocolId }) => protocolId !== ProtocolId.IKE).flatMap(({ spis }) => spis);
  if (named.length > 0) {
    const list = named.slice(0, 4).map((spi) => (spi.length === 4 ? formatSpi(readU32(spi, 0)) : '?'));
    events.tell(
      at,
      'child-sa-ends',
      `${asker} deletes its SPI ${list.join(', ')}${named.length > 4 ? ' and more' : ''}`,
    );
  }
  const error = errorNotify(request);
  if (error !== undefined && sa.eap?.refused === true && sa.state !== 'refused') {
    // Who is refused says so, instead of acknowledging it.
    eapRefused(sa, sa.eap, opened);
  } else if (error !== undefined) {
    events.tell(at, 'error-notify', `${asker} says ${notifyText(error)} to ${other}`);
    findings.find(at, {
      code: error.notifyType === NotifyType.INVALID_SPI ? 'invalid-spi' : 'error-notify',
      severity: 'problem',
      about: `${asker} ${error.notifyType}`,
      what: `${asker} says ${notifyText(error)} to ${other}, within the IKE SA`,
      why: `INFORMATIONAL in frame ${at.frame}`,
      advice:
        error.notifyType === NotifyType.INVALID_SPI
          ? `${other} sends on a Child SA that ${asker} does not have: rekey or delete it.`
          : error.notifyType === NotifyType.AUTHENTICATION_FAILED
            ? `${asker} does not accept the proof of ${other}: identity, secret or certificate differ.`
            : `The log of ${asker} knows more.`,
    });
  }
  mobility({ sa, request, response, at, asker, other });
}

/** RFC 4555 */
function mobility({ sa, request, response, at, asker, other }: Omit<Opened, 'exchange'>): void {
  const { events, findings } = sa.conversation;
  const updates = hasNotify(request, NotifyType.UPDATE_SA_ADDRESSES);
  if (updates) events.tell(at, 'mobike', `${asker} moves the SAs to its present address (MOBIKE)`);
  else if (hasNotify(request, NotifyType.COOKIE2))
    events.tell(at, 'path-check', `${asker} asks whether ${other} is where it says (MOBIKE)`);
  const further = notifies(request).flatMap(({ notifyType, data }) =>
    (notifyType === NotifyType.ADDITIONAL_IP4_ADDRESS && data.length === 4) ||
    (notifyType === NotifyType.ADDITIONAL_IP6_ADDRESS && data.length === 16)
      ? [addressFromBytes(data)]
      : [],
  );
  if (further.length > 0)
    events.tell(
      at,
      'further-addresses',
      `${asker} can also be reached at ${further.slice(0, furtherMax).join(' ')}${further.length > furtherMax ? ' and more' : ''}`,
    );
  else if (hasNotify(request, NotifyType.NO_ADDITIONAL_ADDRESSES))
    events.tell(at, 'further-addresses', `${asker} has no other address`);
  const refusal = errorNotify(response);
  if (!updates || refusal === undefined) return;
  events.tell(at, 'move-refused', `${other} refuses the move: ${notifyText(refusal)}`);
  findings.find(at, {
    code: 'move-refused',
    severity: 'problem',
    about: `${asker} ${refusal.notifyType}`,
    what: `${other} refuses the move of ${asker}: ${notifyText(refusal)}`,
    why: `the answer to UPDATE_SA_ADDRESSES in frame ${at.frame}`,
    advice:
      refusal.notifyType === NotifyType.UNEXPECTED_NAT_DETECTED
        ? 'Something on the way changes addresses, and without NAT traversal there must be no NAT (RFC 4555 3.9).'
        : `The policy of ${other} does not allow this address, or not for these SAs: its log knows.`,
  });
}

/** Of further addresses: a sentence has no room for more. */
const furtherMax = 8;

function endChild(sa: TrackedIkeSa, spi: number, at: Sighting): void {
  for (const one of sa.conversation.ikeSas.values()) {
    for (const each of one.children) {
      if (each.initiatorSpi === spi || each.responderSpi === spi) each.ended ??= { ...at };
    }
  }
  if (!isNegotiableSpi(spi)) return;
  for (const { flows } of sa.conversation.family) {
    // A Delete names the SPI of its sender's inbound SA: whoever sends there must stop.
    for (const flow of flows.values()) if (flow.spi === spi) flow.deleted ??= { ...at };
  }
}
