// What anybody can send changes no SA, gets nothing delivered, and is never answered with more octets than it had.
import { decodeIkeMessage, HipPacketType, NotifyType, PayloadType, WireError } from '#wire';
import { hipPacketType, plainIkeHeader } from '../describe-datagram.ts';
import type { LabEvent, Observer } from '../events.ts';
import type { Datagram } from '../network/datagram.ts';
import { InvariantViolation } from './invariant-violation.ts';

const name = 'unauthenticated-input';
const ikeSaInit = 34;
const noSpi = '0000000000000000';

/** What an IKE SA may say of a message that proves nothing. */
const harmless: ReadonlySet<string> = new Set(['message-rejected']);

/** Tokens that a datagram shows to everybody (RFC 6290 4.3). */
function openTokens(datagram: Datagram): readonly string[] {
  const header = plainIkeHeader(datagram);
  if (header?.firstPayload !== PayloadType.N) return [];
  try {
    return decodeIkeMessage(header.octets).payloads.flatMap((payload) =>
      payload.type === 'N' && payload.notifyType === NotifyType.QUICK_CRASH_DETECTION
        ? [payload.data.join()]
        : [],
    );
  } catch (error) {
    if (error instanceof WireError) return [];
    throw error;
  }
}

export class UnauthenticatedInput implements Observer {
  readonly #known: ReadonlySet<string>;
  /** Octets received from and sent to addresses where no host is, and IKE_SA_INIT messages of each way. */
  readonly #accounts = new Map<string, { received: number; sent: number; asked: number; answered: number }>();
  /** What hosts have said in the open: whoever has one of these can prove that its maker forgot an IKE SA. */
  readonly #tokens = new Set<string>();
  #handling: { readonly host: string; readonly datagram: Datagram } | undefined;

  /** @param known addresses of the hosts of the scenario and of their NATs */
  constructor(known: ReadonlySet<string>) {
    this.#known = known;
  }

  observe(event: LabEvent): void {
    switch (event.kind) {
      case 'arriving': {
        const { datagram, host } = event;
        this.#credit(datagram);
        const unproven =
          (datagram.origin === 'forged' || datagram.origin === 'corrupted') &&
          !openTokens(datagram).some((token) => this.#tokens.has(token));
        this.#handling = unproven ? { host, datagram } : undefined;
        return;
      }
      case 'arrived':
        this.#handling = undefined;
        return;
      case 'sent':
        for (const token of openTokens(event.datagram)) this.#tokens.add(token);
        this.#charge(event.at, event.host, event.datagram);
        return;
      case 'sa-command':
        if (this.#handling?.host === event.host) this.#fail(event.at, `caused ${event.command.kind}`);
        return;
      case 'delivered':
        if (this.#handling?.host === event.host) this.#fail(event.at, 'was delivered');
        return;
      case 'engine': {
        if (this.#handling?.host !== event.host || event.output.kind !== 'event') return;
        const outer = event.output.event;
        if (outer.kind === 'hip' && outer.event.kind !== 'rejected' && outer.event.kind !== 'notified')
          this.#fail(event.at, `caused hip ${outer.event.kind}`);
        if (outer.kind !== 'ike' || harmless.has(outer.event.kind)) return;
        // IKE_SA_INIT is unprotected: a changed one may lead an exchange astray that has not begun to matter yet.
        if (outer.context.localIdentity === undefined) return;
        this.#fail(event.at, `caused ${outer.event.kind}`);
        return;
      }
      default:
        return;
    }
  }

  #fail(at: number, what: string): never {
    const { host, datagram } = this.#handling!;
    throw new InvariantViolation(name, at, `a ${datagram.origin} datagram to ${host} ${what}`);
  }

  #account(address: string): { received: number; sent: number; asked: number; answered: number } {
    const known = this.#accounts.get(address);
    if (known !== undefined) return known;
    const account = { received: 0, sent: 0, asked: 0, answered: 0 };
    this.#accounts.set(address, account);
    return account;
  }

  #credit(datagram: Datagram): void {
    const { address } = datagram.source;
    if (this.#known.has(address)) return;
    const account = this.#account(address);
    account.received += datagram.octets.length;
    if (plainIkeHeader(datagram)?.exchangeType === ikeSaInit) account.asked++;
    if (hipPacketType(datagram) === HipPacketType.I1) account.asked++;
  }

  #charge(at: number, host: string, datagram: Datagram): void {
    const { address } = datagram.destination;
    if (this.#known.has(address)) return;
    const account = this.#account(address);
    const header = plainIkeHeader(datagram);
    // An answer that makes an IKE SA is as long as it is; the COOKIE before it is held to the rule. R1 is longer than I1,
    // which keeps no state for it (RFC 7401 6.7): one for each, and its rate is bounded.
    const isR1 = hipPacketType(datagram) === HipPacketType.R1;
    if (isR1 || (header?.exchangeType === ikeSaInit && header.response && header.responderSpi !== noSpi)) {
      account.answered++;
      if (account.answered <= account.asked) return;
      throw new InvariantViolation(
        name,
        at,
        `${host} sent ${address} more IKE_SA_INIT answers or R1 packets than it asked for`,
      );
    }
    account.sent += datagram.octets.length;
    if (account.sent <= account.received) return;
    const detail = `${host} sent ${account.sent} octets to ${address} for ${account.received} from there`;
    throw new InvariantViolation(name, at, detail);
  }
}
