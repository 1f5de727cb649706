// Unauthenticated replies on their way through the budget.
import type { Endpoint } from '#sa';
import { ipOverheadBytes, tokensPerMessageMax, type UnknownSpiPolicy } from '#unknown-spi';
import type { IkeSpi } from '#wire';
import type { EngineState } from '../engine-state.ts';
import type { ReplyOutcome } from '../interface.ts';

const markerBytes = 4;

/** An unauthenticated UDP datagram came: its octets are its source's credit. */
export function creditDatagram(state: EngineState, source: Endpoint, payloadBytes: number): void {
  state.recovery.budget.received(source.address, payloadBytes + ipOverheadBytes(source.address, true));
}

interface Reply {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Absent: the byte rule alone limits it. */
  readonly policy?: UnknownSpiPolicy;
  /** The history names the peer. */
  readonly known?: boolean;
}

/** Sends an IKE message if the budget pays for it. */
export function sendReply(state: EngineState, reply: Reply, octets: Uint8Array): ReplyOutcome {
  const { local, remote, policy, known } = reply;
  const { recovery } = state;
  const marker = local.port === state.configuration.ports.natTraversal ? markerBytes : 0;
  const refusal = recovery.budget.spend(
    {
      destination: remote.address,
      ipBytes: octets.length + marker + ipOverheadBytes(remote.address, true),
      ...(policy === undefined ? {} : { policy }),
      known: known === true || state.connections.writesOut(remote.address),
      rebootAware: recovery.rebootAware(state.at, state.unknownSpi),
    },
    state.at,
  );
  if (refusal !== undefined) return refusal;
  state.transmit(local, remote, octets);
  return 'sent';
}

/** With as many tokens as the credit of the destination allows, newest secret first, down to none. */
export function sendReplyWithTokens(
  state: EngineState,
  reply: Reply,
  spis: { readonly initiatorSpi: IkeSpi; readonly responderSpi: IkeSpi } | undefined,
  encode: (tokens: readonly Uint8Array[]) => Uint8Array,
): ReplyOutcome {
  if (spis === undefined || !state.recovery.secretsDurable) return sendReply(state, reply, encode([]));
  const tokens = state.recovery.secrets.tokensFor(spis, tokensPerMessageMax);
  let outcome: ReplyOutcome;
  do {
    outcome = sendReply(state, reply, encode(tokens));
  } while (outcome === 'prefix-credit' && tokens.pop() !== undefined);
  return outcome;
}
