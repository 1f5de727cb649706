// What somebody with the right to do it tells all key managers that makes no sense: no netlink message, one that is too short, and
// one of a type that is not known. For tests within a namespace.
import { encodeNetlinkMessage, XfrmGroup, XfrmMessageType } from '#wire';
import { AF_NETLINK, NETLINK_XFRM } from '../../libc/constants.ts';
import { addressOf, must, pinned } from '../../libc/libc.ts';
import { NetlinkSocket } from '../../netlink/netlink-socket.ts';
import { MessageHeader } from '../../sockets/message-header.ts';

const socket = new NetlinkSocket(NETLINK_XFRM);
const message = new MessageHeader();
// struct sockaddr_nl: family, port, and a bit for each group.
const name = new DataView(message.name.buffer);
name.setUint16(0, AF_NETLINK, true);
name.setUint32(8, 1 << (XfrmGroup.SA - 1), true);

function ofType(type: number): Uint8Array {
  return encodeNetlinkMessage({ type, flags: 0, sequence: 0, portId: 0, payload: new Uint8Array(4) });
}

for (const octets of [Uint8Array.of(1, 2, 3), ofType(XfrmMessageType.NEWSA), ofType(0x7f)]) {
  const data = pinned(octets.length);
  data.set(octets);
  message.prepare(addressOf(data), data.length, 12, 0);
  must('sendmsg', 'to all key managers', socket.fd, message.header, 0);
}
socket.close();
