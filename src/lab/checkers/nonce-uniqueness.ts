// No key is used twice with one nonce: sequence numbers of ESP only rise, and no IV of ESP or IKE comes back.
import { isCombinedMode } from '#sa';
import { readU32 } from '#wire';
import { plainIkeHeader } from '../describe-datagram.ts';
import type { LabEvent, Observer } from '../events.ts';
import type { Datagram } from '../network/datagram.ts';
import { InvariantViolation } from './invariant-violation.ts';
import { isProtected, ivOffset, latin1 } from './message-ids.ts';

const name = 'nonce-uniqueness';
const espHeaderBytes = 8;

interface SendingSa {
  readonly counterIv: boolean;
  lastSequence: number;
  lastIv: bigint;
}

export class NonceUniqueness implements Observer {
  readonly #sending = new Map<string, SendingSa>();
  /** The same, by key: whoever starts again with the keys of before goes on where it may have been. */
  readonly #byKey = new Map<string, SendingSa>();
  /** IKE: sender, SPIs and IV -> the message. */
  readonly #messages = new Map<string, string>();
  readonly #incarnations = new Map<string, number>();

  observe(event: LabEvent): void {
    switch (event.kind) {
      case 'up':
        this.#incarnations.set(event.host, event.incarnation);
        return;
      case 'sa-command': {
        const { command } = event;
        if (command.kind !== 'install' || command.sa.direction !== 'outbound') return;
        const { encryption, integrity } = command.sa;
        const key = `${encryption?.key.join() ?? ''}|${integrity?.key.join() ?? ''}`;
        const sending = this.#byKey.get(key) ?? {
          counterIv: encryption !== undefined && isCombinedMode(encryption.id),
          lastSequence: 0,
          lastIv: -1n,
        };
        this.#byKey.set(key, sending);
        this.#sending.set(this.#key(event.host, command.sa.spi), sending);
        return;
      }
      case 'sent':
        this.#send(event.at, event.host, event.datagram);
        return;
      default:
        return;
    }
  }

  #key(host: string, spi: number): string {
    return `${host} ${this.#incarnations.get(host)} ${spi}`;
  }

  #send(at: number, host: string, datagram: Datagram): void {
    const header = plainIkeHeader(datagram);
    if (header !== undefined) {
      if (!isProtected(header)) return;
      const ivAt = ivOffset(header);
      const iv = latin1(header.octets.subarray(ivAt, ivAt + 8));
      // The end that made the IKE SA and the other one have keys of their own.
      const key = `${header.initiatorSpi} ${header.responderSpi} ${header.initiator} ${iv}`;
      const text = latin1(header.octets);
      const known = this.#messages.get(key);
      if (known !== undefined && known !== text) {
        const detail = `${host} used one IV for two messages of IKE SA ${header.initiatorSpi}`;
        throw new InvariantViolation(name, at, detail);
      }
      this.#messages.set(key, text);
      return;
    }
    const { octets, protocol } = datagram;
    if (protocol === 'hip' || protocol === 'icmp') return;
    if (protocol === 'udp' && (octets.length < espHeaderBytes || readU32(octets, 0) === 0)) return;
    this.#sendEsp(at, host, octets);
  }

  #sendEsp(at: number, host: string, octets: Uint8Array): void {
    const spi = readU32(octets, 0);
    const sequence = readU32(octets, 4);
    const sa = this.#sending.get(this.#key(host, spi));
    if (sa === undefined) {
      throw new InvariantViolation(name, at, `${host} sent ESP with SPI ${spi}, for which it has no SA`);
    }
    if (sequence <= sa.lastSequence) {
      const detail = `${host} sent number ${sequence} after ${sa.lastSequence} with SPI ${spi}`;
      throw new InvariantViolation(name, at, detail);
    }
    sa.lastSequence = sequence;
    if (!sa.counterIv) return;
    const iv = (BigInt(readU32(octets, 8)) << 32n) | BigInt(readU32(octets, 12));
    if (iv <= sa.lastIv) {
      throw new InvariantViolation(name, at, `${host} repeated the IV ${iv} with SPI ${spi}`);
    }
    sa.lastIv = iv;
  }
}
