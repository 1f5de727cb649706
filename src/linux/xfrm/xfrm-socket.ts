// A netlink socket of the kernel's IPsec, in typed messages.
import {
  decodeXfrmMessage,
  encodeXfrmMessage,
  WireError,
  XfrmGroup,
  type XfrmMessage,
  XfrmMessageType,
} from '#wire';
import { encodeFilter, jumpIfEqual, loadHalf } from '../filters/classic-bpf.ts';
import { attachFilter } from '../filters/socket-filter.ts';
import { drop, pass } from '../filters/spi-steering.ts';
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

/** A type as a filter loads it: in network order what is in the host's. */
const typeInFilter = (type: number): number => ((type & 0xff) << 8) | (type >>> 8);
const typeAt = 4;
const onlyRemovals = encodeFilter([
  { code: loadHalf, k: typeAt },
  { code: jumpIfEqual, ifTrue: 2, ifFalse: 0, k: typeInFilter(XfrmMessageType.DELPOLICY) },
  { code: jumpIfEqual, ifTrue: 1, ifFalse: 0, k: typeInFilter(XfrmMessageType.FLUSHPOLICY) },
  drop,
  pass,
]);

/** Hears of policies that go, and of nothing else. @throws SystemCallError */
export function policyRemovals(): XfrmSocket {
  const socket = new XfrmSocket([XfrmGroup.POLICY]);
  try {
    attachFilter(socket.fd, onlyRemovals);
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

export class XfrmSocket {
  readonly #socket: NetlinkSocket;
  /** Messages received that make no sense to us: of a newer kernel, or of anybody who may speak to key managers. */
  unreadable = 0;

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
      // Of others' SAs and policies the kernel may tell what we cannot read.
      return this.#socket
        .request(`xfrm ${message.kind}`, encoded)
        .flatMap((answer) => this.#readable<XfrmMessage[]>(() => [decodeXfrmMessage(answer)], []));
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
   * What the kernel said last, as far as it can be read, or undefined when nothing waits. Octets are views that the next call wipes.
   * @throws SystemCallError ENOBUFS when messages were lost
   */
  receive(): XfrmMessage[] | undefined {
    const messages = this.#readable(() => this.#socket.receive(), []);
    return messages?.flatMap((message) =>
      this.#readable<XfrmMessage[]>(() => [decodeXfrmMessage(message)], []),
    );
  }

  #readable<Read>(read: () => Read, otherwise: Read): Read {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.unreadable++;
      return otherwise;
    }
  }

  close(): void {
    this.#socket.close();
  }
}
