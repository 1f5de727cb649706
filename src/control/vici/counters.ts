// Counters of IKE messages and rekeyings under charon's names, for the whole host and by connection.
import type { EngineEvent } from '#engine';
import {
  ExchangeType,
  type IkeSpi,
  ikeHeaderLength,
  nonEspMarkerLength,
  PayloadType,
  type ViciMessage,
} from '#wire';
import type { IkeMessageSeen } from '../observe/ike-message-seen.ts';

const names = [
  'ike-rekey-init',
  'ike-rekey-resp',
  'child-rekey',
  'invalid',
  'invalid-spi',
  'ike-init-in-req',
  'ike-init-in-resp',
  'ike-init-out-req',
  'ike-init-out-resp',
  'ike-auth-in-req',
  'ike-auth-in-resp',
  'ike-auth-out-req',
  'ike-auth-out-resp',
  'create-child-in-req',
  'create-child-in-resp',
  'create-child-out-req',
  'create-child-out-resp',
  'info-in-req',
  'info-in-resp',
  'info-out-req',
  'info-out-resp',
] as const;

type CounterName = (typeof names)[number];
type Counts = Map<CounterName, number>;

function namesOf(exchange: 'ike-init' | 'ike-auth' | 'create-child' | 'info') {
  return {
    in: { request: `${exchange}-in-req`, response: `${exchange}-in-resp` },
    out: { request: `${exchange}-out-req`, response: `${exchange}-out-resp` },
  } as const;
}

const exchanges: Readonly<Record<number, ReturnType<typeof namesOf>>> = {
  [ExchangeType.IKE_SA_INIT]: namesOf('ike-init'),
  [ExchangeType.IKE_AUTH]: namesOf('ike-auth'),
  [ExchangeType.CREATE_CHILD_SA]: namesOf('create-child'),
  [ExchangeType.INFORMATIONAL]: namesOf('info'),
};

/** IKE SAs whose connection is not known yet, as they are known by strangers' messages too. */
const unassignedMax = 256;

/** Messages are counted as datagrams show them: a retransmission is one more, a fragmented message is one. */
export class Counters {
  #total: Counts = new Map();
  readonly #byConnection = new Map<string, Counts>();
  readonly #connectionOf = new Map<IkeSpi, string>();
  readonly #unassigned = new Map<IkeSpi, Counts>();

  message(direction: 'in' | 'out', { header, octets }: IkeMessageSeen): void {
    const exchange = exchanges[header.exchangeType];
    if (exchange === undefined) return;
    // RFC 7383 2.5: the fragment's number follows its payload header; the first stands for the message.
    if (header.nextPayload === PayloadType.SKF && octets[ikeHeaderLength + nonEspMarkerLength + 1] !== 1)
      return;
    const name = exchange[direction][header.response ? 'response' : 'request'];
    add(this.#total, name);
    add(this.#countsOf(header.initiatorSpi), name);
  }

  event(event: EngineEvent): void {
    if (event.kind === 'datagram-ignored') {
      if (event.reason === 'unknown-ike-spi') add(this.#total, 'invalid-spi');
      else if (event.reason === 'malformed') add(this.#total, 'invalid');
      return;
    }
    if (event.kind !== 'ike') return;
    const counts = this.#ofConnection(event.context.connection.name);
    const count = (name: CounterName): void => {
      add(this.#total, name);
      add(counts, name);
    };
    switch (event.event.kind) {
      case 'ike-rekeyed':
        count(event.context.initiator ? 'ike-rekey-init' : 'ike-rekey-resp');
        break;
      case 'child-rekeyed':
        count('child-rekey');
        break;
      case 'message-rejected':
        count('invalid');
        break;
      default:
        break;
    }
  }

  /** From now on it is known which connection an IKE SA belongs to. */
  assign(initiatorSpi: IkeSpi, connection: string): void {
    if (this.#connectionOf.has(initiatorSpi)) return;
    this.#connectionOf.set(initiatorSpi, connection);
    const counts = this.#ofConnection(connection);
    for (const [name, value] of this.#unassigned.get(initiatorSpi) ?? []) add(counts, name, value);
    this.#unassigned.delete(initiatorSpi);
  }

  /** The IKE SA is gone. */
  forget(initiatorSpi: IkeSpi): void {
    this.#connectionOf.delete(initiatorSpi);
  }

  /** Sections by connection; the whole host has the empty name. */
  total(): ViciMessage {
    return { '': section(this.#total) };
  }

  ofAll(): ViciMessage {
    return Object.fromEntries([...this.#byConnection].map(([name, counts]) => [name, section(counts)]));
  }

  ofConnection(name: string): ViciMessage | undefined {
    const counts = this.#byConnection.get(name);
    return counts === undefined ? undefined : { [name]: section(counts) };
  }

  resetTotal(): void {
    this.#total = new Map();
  }

  /** @param name absent: of every connection */
  reset(name?: string): void {
    if (name === undefined) this.#byConnection.clear();
    else this.#byConnection.delete(name);
  }

  #ofConnection(name: string): Counts {
    const known = this.#byConnection.get(name);
    if (known !== undefined) return known;
    const counts: Counts = new Map();
    this.#byConnection.set(name, counts);
    return counts;
  }

  #countsOf(initiatorSpi: IkeSpi): Counts {
    const connection = this.#connectionOf.get(initiatorSpi);
    if (connection !== undefined) return this.#ofConnection(connection);
    const known = this.#unassigned.get(initiatorSpi);
    if (known !== undefined) return known;
    if (this.#unassigned.size >= unassignedMax) {
      const [oldest] = this.#unassigned.keys();
      if (oldest !== undefined) this.#unassigned.delete(oldest);
    }
    const counts: Counts = new Map();
    this.#unassigned.set(initiatorSpi, counts);
    return counts;
  }
}

function add(counts: Counts, name: CounterName, value = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + value);
}

function section(counts: Counts): ViciMessage {
  return Object.fromEntries(names.map((name) => [name, String(counts.get(name) ?? 0)]));
}
