// What IKE's sockets need where the kernel does IPsec: ESP in UDP is the kernel's, and no policy covers IKE itself.
import { encodeXfrmPolicy, XfrmAction, XfrmDirection, XfrmFamily, type XfrmPolicy } from '#wire';
import {
  IP_XFRM_POLICY,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_XFRM_POLICY,
  SOL_UDP,
  UDP_ENCAP,
  UDP_ENCAP_ESPINUDP,
} from '../libc/constants.ts';
import { must, pinned } from '../libc/libc.ts';
import type { DatagramSocket } from '../sockets/datagram-socket.ts';
import { unlimitedLifetime, unusedYet } from './states/kernel-state.ts';

/** Lets the kernel take ESP out of a socket's datagrams; IKE behind its marker stays. @throws SystemCallError */
export function takeEspFrom({ fd }: DatagramSocket): void {
  const type = pinned(4);
  new DataView(type.buffer).setInt32(0, UDP_ENCAP_ESPINUDP, true);
  must('setsockopt', 'UDP_ENCAP', fd, SOL_UDP, UDP_ENCAP, type, type.length);
}

/** Key management passes, whatever the policies say (RFC 4301 4.4.1). @throws SystemCallError */
export function bypassPolicies({ fd, family }: DatagramSocket): void {
  for (const direction of [XfrmDirection.IN, XfrmDirection.OUT]) {
    const octets = encodeXfrmPolicy(bypass(family, direction));
    const value = pinned(octets.length);
    value.set(octets);
    const [level, name] =
      family === 6 ? ([IPPROTO_IPV6, IPV6_XFRM_POLICY] as const) : ([IPPROTO_IP, IP_XFRM_POLICY] as const);
    must('setsockopt', 'XFRM_POLICY', fd, level, name, value, value.length);
  }
}

function bypass(family: 4 | 6, direction: number): XfrmPolicy {
  const none = new Uint8Array(family === 6 ? 16 : 4);
  return {
    selector: {
      family: family === 6 ? XfrmFamily.IPV6 : XfrmFamily.IPV4,
      ...{ source: none, destination: none, sourcePrefixLength: 0, destinationPrefixLength: 0 },
      ...{ sourcePort: 0, sourcePortMask: 0, destinationPort: 0, destinationPortMask: 0 },
      ...{ protocol: 0, interfaceIndex: 0, user: 0 },
    },
    limits: unlimitedLifetime,
    used: unusedYet,
    priority: 0,
    index: 0,
    direction,
    action: XfrmAction.ALLOW,
    flags: 0,
    share: 0,
  };
}
