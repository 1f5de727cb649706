// The keys of a capture by SPI, each made into a working cipher when it is first needed.
import { CryptoError, type PacketCipher, packetCipher } from '#crypto';
import type { IpAddress } from '#sa';
import type { EspKeyEntry, IkeKeyEntry, KeyFile } from './key-file.ts';

/** The two directions of an IKE SA. */
export interface IkeCiphers {
  readonly initiator: PacketCipher;
  readonly responder: PacketCipher;
}

export class KeyRing {
  readonly #ike = new Map<string, IkeKeyEntry>();
  readonly #esp = new Map<number, EspKeyEntry[]>();
  readonly #ikeCiphers = new Map<string, IkeCiphers | undefined>();
  readonly #espCiphers = new Map<EspKeyEntry, PacketCipher | undefined>();

  constructor(file: Pick<KeyFile, 'ike' | 'esp'> = { ike: [], esp: [] }) {
    for (const entry of file.ike) this.#ike.set(`${entry.initiatorSpi} ${entry.responderSpi}`, entry);
    for (const entry of file.esp) this.#esp.set(entry.spi, [...(this.#esp.get(entry.spi) ?? []), entry]);
  }

  get isEmpty(): boolean {
    return this.#ike.size === 0 && this.#esp.size === 0;
  }

  ike(initiatorSpi: string, responderSpi: string): IkeCiphers | undefined {
    const key = `${initiatorSpi} ${responderSpi}`;
    const entry = this.#ike.get(key);
    if (entry === undefined) return undefined;
    if (!this.#ikeCiphers.has(key)) this.#ikeCiphers.set(key, ikeCiphers(entry));
    return this.#ikeCiphers.get(key);
  }

  /** Behind a NAT, the addresses in the capture may be others than the gateway that wrote the keys knows. */
  esp(spi: number, destination: IpAddress): PacketCipher | undefined {
    const entries = this.#esp.get(spi);
    if (entries === undefined) return undefined;
    const entry = entries.find((one) => one.destination === destination) ?? entries[0]!;
    if (!this.#espCiphers.has(entry)) this.#espCiphers.set(entry, espCipher(entry));
    return this.#espCiphers.get(entry);
  }
}

function ikeCiphers({ algorithms, skEi, skEr, skAi, skAr }: IkeKeyEntry): IkeCiphers | undefined {
  const { encryption, integrity } = algorithms;
  const cipher = (key: Uint8Array, macKey: Uint8Array): PacketCipher =>
    packetCipher({
      encryption: { ...encryption, key },
      ...(integrity === undefined ? {} : { integrity: { id: integrity, key: macKey } }),
    });
  return orUndefined(() => ({ initiator: cipher(skEi, skAi), responder: cipher(skEr, skAr) }));
}

function espCipher({ algorithms, encryptionKey, integrityKey }: EspKeyEntry): PacketCipher | undefined {
  const { encryption, integrity } = algorithms;
  return orUndefined(() =>
    packetCipher({
      ...(encryption === undefined ? {} : { encryption: { ...encryption, key: encryptionKey } }),
      ...(integrity === undefined ? {} : { integrity: { id: integrity, key: integrityKey } }),
    }),
  );
}

/** A key that does not fit its algorithm opens nothing, and the rest of the capture can still be told. */
function orUndefined<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
}
