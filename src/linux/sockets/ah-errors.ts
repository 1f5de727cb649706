// ICMPv6 errors about AH: the kernel looks behind AH for whose packet it was and tells no socket, so they are read as they come.
import type { TooBig } from '#ipsec';
import { addressFromBytes } from '#sa';
import { IpProtocol, readU32 } from '#wire';
import { encodeFilter, jumpIfEqual, loadOctet } from '../filters/classic-bpf.ts';
import { drop, pass } from '../filters/spi-steering.ts';
import { ICMP6_FILTER, IPPROTO_ICMPV6 } from '../libc/constants.ts';
import { attempt, pinned } from '../libc/libc.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import { passedOverMax } from './failed-receive.ts';
import type { IcmpError } from './icmp-errors.ts';

/** RFC 4443 3: four octets of type, code and checksum, four of their own, then the packet. */
const quoteAt = 8;
const quotedNextHeaderAt = quoteAt + 6;
const quotedSourceAt = quoteAt + 8;
const quotedDestinationAt = quoteAt + 24;
const ahAt = quoteAt + 40;
const types = { unreachable: 1, tooBig: 2, parameterProblem: 4 } as const;

/** Whatever else comes as ICMPv6, and there is much, never leaves the kernel. */
const onlyAboutAh = encodeFilter([
  { code: loadOctet, k: quotedNextHeaderAt },
  { code: jumpIfEqual, ifTrue: 1, ifFalse: 0, k: IpProtocol.AH },
  drop,
  pass,
]);

export class AhErrors {
  readonly #socket: DatagramSocket;

  /** @param socket for ICMPv6 as such */
  constructor(socket: DatagramSocket) {
    this.#socket = socket;
    const blocked = pinned(32).fill(0xff);
    const view = new DataView(blocked.buffer);
    for (const type of Object.values(types)) view.setUint32(0, view.getUint32(0, true) & ~(1 << type), true);
    attempt('setsockopt', socket.fd, IPPROTO_ICMPV6, ICMP6_FILTER, blocked, blocked.length);
    socket.filter(onlyAboutAh);
  }

  /** The next error; `undefined`: there is none. Those about others' packets are passed over, so many at a time. */
  receive(): IcmpError | TooBig | undefined {
    for (let passedOver = 0; passedOver < passedOverMax; passedOver++) {
      const message = this.#socket.receive();
      if (message === undefined) return undefined;
      const { octets, local, remote } = message;
      if (octets.length < ahAt + 12 || octets[quotedNextHeaderAt] !== IpProtocol.AH) continue;
      const source = addressFromBytes(octets.slice(quotedSourceAt, quotedDestinationAt));
      if (source !== local.address) continue;
      const destination = addressFromBytes(octets.slice(quotedDestinationAt, ahAt));
      const from = remote.address;
      const numbers = { spi: readU32(octets, ahAt + 4), sequence: readU32(octets, ahAt + 8) };
      if (octets[0] !== types.tooBig) return { from, quote: { source, destination, ...numbers } };
      return { from, remote: destination, protocol: 'ah', ...numbers, mtuBytes: readU32(octets, 4) };
    }
    return undefined;
  }
}
