// A netlink socket of the kernel's IPsec, in typed messages.
import { decodeXfrmMessage, encodeXfrmMessage, XfrmGroup, type XfrmMessage } from '#wire';
import { NETLINK_XFRM } from '../libc/constants.ts';
import { SystemCallError } from '../libc/errno.ts';
import { NetlinkSocket } from '../netlink/netlink-socket.ts';

/** Of one kind, as `Extract` is not when several kinds share a shape. */
export type XfrmMessageOf<Kind, Each = XfrmMessage> = Each extends { readonly kind: infer Kinds }
  ? Kind extends Kinds
    ? Each
    : never
  : never;

/** What of the kernel's own accord concerns a key manager. */
export const keyManagerGroups: readonly number[] = [
  XfrmGroup.ACQUIRE,
  XfrmGroup.EXPIRE,
  XfrmGroup.SA,
  XfrmGroup.MAPPING,
];

export class XfrmSocket {
  readonly #socket: NetlinkSocket;

  /** @throws SystemCallError EPROTONOSUPPORT without XFRM in this kernel, EPERM without CAP_NET_ADMIN */
  constructor(groups: readonly number[] = []) {
    this.#socket = new NetlinkSocket(NETLINK_XFRM, groups);
  }

  /** Readable when something waits for `receive`. */
  get fd(): number {
    return this.#socket.fd;
  }

  /**
   * Carries out one request. What is asked and what is answered may hold keys: the request's octets are wiped, and the
   * answers are the caller's to wipe.
   * @throws SystemCallError with the kernel's errno
   */
  request(message: XfrmMessage): XfrmMessage[] {
    const encoded = encodeXfrmMessage(message);
    try {
      return this.#socket.request(`xfrm ${message.kind}`, encoded).map(decodeXfrmMessage);
    } finally {
      encoded.payload.fill(0);
    }
  }

  /** Like `request`, and undefined for an SA or a policy that is not there. */
  requestIfThere(message: XfrmMessage): XfrmMessage[] | undefined {
    try {
      return this.request(message);
    } catch (error) {
      // ESRCH of SAs, ENOENT of policies.
      if (error instanceof SystemCallError && (error.code === 'ESRCH' || error.code === 'ENOENT'))
        return undefined;
      throw error;
    }
  }

  /**
   * What the kernel said last, or undefined when nothing waits. Octets are views that the next call wipes.
   * @throws SystemCallError ENOBUFS when messages were lost
   */
  receive(): XfrmMessage[] | undefined {
    return this.#socket.receive()?.map(decodeXfrmMessage);
  }

  close(): void {
    this.#socket.close();
  }
}
