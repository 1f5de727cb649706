// Events as lines for people. What is said here is all that a log ever holds: no event carries a key octet.
import { type ChildSaSummary, formatIdentity, type IkeEvent, type IkeFailure } from '#ike';
import { formatEndpoint, formatSelector, formatSpi, formatSuite } from '#sa';
import { exchangeTypeName, notifyTypeName } from '#wire';
import { hipEventText } from '../hip/hip-event-text.ts';
import type { CheckpointRefusal, EngineEvent } from '../interface.ts';
import { guessBrakedText } from './guess-braked-text.ts';
import { pathMtuText } from './path-mtu-text.ts';

/** How much an event matters. */
export type EventLevel = 'error' | 'warn' | 'info' | 'debug';

export interface EventText {
  readonly level: EventLevel;
  /** Anybody can cause it, as often as he likes. */
  readonly ofStrangers?: true;
  readonly text: string;
}

/** A stable word for programs: what happened, whoever it happened to. */
export function eventName(event: EngineEvent): string {
  return event.kind === 'ike' ? event.event.kind : event.kind;
}

/** Put into words when somebody reads it: of what a flood brings, nobody does. */
class Said implements EventText {
  readonly level: EventLevel;
  readonly #words: () => string;

  constructor(level: EventLevel, words: () => string) {
    this.level = level;
    this.#words = words;
  }

  get text(): string {
    return this.#words();
  }
}

function said(level: EventLevel, words: () => string): EventText {
  return new Said(level, words);
}

function describeChild(child: ChildSaSummary): string {
  const selectors = `${child.local.map(formatSelector).join(' ')} === ${child.remote.map(formatSelector).join(' ')}`;
  const spis = `SPIs ${formatSpi(child.inboundSpi)}_i ${formatSpi(child.outboundSpi)}_o`;
  return `${child.name}{${child.childId}.${child.generation}} ${spis} TS ${selectors}`;
}

function establishedWords(event: Extract<IkeEvent, { kind: 'ike-established' }>): string {
  const user =
    event.remoteEapIdentity === undefined ? '' : ` user ${formatIdentity(event.remoteEapIdentity)}`;
  const ends = `[${formatIdentity(event.localIdentity)}]...[${formatIdentity(event.remoteIdentity)}]${user}`;
  const contact = event.initialContact ? ', the peer knows no other IKE SA' : '';
  const how = event.resumed ? 'resumed' : 'established';
  return `IKE SA ${how} ${ends} with ${formatSuite(event.suite)}${contact}`;
}

function failedText({ code, detail }: IkeFailure): EventText {
  if (code === 'abandoned') return { level: 'info', text: `IKE SA given up: ${detail}` };
  const text = `IKE SA failed: ${detail}`;
  return code === 'too-many-tries' ? { level: 'warn', ofStrangers: true, text } : { level: 'error', text };
}

