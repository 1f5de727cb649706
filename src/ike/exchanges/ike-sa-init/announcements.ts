// What both sides tell of their abilities in the first exchange of an IKE SA.
import { NotifyType, type Payload } from '#wire';
import {
  decodeSignatureHashes,
  encodeSignatureHashes,
  ourSignatureHashes,
} from '../../authentication/signature-hashes.ts';
import type { IkeSaState } from '../../ike-sa-state.ts';
import { findNotify, notify } from '../../payloads/notify.ts';

/** Read by whoever gets it, and written by nobody. */
const signatureHashes = notify(
  NotifyType.SIGNATURE_HASH_ALGORITHMS,
  encodeSignatureHashes(ourSignatureHashes),
);

/** What we can do, told by either side. */
export function announcements(state: IkeSaState): Payload[] {
  const { fragmentation } = state.connection;
  return [
    ...(fragmentation === 'no' ? [] : [notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED)]),
    // Nobody signs anything when an IKE SA is resumed (RFC 5723 4.3.3).
    ...(state.resumption === undefined ? [signatureHashes] : []),
  ];
}

/** Of that, what is of any use to who asked: it said the same (RFC 7383 2.3, RFC 7427 4). */
export function answeredAnnouncements(state: IkeSaState): Payload[] {
  const { fragmentation, signatureHashes: hashes } = state.peer;
  return announcements(state).filter((payload) =>
    payload === signatureHashes ? hashes !== undefined : fragmentation,
  );
}

/** What the peer can do, read from its message. */
export function noteAnnouncements(state: IkeSaState, payloads: readonly Payload[]): void {
  state.peer.fragmentation = findNotify(payloads, NotifyType.IKEV2_FRAGMENTATION_SUPPORTED) !== undefined;
  state.peer.childless = findNotify(payloads, NotifyType.CHILDLESS_IKEV2_SUPPORTED) !== undefined;
  const hashes = findNotify(payloads, NotifyType.SIGNATURE_HASH_ALGORITHMS);
  state.peer.signatureHashes = hashes === undefined ? undefined : decodeSignatureHashes(hashes.data);
}
