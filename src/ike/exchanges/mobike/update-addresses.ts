// UPDATE_SA_ADDRESSES as the client, who decides between which addresses the SAs are (RFC 4555 3.5, 4.2.4).
import type { Endpoint } from '#sa';
import { ExchangeType, NotifyType, type Payload } from '#wire';
import { moveChildren } from '../../child-sas/child-installation.ts';
import { failure, holderOf, type IkeSaState } from '../../ike-sa-state.ts';
import { sendRequest } from '../../messages/transmission.ts';
import { type Mobility, type Path, samePath } from '../../mobility.ts';
import { cookie2, cookie2Bytes } from '../../payloads/cookie2.ts';
import { findNotify, notify } from '../../payloads/notify.ts';
import type { OutstandingRequest, UpdateAddressesExchange } from '../exchange.ts';
import { natNotifies, noteNatOfMove } from '../ike-sa-init/nat.ts';
import { natProhibition } from './agreement.ts';
import { sendAgainNow } from './send-again.ts';

/** RFC 4555 3.9: whoever changes single packets does not keep a path from being used. */
const natsFoundMax = 5;

/** From now on everything goes this way, and the gateway is told. */
export function moveTo(state: IkeSaState, path: Path): void {
  const { mobility, tunnelEnds: ends } = state;
  const from = { local: state.local, remote: state.remote };
  const to = { local: path.local, remote: path.remote };
  state.local = to.local;
  state.remote = to.remote;
  sendAgainNow(state);
  // What is replaced, or ends, has nothing that could move.
  if (mobility === undefined || state.phase.name !== 'established') return;
  mobility.moves++;
  mobility.natsFound = 0;
  mobility.candidate = undefined;
  // 3.7: another address of the gateway gets our traffic once it has answered from there.
  const proven = ends.remote.address === to.remote.address;
  mobility.proven = proven ? undefined : ends;
  if (proven) moveChildren(state);
  state.emit({ kind: 'moved', from, to });
  state.tasks.add({ kind: 'update-addresses' });
}

export function beginUpdate(state: IkeSaState): void {
  const { mobility } = state;
  if (mobility === undefined) return;
  const cookie = mobility.proven === undefined ? undefined : state.ports.randomness.bytes(cookie2Bytes);
  const exchange: UpdateAddressesExchange = {
    kind: 'update-addresses',
    moves: mobility.moves,
    ...(cookie !== undefined && { cookie }),
  };
  sendRequest(state, ExchangeType.INFORMATIONAL, exchange, [
    notify(NotifyType.UPDATE_SA_ADDRESSES),
    ...(state.nat.supported ? natNotifies(state) : natProhibition(state, state)),
    ...(cookie === undefined ? [] : [cookie2(cookie)]),
  ]);
}

/** The answer, with our COOKIE2 if we sent one. */
export function concludeUpdate(
  state: IkeSaState,
  request: OutstandingRequest,
  exchange: UpdateAddressesExchange,
  payloads: readonly Payload[],
  path: Path,
): void {
  const holder = holderOf(state);
  const { mobility } = holder;
  if (mobility === undefined) return;
  // We are elsewhere; or which copy reached the gateway first, and so where it believes us to be, is not known (3.6).
  if (exchange.moves !== mobility.moves || request.strays !== undefined) {
    if (!isUnderWay(holder, mobility.moves)) holder.tasks.add({ kind: 'update-addresses' });
    return;
  }
  if (findNotify(payloads, NotifyType.UNEXPECTED_NAT_DETECTED) !== undefined) {
    mobility.natsFound++;
    if (mobility.natsFound < natsFoundMax) holder.tasks.add({ kind: 'update-addresses' });
    else refused(holder, 'there is a NAT on the way, and the peer cannot do with one');
    return;
  }
  if (findNotify(payloads, NotifyType.UNACCEPTABLE_ADDRESSES) !== undefined) {
    refused(holder, 'the peer does not accept where we are');
    return;
  }
  mobility.natsFound = 0;
  const { encapsulated } = holder;
  const unproven = mobility.proven !== undefined;
  mobility.proven = undefined;
  noteNatOfMove(holder, state, payloads, path);
  mobility.seenAs = seenAs(payloads);
  if (unproven || holder.encapsulated !== encapsulated) moveChildren(holder);
  if (unproven) holder.emit({ kind: 'path-checked', remote: holder.remote, proven: true });
}

function isUnderWay({ requests }: IkeSaState, moves: number): boolean {
  return requests
    .all()
    .some(({ exchange }) => exchange.kind === 'update-addresses' && exchange.moves === moves);
}

/** RFC 4555 3.5 leaves it to us: the host makes another IKE SA from here. */
function refused(state: IkeSaState, detail: string): void {
  state.emit({ kind: 'move-refused', detail });
  state.tasks.add({ kind: 'delete-ike', failure: failure('peer-notify', detail) });
}

function seenAs(payloads: readonly Payload[]): Uint8Array | undefined {
  return findNotify(payloads, NotifyType.NAT_DETECTION_DESTINATION_IP)?.data.slice();
}

/** RFC 4555 3.8: the payloads of a liveness check that notices another mapping of a NAT in front of us. */
export function mappingQuestion(state: IkeSaState): Payload[] {
  return state.mobility !== undefined && state.client && state.nat.local ? natNotifies(state) : [];
}

/** RFC 4555 3.8: the gateway sees us elsewhere than when it was told last. */
export function noteMappingAnswer(state: IkeSaState, payloads: readonly Payload[]): void {
  const { mobility, client, nat } = state;
  const seen = seenAs(payloads);
  if (mobility === undefined || !client || !nat.local || seen === undefined) return;
  if (mobility.seenAs !== undefined && sameHash(mobility.seenAs, seen)) return;
  state.tasks.add({ kind: 'update-addresses' });
}

/** Both came from the gateway, and neither is a secret. */
function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

/**
 * A request that was tried over several paths is answered: the one that works is taken, and the gateway told so (3.5, 3.10). Whoever
 * hears the answer may send it again from elsewhere.
 */
export function followAnswer(state: IkeSaState, request: OutstandingRequest, path: Path): void {
  if (state.mobility === undefined || !state.client || state.successor !== undefined) return;
  if (samePath(path, state) || !request.strays?.some((stray) => samePath(stray, path))) return;
  moveTo(state, path);
}

/** The gateway told all its addresses, from one of them: if the one in use is gone, it is to be found there (3.5, 3.6). */
export function followGateway(state: IkeSaState, mobility: Mobility, path: Path): void {
  const known: ReadonlySet<string> = new Set([path.remote.address, ...mobility.peerAddresses]);
  if (known.has(state.remote.address)) return;
  const local: Endpoint = { address: path.local.address, port: state.local.port };
  moveTo(state, { local, remote: path.remote });
}
