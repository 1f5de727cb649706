// struct msghdr of one message, for sendmsg and recvmsg.
import { addressOf, pinned } from '../libc/libc.ts';
import { socketAddressBytes } from './socket-address.ts';

const controlBytes = 256;

/** struct msghdr with one iovec, a peer address and room for control messages. */
export class MessageHeader {
  readonly header: Uint8Array = pinned(56);
  readonly name: Uint8Array = pinned(socketAddressBytes);
  readonly control: Uint8Array = pinned(controlBytes);
  readonly controlView: DataView = new DataView(this.control.buffer);
  readonly #vector: Uint8Array = pinned(16);
  readonly #view = new DataView(this.header.buffer);
  readonly #vectorView = new DataView(this.#vector.buffer);

  constructor() {
    this.#view.setBigUint64(0, addressOf(this.name), true);
    this.#view.setBigUint64(16, addressOf(this.#vector), true);
    this.#view.setBigUint64(24, 1n, true);
    this.#view.setBigUint64(32, addressOf(this.control), true);
  }

  prepare(dataAddress: bigint, dataBytes: number, nameBytes: number, controlLength: number): void {
    this.#vectorView.setBigUint64(0, dataAddress, true);
    this.#vectorView.setBigUint64(8, BigInt(dataBytes), true);
    this.#view.setUint32(8, nameBytes, true);
    this.#view.setBigUint64(40, BigInt(controlLength), true);
    this.#view.setInt32(48, 0, true);
  }

  get controlLength(): number {
    return Number(this.#view.getBigUint64(40, true));
  }
}
