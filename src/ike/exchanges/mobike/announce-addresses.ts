// A gateway tells which addresses it has, also when the one in use is gone (RFC 4555 3.5, 3.6).
import type { IpAddress } from '#sa';
import { ExchangeType } from '#wire';
import { moveChildren } from '../../child-sas/child-installation.ts';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { sendRequest } from '../../messages/transmission.ts';
import { additionalAddressNotifies } from '../../payloads/additional-addresses.ts';
import { natProhibition } from './agreement.ts';
import { otherOwnAddresses } from './other-paths.ts';
import { sendAgainNow } from './send-again.ts';

export function beginAnnouncement(state: IkeSaState): void {
  sendRequest(state, ExchangeType.INFORMATIONAL, { kind: 'announce-addresses' }, [
    ...additionalAddressNotifies(otherOwnAddresses(state)),
    ...natProhibition(state, state),
  ]);
}

/** 3.5: from an address that is no more nothing can be sent, so that SAs take another one before the client says so. */
export function leaveAddress(state: IkeSaState, address: IpAddress): void {
  const { mobility, remote } = state;
  const from = { local: state.local, remote };
  const local = { address, port: state.local.port };
  state.local = local;
  sendAgainNow(state);
  // What is replaced, or ends, has nothing that could move.
  if (mobility === undefined || state.phase.name !== 'established') return;
  const { candidate, proven } = mobility;
  if (proven !== undefined) mobility.proven = { ...proven, local };
  if (candidate !== undefined) {
    mobility.candidate = { ...candidate, local };
    state.tasks.add({ kind: 'check-path' });
  }
  moveChildren(state);
  state.emit({ kind: 'moved', from, to: { local, remote } });
  state.tasks.add({ kind: 'announce-addresses' });
}
