// INFORMATIONAL: Deletes, errors, moves, and liveness checks.
import { formatSpi, isNegotiableSpi } from '#sa';
import { type DeletePayload, NotifyType, ProtocolId, readU32 } from '#wire';
import type { Sighting } from '../story.ts';
import type { Opened } from './opened.ts';
import { errorNotify, hasNotify, notifyText } from './payload-text.ts';
import type { TrackedIkeSa } from './tracked-ike-sa.ts';

export function information({ sa, request, response, at, asker, other }: Opened): void {
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
  if (error !== undefined) {
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
  if (hasNotify(request, NotifyType.UPDATE_SA_ADDRESSES)) {
    events.tell(at, 'mobike', `${asker} moves the SAs to its present address (MOBIKE)`);
  }
}

function endChild(sa: TrackedIkeSa, spi: number, at: Sighting): void {
  for (const one of sa.conversation.ikeSas.values()) {
    for (const each of one.children) {
      if (each.initiatorSpi === spi || each.responderSpi === spi) each.ended ??= { ...at };
    }
  }
  if (!isNegotiableSpi(spi)) return;
  for (const flow of sa.conversation.flows.values()) {
    // A Delete names the SPI of its sender's inbound SA: whoever sends there must stop.
    if (flow.spi === spi) flow.deleted ??= { ...at };
  }
}
