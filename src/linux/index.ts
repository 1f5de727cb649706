// Room `linux`: everything that calls into Linux. Nobody else makes a foreign call.
export {
  DatagramSocket,
  type DatagramTransport,
  type ReceivedDatagram,
  sourceAddressFor,
} from './datagram-socket.ts';
export { Epoll, Wakeup } from './epoll.ts';
export { SystemCallError } from './errno.ts';
export { TunDevice } from './tun-device.ts';
