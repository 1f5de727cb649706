// A machine for classic BPF, as far as our filters go, written after the description in the kernel's filter.rst.

export interface Circumstances {
  /** The octets from the IP header on, if the packet as the socket sees it begins behind that. */
  readonly network?: Uint8Array;
  /** What the kernel's random numbers are. */
  readonly random?: () => number;
}

/** What the program ends with: of a filter, how many octets of the packet it lets through; 0 for none. */
export function runFilter(
  program: Uint8Array,
  packet: Uint8Array,
  { network = packet, random = () => 0 }: Circumstances = {},
): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const fromNetwork = new DataView(network.buffer, network.byteOffset, network.byteLength);
  const word = (k: number): number => {
    if (k === 0xffff_f038) return random() >>> 0;
    return k >= 0xfff0_0000 ? fromNetwork.getUint32(k - 0xfff0_0000) : data.getUint32(k);
  };
  let accumulator = 0;
  let index = 0;
  for (let at = 0; 8 * at < program.length; at++) {
    const code = view.getUint16(8 * at, true);
    const ifTrue = view.getUint8(8 * at + 2);
    const ifFalse = view.getUint8(8 * at + 3);
    const k = view.getUint32(8 * at + 4, true);
    try {
      switch (code) {
        case 0x20:
          accumulator = word(k);
          break;
        case 0x07:
          index = accumulator;
          break;
        case 0xac:
          accumulator = (accumulator ^ index) >>> 0;
          break;
        case 0x80:
          accumulator = packet.length;
          break;
        case 0x35:
          at += accumulator >= k ? ifTrue : ifFalse;
          break;
        case 0x28:
          accumulator = data.getUint16(k);
          break;
        case 0x30:
          accumulator = data.getUint8(k);
          break;
        case 0x40:
          accumulator = data.getUint32(index + k);
          break;
        case 0x48:
          accumulator = data.getUint16(index + k);
          break;
        case 0xb1:
          index = 4 * (data.getUint8(k) & 0x0f);
          break;
        case 0x01:
          index = k;
          break;
        case 0x15:
          at += accumulator === k ? ifTrue : ifFalse;
          break;
        case 0x45:
          at += (accumulator & k) !== 0 ? ifTrue : ifFalse;
          break;
        case 0x05:
          at += k;
          break;
        case 0x94:
          accumulator %= k;
          break;
        case 0x06:
          return k;
        case 0x16:
          return accumulator;
        default:
          throw new Error(`no instruction ${code}`);
      }
    } catch (error) {
      // To read beyond the packet ends the program, and the packet is dropped.
      if (error instanceof RangeError) return 0;
      throw error;
    }
  }
  throw new Error('the program has no end');
}
