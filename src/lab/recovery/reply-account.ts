// The byte rule, counted by an onlooker: what a host says to the unauthenticated against what it got from them.
import { isIpv6 } from '#sa';
import { plainIkeHeader } from '../describe-datagram.ts';
import type { LabEvent, Observer } from '../events.ts';
import type { Datagram } from '../network/datagram.ts';

const ikeSaInit = 34;
const ikeSessionResume = 38;
const encrypted = 46;
const encryptedFragment = 53;
const noSpi = '0000000000000000';

interface Account {
  bytesIn: number;
  bytesOut: number;
}

/** IP octets of a datagram, without options or extension headers. */
function ipBytes({ octets, destination, protocol }: Datagram): number {
  return octets.length + (isIpv6(destination.address) ? 40 : 20) + (protocol === 'udp' ? 8 : 0);
}

/**
 * INVALID_SPI, INVALID_IKE_SPI, INVALID_MAJOR_VERSION, with or without tokens, and COOKIE: they are all sent in the clear. So
 * is ICMP. HIP's R1 is the one exception: it is larger than the I1 that it answers, and its rate is bounded (RFC 7401 6.7).
 */
function isUnauthenticatedReply(datagram: Datagram): boolean {
  if (datagram.protocol === 'icmp') return true;
  const header = plainIkeHeader(datagram);
  if (header === undefined) return false;
  if (header.exchangeType === ikeSaInit || header.exchangeType === ikeSessionResume) {
    return header.response && header.responderSpi === noSpi;
  }
  return header.firstPayload !== encrypted && header.firstPayload !== encryptedFragment;
}

/** HIP authenticates its packets itself: those that are answered in the clear by more than R1 are told of. */
function isStrange(datagram: Datagram): boolean {
  const { protocol } = datagram;
  return protocol !== 'hip' && protocol !== 'icmp' && plainIkeHeader(datagram) === undefined;
}

/** What an engine says when it cannot tell whose an IKE message or a HIP packet is. */
const strange: ReadonlySet<string> = new Set([
  'unknown-ike-message',
  'cookie-demanded',
  'hint',
  'hip-problem',
]);

/**
 * By host and by the other address. In: ESP that did not come out of a tunnel, IKE that belonged to no IKE SA, and HIP that
 * belonged to no association. Out: unauthenticated replies.
 */
export class ReplyAccount implements Observer {
  readonly #accounts = new Map<string, Account>();
  #handling: { readonly datagram: Datagram; strange: boolean } | undefined;
  readonly #unchecked: (() => void)[] = [];
  /** Places and times at which a host had sent more than it got. */
  readonly violations: string[] = [];

  observe(event: LabEvent): void {
    switch (event.kind) {
      case 'arriving':
        // Whatever no sign speaks for is unauthenticated ESP; of IKE, it takes a sign to be so.
        this.#handling = { datagram: event.datagram, strange: isStrange(event.datagram) };
        this.#credit(event.host, event.datagram, this.#handling.strange);
        return;
      case 'delivered':
        if (this.#handling?.strange === true) this.#takeBack(event.host, this.#handling.datagram);
        if (this.#handling !== undefined) this.#handling.strange = false;
        return;
      case 'engine': {
        const handling = this.#handling;
        if (handling === undefined || handling.strange || event.output.kind !== 'event') return;
        if (!strange.has(event.output.event.kind)) return;
        if (handling.datagram.protocol !== 'hip' && plainIkeHeader(handling.datagram) === undefined) return;
        handling.strange = true;
        this.#credit(event.host, handling.datagram, true);
        return;
      }
      case 'arrived':
        this.#handling = undefined;
        // An engine may answer before it says what it answers.
        for (const check of this.#unchecked.splice(0)) check();
        return;
      case 'sent':
        this.#charge(event.at, event.host, event.datagram);
        return;
      default:
        return;
    }
  }

  get bytesIn(): number {
    return this.#sum(({ bytesIn }) => bytesIn);
  }

  get bytesOut(): number {
    return this.#sum(({ bytesOut }) => bytesOut);
  }

  #sum(of: (account: Account) => number): number {
    let sum = 0;
    for (const account of this.#accounts.values()) sum += of(account);
    return sum;
  }

  #account(host: string, address: string): Account {
    const key = `${host} ${address}`;
    const known = this.#accounts.get(key);
    if (known !== undefined) return known;
    const account = { bytesIn: 0, bytesOut: 0 };
    this.#accounts.set(key, account);
    return account;
  }

  #credit(host: string, datagram: Datagram, counts: boolean): void {
    if (counts) this.#account(host, datagram.source.address).bytesIn += ipBytes(datagram);
  }

  #takeBack(host: string, datagram: Datagram): void {
    this.#account(host, datagram.source.address).bytesIn -= ipBytes(datagram);
  }

  #charge(at: number, host: string, datagram: Datagram): void {
    if (!isUnauthenticatedReply(datagram)) return;
    const account = this.#account(host, datagram.destination.address);
    account.bytesOut += ipBytes(datagram);
    const check = (): void => {
      const { bytesIn, bytesOut } = account;
      if (bytesOut <= bytesIn) return;
      const { address } = datagram.destination;
      this.violations.push(`${at} ms: ${host} has sent ${bytesOut} octets to ${address} for ${bytesIn}`);
    };
    if (this.#handling === undefined) check();
    else this.#unchecked.push(check);
  }
}
