// Room `linux`: everything that calls into Linux. Nobody else makes a foreign call.

export { monotonicMs } from './libc/clock.ts';
export { ClosingPipe } from './libc/closing-pipe.ts';
export { closeDescriptor } from './libc/epoll.ts';
export { SystemCallError } from './libc/errno.ts';
export { lockExclusively } from './libc/exclusive-lock.ts';
export { TunNetwork, type TunnelRoutes } from './netlink/network-configuration.ts';
export { NetworkConfigurationError } from './netlink/routing-table.ts';
export { hasOpenSsl } from './openssl/libcrypto.ts';
export { openSslPacketCipher } from './openssl/packet-cipher.ts';
export type { KernelPlaneOptions, PacketThreadOptions, SaReport } from './packet-thread/control/messages.ts';
export { PacketThread, PacketThreadError, type PacketThreadListener } from './packet-thread/packet-thread.ts';
export { SaReports } from './packet-thread/sas/sa-reports.ts';
export { openPacketThreads } from './packet-threads/open.ts';
export { ReceivedMarksFile } from './received-marks/received-marks-file.ts';
export {
  readAllReceivedMarks,
  receivedMarksPathOf,
  removeReceivedMarksFrom,
} from './received-marks/received-marks-files.ts';
export {
  DatagramSocket,
  type DatagramTransport,
  type ReceivedDatagram,
  sourceAddressFor,
} from './sockets/datagram-socket.ts';
export type { IcmpError, QuotedDatagram } from './sockets/icmp-errors.ts';
export { LocalDatagrams } from './sockets/local-datagrams.ts';
export { type PeerCredentials, peerCredentials } from './sockets/peer-credentials.ts';
export { TunDevice } from './tun-device.ts';
export { TunPackets } from './tun-packets.ts';
export { type KernelEsp, kernelEsp } from './xfrm/kernel-esp.ts';
export { KernelNetwork } from './xfrm/kernel-network.ts';
export { leaveKernel } from './xfrm/leave-kernel.ts';
