// The configuration is another one: registrars tell what they offer now, requesters what they want (RFC 8003 3.1, 5).

import { type HipParameter, type RegInfoParameter, RegistrationType } from '#wire';
import type { HipAssociation, Standing } from '../association.ts';
import type { HipConfiguration } from '../configuration.ts';
import { peersOf } from '../configured-peers.ts';
import type { HipHostState } from '../host-state.ts';
import { sendUpdate } from '../update/send-update.ts';
import { endGranted, registrarOffer } from './registrar.ts';
import { askNow, cancelNow } from './requester.ts';

export function reloadRegistrations(state: HipHostState, before: HipConfiguration): void {
  const { registrar } = state.configuration;
  const changed = JSON.stringify(registrar) !== JSON.stringify(before.registrar);
  for (const association of state.associations.all()) {
    const { standing, remote } = association;
    if (standing === undefined) continue;
    const wanted = peersOf(state.configuration).registrars.has(remote);
    if (!wanted) cancelNow(state, association, standing);
    else if (standing.registration === undefined) askNow(state, association, standing);
    if (!changed) continue;
    const mayStay = registrar !== undefined && registrar.clients?.includes(remote) !== false;
    const revoked = standing.granted !== undefined && !mayStay;
    if (revoked) endGranted(state, association, standing, 'withdrawn');
    tellOffer(state, association, standing, revoked ? 'revoked' : 'offer');
  }
}

/** RFC 8003 3.1: by UPDATE, as soon as none is under way. */
export function tellOffer(
  state: HipHostState,
  association: HipAssociation,
  standing: Standing,
  what: 'offer' | 'revoked',
): void {
  if (standing.untold !== 'revoked') standing.untold = what;
  if (standing.updates.outstanding !== undefined) standing.updates.wanted.add('offer');
  else sendOffer(state, association, standing);
}

export function sendOffer(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const { untold } = standing;
  standing.untold = 'nothing';
  const nothing: RegInfoParameter = {
    type: 'REG_INFO',
    minimumLifetime: 0,
    maximumLifetime: 0,
    registrationTypes: [],
  };
  const parameters: HipParameter[] = [registrarOffer(state, association.remote) ?? nothing];
  if (untold === 'revoked')
    parameters.push({ type: 'REG_RESPONSE', lifetime: 0, registrationTypes: [RegistrationType.RENDEZVOUS] });
  sendUpdate(state, association, standing, { purpose: 'offer', parameters });
}

/** Each of them costs a signature. */
const toldAtOnceMax = 16;

/** RFC 8003 3.1: there is room again, which those hear who came when there was none. */
export function tellRoom(state: HipHostState): void {
  const { registrar, configuration } = state;
  if (!registrar.roomMade) return;
  registrar.roomMade = false;
  const free = (configuration.registrar?.registrationsMax ?? 0) - registrar.clients.size;
  if (free <= 0) return;
  let told = 0;
  for (const association of registrar.waiting) {
    if (told === toldAtOnceMax) {
      // The others when something happens next.
      registrar.roomMade = true;
      return;
    }
    registrar.waiting.delete(association);
    const { standing } = association;
    if (standing?.untold !== 'room') continue;
    tellOffer(state, association, standing, 'offer');
    state.alsoChanged.add(association);
    told++;
  }
}
