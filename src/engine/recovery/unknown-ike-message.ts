// An IKE message of no IKE SA that is no request to begin one: a verdict is reached and carried out.
import type { Endpoint } from '#sa';
import {
  type IkeFacts,
  type IkeVerdict,
  invalidIkeSpi,
  invalidMajorVersion,
  judgeUnknownIkeMessage,
} from '#unknown-spi';
import type { ReceivedIkeHeader } from '#wire';
import type { EngineState } from '../engine-state.ts';
import type { ReplyOutcome } from '../interface.ts';
import { policyFor } from './recovery-state.ts';
import { callForgotten, reestablishable } from './reestablish.ts';
import { sendReply, sendReplyWithTokens } from './reply.ts';

/** A header that leads nowhere, and what came with it. */
export interface UnknownIkeMessage {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly header: ReceivedIkeHeader;
  /** Octets of the IKE message. */
  readonly lengthBytes: number;
}

export function receiveUnknownIkeMessage(state: EngineState, message: UnknownIkeMessage): void {
  const { local, remote, header, lengthBytes } = message;
  const { initiatorSpi, responderSpi, exchangeType, messageId } = header;
  const [record] = state.recovery.history.ofIkeSa(initiatorSpi, responderSpi);
  const { connections } = state;
  const named = record && connections.named(record.connection);
  const connection = named ?? connections.first({ local, remote });
  const facts: IkeFacts = {
    policy: policyFor(state.unknownSpi, connection),
    ready: state.ready,
    destinationIsOurs: true,
    // RFC 7296 3.1: the I flag tells which of the two SPIs the sender did not choose itself.
    claimedByOther: state.owners.isIkeSpiOfOther(header.initiator ? responderSpi : initiatorSpi),
    // Either of the SPIs is enough: a wrong I flag must not make a token of a living IKE SA leave (RFC 6290 9.2).
    ikeSaLive: state.registry.isLive(initiatorSpi, responderSpi),
    history:
      record === undefined
        ? undefined
        : {
            quickCrashDetection: record.quickCrashDetection,
            reestablishable: reestablishable(state, record.connection),
          },
  };
  const evidence = { header, source: remote, destination: local, lengthBytes };
  const verdict = judgeUnknownIkeMessage(evidence, facts);
  const outcome = answer(state, message, verdict, facts);
  state.event({
    kind: 'unknown-ike-message',
    remote,
    initiatorSpi,
    responderSpi,
    exchangeType,
    messageId,
    verdict,
    outcome,
    ...(record === undefined ? {} : { connection: record.connection }),
  });
  state.recovery.incidents.add({
    atMs: state.wallClockMs,
    spis: [],
    remote,
    what: 'verdict',
    reason: `${verdict.kind} ${verdict.reason} ${outcome}`,
    detail: `IKE message of no IKE SA: ${initiatorSpi} ${responderSpi}, exchange type ${exchangeType}`,
    ...(record === undefined ? {} : { connection: record.connection }),
  });
  if ('reestablish' in verdict && verdict.reestablish && record !== undefined) {
    callForgotten(state, record.connection, 'unknown-spi');
  }
}

function answer(
  state: EngineState,
  { local, remote, header }: UnknownIkeMessage,
  verdict: IkeVerdict,
  { policy, history }: IkeFacts,
): ReplyOutcome {
  const reply = { local, remote, policy, known: history !== undefined };
  switch (verdict.kind) {
    case 'ignore':
    case 'leave-to-owner':
      return 'nothing-to-send';
    case 'invalid-major-version':
      return sendReply(state, reply, invalidMajorVersion(header));
    case 'invalid-ike-spi':
      return sendReplyWithTokens(
        state,
        reply,
        'tokensFor' in verdict && state.unknownSpi.quickCrashDetection ? verdict.tokensFor : undefined,
        (tokens) => invalidIkeSpi(header, tokens),
      );
  }
}
