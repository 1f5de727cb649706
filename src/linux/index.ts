// Room `linux`: everything that calls into Linux. Nobody else makes a foreign call.

export { monotonicMs } from './clock.ts';
export { ClosingPipe } from './closing-pipe.ts';
export {
  DatagramSocket,
  type DatagramTransport,
  type ReceivedDatagram,
  sourceAddressFor,
} from './datagram-socket.ts';
export { closeDescriptor } from './epoll.ts';
export { SystemCallError } from './errno.ts';
export { lockExclusively } from './exclusive-lock.ts';
export type { IcmpError, QuotedDatagram } from './icmp-errors.ts';
export { LocalDatagrams } from './local-datagrams.ts';
export { TunNetwork, type TunnelRoutes } from './network-configuration.ts';
export { hasOpenSsl } from './openssl/libcrypto.ts';
export { openSslPacketCipher } from './openssl/packet-cipher.ts';
export type { KernelPlaneOptions, PacketThreadOptions, SaReport } from './packet-thread/messages.ts';
export { PacketThread, PacketThreadError, type PacketThreadListener } from './packet-thread/packet-thread.ts';
export { SaReports } from './packet-thread/sa-reports.ts';
export { openPacketThreads } from './packet-threads/open.ts';
export { type PeerCredentials, peerCredentials } from './peer-credentials.ts';
export { ReceivedMarksFile } from './received-marks-file.ts';
export {
  readAllReceivedMarks,
  receivedMarksPathOf,
  removeReceivedMarksFrom,
} from './received-marks-files.ts';
export { NetworkConfigurationError } from './routing-table.ts';
export { TunDevice } from './tun-device.ts';
export { type KernelEsp, kernelEsp } from './xfrm/kernel-esp.ts';
export { KernelNetwork } from './xfrm/kernel-network.ts';
export { leaveKernel } from './xfrm/leave-kernel.ts';