function ikeEventText(event: IkeEvent): EventText {
  switch (event.kind) {
    case 'ike-established':
      return said('info', () => establishedWords(event));
    case 'ike-resumed': {
      const { initiator, responder } = event.former;
      return { level: 'debug', text: `resumes IKE SA ${initiator}_i ${responder}_r` };
    }
    case 'ticket-request': {
      const life = event.lifetimeMs === undefined ? '' : `, good for ${event.lifetimeMs / 1000} s`;
      return { level: 'debug', text: `resumption ticket ${event.outcome}${life}` };
    }
    case 'message-ids-synchronized':
      return {
        level: 'info',
        text: `Message IDs synchronised: ours go on with ${event.nextRequestId}, the peer's with ${event.expectedRequestId}`,
      };
    case 'ike-failed':
      return failedText(event.failure);
    case 'ike-ended':
      return { level: 'info', text: `IKE SA ended: ${event.failure.detail}` };
    case 'peer-refused':
      return { level: 'warn', text: `peer refuses: ${event.failure.detail}` };
    case 'ike-rekey-failed':
      return { level: 'warn', text: `rekeying the IKE SA failed: ${event.failure.detail}` };
    case 'notify-received':
      return { level: 'info', text: `peer sent ${notifyTypeName(event.notify.notifyType)}` };
    case 'ike-sa-created':
      return {
        level: 'debug',
        text: `new IKE SA ${event.initiatorSpi}_i ${event.responderSpi}_r by rekeying`,
      };
    case 'ike-rekeyed':
      return { level: 'info', text: `IKE SA rekeyed with ${formatSuite(event.suite)}` };
    case 'reauthentication-due':
      return { level: 'info', text: 'reauthentication is due: making a new IKE SA' };
    case 'child-established':
      return said(
        'info',
        () => `Child SA established ${describeChild(event.child)} with ${formatSuite(event.child.suite)}`,
      );
    case 'child-rekeyed':
      return said('info', () => `Child SA rekeyed ${describeChild(event.child)}`);
    case 'child-failed':
      return { level: 'error', text: `Child SA ${event.name} failed: ${event.failure.detail}` };
    case 'child-unknown-to-peer':
      return {
        level: 'info',
        text: `peer has lost Child SA ${describeChild(event.child)}: making another one in its place`,
      };
    case 'child-ended':
      return said('info', () => `Child SA ended ${describeChild(event.child)}: ${event.failure.detail}`);
    case 'virtual-addresses':
      return {
        level: 'info',
        text: `virtual addresses ${event.addresses.join(' ')}, DNS ${event.dns.join(' ') || 'none'}`,
      };
    case 'peer-moved':
      return {
        level: 'info',
        text: `peer moved from ${formatEndpoint(event.from)} to ${formatEndpoint(event.to)}`,
      };
    case 'moved': {
      const { from, to } = event;
      const path = ({ local, remote }: typeof from): string =>
        `${formatEndpoint(local)} to ${formatEndpoint(remote)}`;
      return said('info', () => `we moved: from ${path(from)}, now from ${path(to)}`);
    }
    case 'move-refused':
      return { level: 'warn', text: `the move failed: ${event.detail}: making a new IKE SA` };
    case 'path-checked': {
      const there = formatEndpoint(event.remote);
      return event.proven
        ? { level: 'info', text: `peer answers from ${there}: its Child SAs lead there` }
        : { level: 'warn', text: `peer does not answer from ${there}: its Child SAs stay where they are` };
    }
    case 'answered-twice':
      return {
        level: 'warn',
        text: 'the first request has two answers: one of them is forged, or the peer has just started again',
      };
    case 'nat-detected': {
      const where = [event.local ? 'us' : [], event.remote ? 'the peer' : []].flat().join(' and ');
      return { level: 'info', text: where === '' ? 'no NAT' : `NAT in front of ${where}` };
    }
    case 'retransmitting': {
      const what = `${exchangeTypeName(event.exchangeType)} request ${event.messageId}`;
      return { level: 'info', text: `retransmission ${event.attempt} of ${what}` };
    }
    case 'liveness-confirmed':
      return { level: 'debug', text: `peer is alive, answered after ${event.rttMs.toFixed(1)} ms` };
    case 'collision':
      return { level: 'info', text: `collision (${event.of}): ${event.outcome}` };
    case 'message-rejected': {
      const what = `${exchangeTypeName(event.exchangeType)} ${event.messageId}`;
      return { level: 'warn', text: `message ${what} rejected: ${event.reason}` };
    }
  }
}

const actedUpon: readonly string[] = ['check', 'proven', 'replacing-child'];

function startedText(event: Extract<EngineEvent, { kind: 'started' }>): EventText {
  const { bootEpoch, historyRecords, historyRefused, secretsLost } = event;
  const refused = historyRefused === 0 ? '' : `, ${historyRefused} more were unreadable`;
  const lost = secretsLost ? '; the token secrets were unreadable and are made anew' : '';
  return {
    level: historyRefused > 0 || secretsLost ? 'warn' : 'info',
    text: `start ${bootEpoch} of this host; ${historyRecords} SPIs remembered${refused}${lost}`,
  };
}

/** Strangers choose how many of these there are: they are worth a line of an ordinary log only about somebody we know. */
function unknownSpiText(event: Extract<EngineEvent, { kind: 'unknown-spi' }>): EventText {
  const { evidence, remote, spi, count, verdict, outcome, owner } = event;
  const times = count > 1 ? `, ${count} times` : '';
  const whose = owner === undefined ? '' : `, last of ${owner.connection}/${owner.child}`;
  const packet = `${evidence.protocol.toUpperCase()} from ${formatEndpoint(remote)} with unknown SPI ${formatSpi(spi)}`;
  return {
    level: owner === undefined || !outcome.startsWith('sent') ? 'debug' : 'info',
    text: `${packet}${times}${whose}: ${verdict.kind} (${verdict.reason}), ${outcome}`,
  };
}

const checkpointRefusals: Readonly<Record<CheckpointRefusal, string>> = {
  disabled: 'checkpoints are turned off',
  unreadable: 'it is damaged, or sealed under another key',
  'another-place': 'it is a copy of one that was made elsewhere, or of another data plane',
  'another-boot': 'the machine itself has started again since',
  stale: 'it was last confirmed too long ago',
  superseded: 'it is older than the last one that was written',
  expired: 'the lifetime of the IKE SA is over',
  'not-configured': 'the connection or one of its children is not configured any more',
  conflict: 'an SPI or address of the IKE SA is taken',
};

function checkpointRefusedText(event: Extract<EngineEvent, { kind: 'checkpoint-refused' }>): EventText {
  const { reason, connection, spi } = event;
  const whose = connection === undefined ? '' : `${connection}: `;
  const what = spi === undefined ? 'the checkpoint' : `the checkpoint of IKE SA ${spi}`;
  const level = reason === 'disabled' || reason === 'another-boot' ? 'info' : 'warn';
  return { level, text: `${whose}${what} is not used: ${checkpointRefusals[reason]}` };
}

