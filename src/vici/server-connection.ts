// The server's end of one connection without the connection: octets and answers in, octets and commands out.
import { encodeViciFrame, ViciFrameReader, type ViciMessage, type ViciPacket, WireError } from '#wire';

/** What a server has to offer, by name. */
export interface ViciOffer {
  hasCommand(name: string): boolean;
  hasEvent(name: string): boolean;
  /** The client wants to be told of it from now on. */
  registered?(name: string): void;
}

export type ServerOutput =
  | { readonly kind: 'transmit'; readonly octets: Uint8Array }
  /** Answer with `respond`; until then no other command of this connection comes. */
  | { readonly kind: 'command'; readonly name: string; readonly message: ViciMessage }
  /** The client broke the protocol: the connection must be closed. */
  | { readonly kind: 'broken'; readonly detail: string };

/** Drain `poll()` after each call. */
export class ViciServerConnection {
  readonly #offer: ViciOffer;
  readonly #reader = new ViciFrameReader();
  readonly #outputs: ServerOutput[] = [];
  readonly #registered = new Set<string>();
  #busy = false;
  #broken = false;

  constructor(offer: ViciOffer) {
    this.#offer = offer;
  }

  /** Octets that came and wait for the command under way: a server stops reading when they become many. */
  get waiting(): number {
    return this.#reader.waiting;
  }

  isRegistered(event: string): boolean {
    return this.#registered.has(event);
  }

  /** Octets of the stream, torn as they may be. */
  receive(octets: Uint8Array): void {
    if (this.#broken) return;
    this.#reader.push(octets);
    this.#advance();
  }

  /**
   * Ends the command under way.
   *
   * @throws WireError if the message cannot be written; the command is still under way then
   */
  respond(message: ViciMessage): void {
    if (!this.#busy) throw new Error('there is no command to respond to');
    this.#transmit({ kind: 'command-response', message });
    this.#busy = false;
    this.#advance();
  }

  /** Sends an event if the client has registered for it, and says whether it has. @throws WireError */
  send(event: string, message: ViciMessage): boolean {
    if (this.#broken || !this.#registered.has(event)) return false;
    this.#transmit({ kind: 'event', name: event, message });
    return true;
  }

  poll(): ServerOutput | undefined {
    return this.#outputs.shift();
  }

  #transmit(packet: ViciPacket): void {
    this.#outputs.push({ kind: 'transmit', octets: encodeViciFrame(packet) });
  }

  #advance(): void {
    try {
      while (!this.#busy && !this.#broken) {
        const packet = this.#reader.next();
        if (packet === undefined) return;
        this.#handle(packet);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#break(error.message);
    }
  }

  #break(detail: string): void {
    this.#broken = true;
    this.#outputs.push({ kind: 'broken', detail });
  }

  #handle(packet: ViciPacket): void {
    switch (packet.kind) {
      case 'command-request':
        if (!this.#offer.hasCommand(packet.name)) {
          this.#transmit({ kind: 'command-unknown' });
          return;
        }
        this.#busy = true;
        this.#outputs.push({ kind: 'command', name: packet.name, message: packet.message });
        return;
      case 'event-register':
        if (!this.#offer.hasEvent(packet.name)) {
          this.#transmit({ kind: 'event-unknown' });
          return;
        }
        this.#registered.add(packet.name);
        this.#offer.registered?.(packet.name);
        this.#transmit({ kind: 'event-confirm' });
        return;
      case 'event-unregister':
        this.#transmit({ kind: this.#registered.delete(packet.name) ? 'event-confirm' : 'event-unknown' });
        return;
      default:
        this.#break(`a client may not send ${packet.kind}`);
    }
  }
}
