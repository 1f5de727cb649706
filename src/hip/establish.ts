// A base exchange is complete: what it made takes the place of all there was with this peer (RFC 7401 6.9, 6.10).
import type { HostIdentity } from '#crypto';
import type { Spi } from '#sa';
import type { AssociationKeys, HipAssociation, Standing } from './association.ts';
import { AssociationRate } from './association-rate.ts';
import { installFirstPair } from './esp-pair.ts';
import { type HipHostState, wipeKeys } from './host-state.ts';
import type { HipEnd, HipPath } from './interface.ts';
import { announcedAddresses, refreshAt } from './locators/own-locators.ts';
import { PeerLocators, type ToldLocator } from './locators/peer-locators.ts';
import { endGranted } from './registration/registrar.ts';
import { loseRegistration } from './registration/requester.ts';
import { Updates } from './update/updates.ts';

export interface Completed {
  readonly keys: AssociationKeys;
  readonly peer: HostIdentity;
  readonly path: HipPath;
  readonly espSuite: number;
  readonly inboundSpi: Spi;
  readonly outboundSpi: Spi;
  readonly keymatIndex: number;
  /** As Responder: our answer to the I2. */
  readonly r2: Standing['r2'];
  /** As Initiator, if it is known. */
  readonly rttMs?: number | undefined;
  readonly registrarOffer?: Standing['registrarOffer'];
  /** Where else the peer can be reached. */
  readonly locators?: readonly ToldLocator[] | undefined;
}

export function establish(state: HipHostState, association: HipAssociation, completed: Completed): void {
  const { keys, peer, path, espSuite, inboundSpi, outboundSpi, keymatIndex, r2 } = completed;
  const { configuration, at } = state;
  const replaced = association.standing !== undefined;
  const childId = state.ports.allocateChildId();
  state.change(association, r2 === undefined ? 'R2 completes the exchange' : 'I2 was accepted', () => {
    forget(state, association);
    state.associations.move(association, path);
    const pair = installFirstPair(state, association, keys, {
      espSuite,
      inboundSpi,
      outboundSpi,
      keymatIndex,
      childId,
      generation: 0,
    });
    state.byChild.set(childId, association);
    association.standing = {
      state: r2 === undefined ? 'ESTABLISHED' : 'R2-SENT',
      keys,
      peer,
      childId,
      pair,
      espSuite,
      former: undefined,
      updates: new Updates(),
      r2,
      rekeyAt: configuration.rekeyMs === 0 ? undefined : at + configuration.rekeyMs,
      lastInboundAt: at,
      lastOutboundAt: at,
      keptAliveAt: at,
      keepalive: undefined,
      rttMs: completed.rttMs,
      silent: false,
      locators: locatorsOf(path, completed.locators, at),
      askRate: new AssociationRate(),
      repetitionRate: new AssociationRate(),
      limited: false,
      provenPath: path,
      suspect: false,
      unansweredSince: undefined,
      told: announcedAddresses(state).join(' '),
      announceAt: announcedAddresses(state).length > 1 ? refreshAt(state) : undefined,
      registrarOffer: completed.registrarOffer,
      granted: undefined,
      untold: 'nothing',
      registration: undefined,
    };
  });
  state.emit({
    kind: 'established',
    context: association.context,
    role: keys.role,
    childId,
    inboundSpi,
    outboundSpi,
    suite: association.standing!.pair.suite,
    replaced,
  });
}

/** What the peer has said beside the address which it has proven by the exchange (RFC 8046 5.1). */
function locatorsOf({ remote }: HipPath, told: Completed['locators'], at: number): PeerLocators {
  const locators = new PeerLocators(remote.address);
  if (told !== undefined && told.length > 0) locators.take(told, remote.address, at);
  return locators;
}

/** Takes away all there is with a peer, without a word to it. The caller tells the state that follows. */
export function forget(state: HipHostState, association: HipAssociation): void {
  state.dropAttempt(association);
  endStanding(state, association, {
    cause: 'replaced',
    reason: 'replaced by a new association',
    keepKeys: false,
  });
  if (association.leaving !== undefined) wipeKeys(association.leaving.keys);
  association.leaving = undefined;
  association.failedUntil = undefined;
}

/** RFC 7402 6.7: with an association its SAs go. Its keys are the caller's if they are still needed. */
export function endStanding(
  state: HipHostState,
  association: HipAssociation,
  end: { readonly cause: HipEnd; readonly reason: string; readonly keepKeys: boolean },
): void {
  const { standing } = association;
  if (standing === undefined) return;
  endGranted(state, association, standing, 'association');
  state.registrar.waiting.delete(association);
  loseRegistration(state, association, standing);
  state.removeSas(standing);
  standing.updates.dropRekeying(state, standing);
  association.standing = undefined;
  state.byChild.delete(standing.childId);
  if (!end.keepKeys) wipeKeys(standing.keys);
  state.emit({
    kind: 'ended',
    context: association.context,
    childId: standing.childId,
    inboundSpi: standing.pair.inboundSpi,
    outboundSpi: standing.pair.outboundSpi,
    cause: end.cause,
    reason: end.reason,
  });
}
