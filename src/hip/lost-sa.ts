// An association whose SAs the data plane does not have carries nothing, and its peer goes on sending: it is closed. Neither
// RFC 7401 nor RFC 7402 has a word about it.
import type { SaResult, Spi } from '#sa';
import type { HipAssociation, Standing } from './association.ts';
import { beginClose } from './close/close.ts';
import type { HipHostState } from './host-state.ts';
import type { NeededCommand } from './needed-command.ts';

export function commandRefused(
  state: HipHostState,
  association: HipAssociation,
  { spi }: NeededCommand,
  { code, detail }: Extract<SaResult, { ok: false }>,
): void {
  if (spi === undefined || needs(association.standing, spi))
    giveUp(state, association, `data-plane: ${code}: ${detail}`);
}

/** The SA is gone, whoever has removed it. */
export function saGone(state: HipHostState, association: HipAssociation, spi: Spi): void {
  if (needs(association.standing, spi)) giveUp(state, association, 'the data plane has lost its SA');
}

/** The pair in use, and that which the peer may use already. */
function needs(standing: Standing | undefined, spi: Spi): boolean {
  return [standing?.pair, standing?.updates.rekeying?.prepared?.pair].some(
    (pair) => pair?.inboundSpi === spi || pair?.outboundSpi === spi,
  );
}

function giveUp(state: HipHostState, association: HipAssociation, reason: string): void {
  beginClose(state, association, 'data-plane', reason);
  // What is refused once is refused again: neither the next packet to this HIT nor the peer must begin it all anew at once.
  association.refusedUntil = state.at + state.configuration.failedMs;
  association.failedUntil = association.refusedUntil;
}
