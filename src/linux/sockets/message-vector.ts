// An array of struct mmsghdr with peer addresses, control messages and iovecs, for recvmmsg and sendmmsg.
import { pinned } from '../libc/libc.ts';
import { memoryAddress } from '../memory/memory-address.ts';
import { socketAddressBytes } from './socket-address.ts';

/** Octets of struct mmsghdr: struct msghdr of 56, then how many octets the message has, and padding. */
const messageBytes = 64;
const vectorBytes = 16;
const nameStride = 32;
export const controlBytes = 128;
const two32 = 0x1_0000_0000;

/** Writes through 32-bit words: 64-bit writes of JavaScript go through BigInt, which allocates. */
export class MessageVector {
  readonly capacity: number;
  readonly names: Uint8Array;
  readonly controls: Uint8Array;
  readonly controlView: DataView;
  readonly address: number;
  readonly #messages: Uint32Array;
  readonly #vectors: Uint32Array;
  readonly #vectorsAddress: number;

  /** @param vectorsMax iovecs for all messages together */
  constructor(capacity: number, vectorsMax: number) {
    this.capacity = capacity;
    const messages = pinned(capacity * messageBytes);
    const vectors = pinned(vectorsMax * vectorBytes);
    this.names = pinned(capacity * nameStride);
    this.controls = pinned(capacity * controlBytes);
    this.controlView = new DataView(this.controls.buffer);
    this.address = memoryAddress(messages);
    this.#messages = new Uint32Array(messages.buffer);
    this.#vectors = new Uint32Array(vectors.buffer);
    this.#vectorsAddress = memoryAddress(vectors);
    for (let i = 0; i < capacity; i++) {
      const at = (i * messageBytes) / 4;
      this.#writePointer(at, memoryAddress(this.names) + i * nameStride);
      this.#writePointer(at + 8, memoryAddress(this.controls) + i * controlBytes);
    }
  }

  #writePointer(word: number, address: number): void {
    const high = Math.floor(address / two32);
    this.#messages[word] = address - high * two32;
    this.#messages[word + 1] = high;
  }

  /** Where struct mmsghdr `message` lies. */
  messageAddress(message: number): number {
    return this.address + message * messageBytes;
  }

  nameAt(message: number): number {
    return message * nameStride;
  }

  controlAt(message: number): number {
    return message * controlBytes;
  }

  /** Sets one of the pieces of memory that messages are made of. */
  setVector(vector: number, address: number, bytes: number): void {
    const word = (vector * vectorBytes) / 4;
    const high = Math.floor(address / two32);
    this.#vectors[word] = address - high * two32;
    this.#vectors[word + 1] = high;
    this.#vectors[word + 2] = bytes;
    this.#vectors[word + 3] = 0;
  }

  setVectors(message: number, first: number, count: number): void {
    const word = (message * messageBytes) / 4;
    this.#writePointer(word + 4, this.#vectorsAddress + first * vectorBytes);
    this.#messages[word + 6] = count;
    this.#messages[word + 7] = 0;
  }

  /** Before receiving: how much room there is. Before sending: how much there is to send. */
  setLengths(message: number, nameBytes: number, controlLength: number): void {
    const word = (message * messageBytes) / 4;
    this.#messages[word + 2] = nameBytes;
    this.#messages[word + 10] = controlLength;
    this.#messages[word + 11] = 0;
    this.#messages[word + 12] = 0;
  }

  controlLength(message: number): number {
    return Math.min(this.#messages[(message * messageBytes) / 4 + 10]!, controlBytes);
  }

  /** Octets received. */
  received(message: number): number {
    return this.#messages[(message * messageBytes) / 4 + 14]!;
  }

  prepareToReceive(message: number): void {
    this.setLengths(message, socketAddressBytes, controlBytes);
  }
}
