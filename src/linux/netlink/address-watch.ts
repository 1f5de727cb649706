// Whether this machine is where it was: the kernel tells when addresses or routes come and go.
import {
  NETLINK_ROUTE,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV6_ROUTE,
  RTNLGRP_LINK,
} from '../libc/constants.ts';
import { SystemCallError } from '../libc/errno.ts';
import { NetlinkSocket } from './netlink-socket.ts';

/** An address is of use once there is a route, too: both count. Those of a link that goes down go without a word. */
const groups = [
  RTNLGRP_LINK,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV6_ROUTE,
];

export class AddressWatch {
  readonly #socket = new NetlinkSocket(NETLINK_ROUTE, groups);

  /** Readable when something has changed. */
  get fd(): number {
    return this.#socket.fd;
  }

  /** Reads all there is. What has become of addresses and routes is to be asked for. */
  drain(): void {
    for (;;) {
      try {
        if (this.#socket.receive() === undefined) return;
      } catch (error) {
        // Some were lost for want of room. That there was a change is known all the same.
        if (!(error instanceof SystemCallError) || error.code !== 'ENOBUFS') throw error;
      }
    }
  }

  close(): void {
    this.#socket.close();
  }
}
