// Events as names and values for programs that read logs. Nothing here is a key, and everything has one line's length.
import { formatIdentity, type IkeEvent } from '#ike';
import { formatEndpoint, formatSpi } from '#sa';
import { exchangeTypeName } from '#wire';
import { hipEventFields } from '../hip/hip-event-fields.ts';
import type { EngineEvent, IkeContext } from '../interface.ts';

export type EventFields = Readonly<Record<string, string | number | boolean>>;

function ofContext({ ikeId, connection, remote, initiatorSpi, responderSpi }: IkeContext): EventFields {
  return {
    connection: connection.name,
    ikeId,
    remote: formatEndpoint(remote),
    ikeSpis: `${initiatorSpi}_${responderSpi}`,
  };
}

/** Which end has moved is the event's name. */
function ofMove(event: IkeEvent): EventFields {
  if (event.kind === 'peer-moved') return { from: formatEndpoint(event.from), to: formatEndpoint(event.to) };
  if (event.kind !== 'moved') return {};
  return { from: formatEndpoint(event.from.local), to: formatEndpoint(event.to.local) };
}

/** What is left out here is in the line's text. */
export function eventFields(event: EngineEvent): EventFields {
  switch (event.kind) {
    case 'ike': {
      const { event: inner, context } = event;
      return {
        ...ofContext(context),
        ...('child' in inner && {
          child: inner.child.name,
          inboundSpi: formatSpi(inner.child.inboundSpi),
          outboundSpi: formatSpi(inner.child.outboundSpi),
        }),
        ...('failure' in inner && { code: inner.failure.code }),
        ...(inner.kind === 'ike-established' &&
          inner.remoteEapIdentity !== undefined && { user: formatIdentity(inner.remoteEapIdentity) }),
        ...('exchangeType' in inner && {
          exchange: exchangeTypeName(inner.exchangeType),
          messageId: inner.messageId,
        }),
        ...('rttMs' in inner && { rttMs: Math.round(inner.rttMs * 100) / 100 }),
        ...('proven' in inner && { proven: inner.proven }),
        ...ofMove(inner),
      };
    }
    case 'child-up':
    case 'child-down':
      return { ...ofContext(event.context), child: event.child.name };
    case 'hip':
      return hipEventFields(event.event);
    case 'hip-problem':
      return { remote: formatEndpoint(event.remote), reason: event.reason, outcome: event.outcome };
    case 'checkpoint-adopted':
      return { ...ofContext(event.context), children: event.children };
    case 'trap-set':
    case 'trap-removed':
      return { connection: event.connection, child: event.child.name };
    case 'connecting':
      return {
        connection: event.connection,
        attempt: event.attempt,
        remote: formatEndpoint(event.remote),
      };
    case 'connect-failed':
    case 'resumption-failed':
      return { connection: event.connection };
    case 'duplicate-ike-sa':
      return { connection: event.connection, kept: event.kept, ended: event.ended };
    case 'datagram-ignored':
      return { remote: formatEndpoint(event.remote), reason: event.reason };
    case 'cookie-demanded':
      return { remote: formatEndpoint(event.remote) };
    case 'guess-braked': {
      const { connection, outcome, by, secret, user, remote } = event;
      return { connection, outcome, by, secret, user, remote: formatEndpoint(remote) };
    }
    case 'started':
      return { bootEpoch: event.bootEpoch };
    case 'checkpoint-refused':
      return {
        reason: event.reason,
        ...(event.connection !== undefined && { connection: event.connection }),
      };
    case 'unknown-spi': {
      const { remote, spi, count, evidence, verdict, outcome, owner } = event;
      return {
        remote: formatEndpoint(remote),
        protocol: evidence.protocol,
        spi: formatSpi(spi),
        count,
        verdict: verdict.kind,
        reason: verdict.reason,
        outcome,
        ...(owner !== undefined && { connection: owner.connection, child: owner.child }),
      };
    }
    case 'unknown-ike-message': {
      const { remote, initiatorSpi, responderSpi, exchangeType, verdict, outcome, connection } = event;
      return {
        remote: formatEndpoint(remote),
        ikeSpis: `${initiatorSpi}_${responderSpi}`,
        exchange: exchangeTypeName(exchangeType),
        verdict: verdict.kind,
        reason: verdict.reason,
        outcome,
        ...(connection !== undefined && { connection }),
      };
    }
    case 'hint': {
      const { hint, remote, protected: isProtected, outcome, spi, connection, ikeId } = event;
      return {
        hint,
        remote: formatEndpoint(remote),
        protected: isProtected,
        outcome,
        ...(spi !== undefined && { spi: formatSpi(spi) }),
        ...(connection !== undefined && { connection }),
        ...(ikeId !== undefined && { ikeId }),
      };
    }
    case 'path-mtu': {
      const { remote, spi, from, fragmentable, pathMtuBytes, innerMtuBytes, connection, ikeId } = event;
      return {
        remote: remote.address,
        spi: formatSpi(spi),
        fragmentable,
        ...(from !== undefined && { from }),
        ...(pathMtuBytes !== undefined && { pathMtuBytes }),
        ...(innerMtuBytes !== undefined && { innerMtuBytes }),
        ...(connection !== undefined && { connection }),
        ...(ikeId !== undefined && { ikeId }),
      };
    }
    case 'recovery':
      return { connection: event.connection, rung: event.rung, step: event.step };
  }
}