/** One line without time. */
export function eventText(event: EngineEvent): EventText {
  switch (event.kind) {
    case 'ike': {
      const inner = ikeEventText(event.event);
      const { connection, ikeId, remote } = event.context;
      const words = (): string => `${connection.name}[${ikeId}] ${formatEndpoint(remote)}: ${inner.text}`;
      return inner.ofStrangers ? { ...inner, text: words() } : said(inner.level, words);
    }
    case 'hip':
      return hipEventText(event.event);
    case 'hip-problem':
      return {
        level: 'debug',
        text: `hip: ${formatEndpoint(event.remote)}: ${event.reason}: ${event.outcome}`,
      };
    case 'child-up':
    case 'child-down':
      return { level: 'debug', text: `${event.kind} ${event.child.name}` };
    case 'trap-set':
    case 'trap-removed': {
      const does = event.kind === 'trap-set' ? 'waits for traffic to' : 'no longer waits for traffic to';
      const where = event.selectors.remote.map(formatSelector).join(' ');
      return { level: 'info', text: `${event.connection}: ${event.child.name} ${does} ${where}` };
    }
    case 'connecting':
      return {
        level: 'info',
        text: `${event.connection}: connecting to ${formatEndpoint(event.remote)}, try ${event.attempt}`,
      };
    case 'connect-failed': {
      const retry = event.retryInMs === undefined ? '' : `; next try in ${event.retryInMs / 1000} s`;
      return { level: 'error', text: `${event.connection}: not connected: ${event.detail}${retry}` };
    }
    case 'resumption-failed':
      return { level: 'info', text: `${event.connection}: not resumed: ${event.detail}; connecting in full` };
    case 'duplicate-ike-sa': {
      const { connection, kept, ended, reason } = event;
      return { level: 'info', text: `${connection}: IKE SA ${kept} stays, ${ended} ends: ${reason}` };
    }
    case 'datagram-ignored': {
      const from = formatEndpoint(event.remote);
      if (event.reason === 'no-connection')
        return {
          level: 'info',
          ofStrangers: true,
          text: `${from} wants an IKE SA, but no connection is for its address`,
        };
      // Whoever asks why a peer does not get through finds the answer here.
      return event.detail === undefined
        ? { level: 'debug', text: `datagram from ${from} ignored: ${event.reason}` }
        : { level: 'info', ofStrangers: true, text: `${from} wants an IKE SA, refused: ${event.detail}` };
    }
    case 'cookie-demanded':
      return { level: 'debug', text: `${formatEndpoint(event.remote)} must return a COOKIE` };
    case 'guess-braked':
      return { level: 'warn', ofStrangers: true, text: guessBrakedText(event) };
    case 'started':
      return startedText(event);
    case 'checkpoint-adopted': {
      const { connection, ikeId, remote } = event.context;
      const what = `IKE SA goes on from the checkpoint, with ${event.children} Child SAs; all are rekeyed`;
      return { level: 'info', text: `${connection.name}[${ikeId}] ${formatEndpoint(remote)}: ${what}` };
    }
    case 'checkpoint-refused':
      return checkpointRefusedText(event);
    case 'unknown-spi':
      return unknownSpiText(event);
    case 'unknown-ike-message': {
      const { remote, initiatorSpi, responderSpi, verdict, outcome } = event;
      const what = `IKE message from ${formatEndpoint(remote)} for unknown IKE SA ${initiatorSpi}_${responderSpi}`;
      return { level: 'debug', text: `${what}: ${verdict.kind} (${verdict.reason}), ${outcome}` };
    }
    case 'hint': {
      const { hint, remote, outcome, spi, connection } = event;
      const what = `${event.protected ? 'protected' : 'unprotected'} ${hint} from ${formatEndpoint(remote)}`;
      const about = spi === undefined ? '' : ` about SPI ${formatSpi(spi)}`;
      const whose = connection === undefined ? '' : `${connection}: `;
      return {
        // What strangers can repeat at will stays out of an ordinary log.
        level: actedUpon.includes(outcome) ? 'info' : 'debug',
        text: `${whose}${what}${about}: ${outcome}`,
      };
    }
    case 'path-mtu': {
      const { connection, remote } = event;
      const whose = connection === undefined ? '' : `${connection}: `;
      return { level: 'info', text: `${whose}path to ${remote.address}: ${pathMtuText(event)}` };
    }
    case 'recovery': {
      const { connection, rung, step, detail } = event;
      // A liveness check because of silence is nothing yet.
      const level = step === 'checking' ? 'debug' : 'info';
      return { level, text: `${connection}: recovery by ${rung}: ${step}: ${detail}` };
    }
  }
}
