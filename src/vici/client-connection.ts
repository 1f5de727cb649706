// The client's end of a connection without the connection: octets and requests in, octets and answers out.
import { encodeViciFrame, ViciFrameReader, type ViciMessage, type ViciPacket, WireError } from '#wire';

/** What a client asks for. The protocol allows one at a time; the others wait their turn. */
export type ClientRequest =
  /** With `stream`, events of that name belong to the command while it runs. */
  | {
      readonly kind: 'command';
      readonly id: number;
      readonly name: string;
      readonly message: ViciMessage;
      readonly stream?: string;
    }
  | { readonly kind: 'register' | 'unregister'; readonly id: number; readonly event: string };

export type ClientOutput =
  | { readonly kind: 'transmit'; readonly octets: Uint8Array }
  | { readonly kind: 'streamed'; readonly id: number; readonly message: ViciMessage }
  | { readonly kind: 'response'; readonly id: number; readonly message: ViciMessage }
  | { readonly kind: 'confirmed'; readonly id: number }
  | { readonly kind: 'unknown'; readonly id: number; readonly what: 'command' | 'event' }
  /** An event that was registered for, whichever command runs. */
  | { readonly kind: 'event'; readonly name: string; readonly message: ViciMessage }
  /** The server broke the protocol: nothing that it sends can be trusted to answer anything. */
  | { readonly kind: 'broken'; readonly detail: string };

type Step = 'registering' | 'commanding' | 'unregistering';

interface Current {
  readonly request: ClientRequest;
  step: Step;
  /** How a streaming command ended, told once its event is unregistered. */
  end?: ClientOutput;
}

/** Drain `poll()` after each call. */
export class ViciClientConnection {
  readonly #reader = new ViciFrameReader();
  readonly #outputs: ClientOutput[] = [];
  readonly #waiting: ClientRequest[] = [];
  readonly #registered = new Set<string>();
  #current: Current | undefined;
  #broken = false;

  /** @throws WireError if the message cannot be written; nothing was sent then */
  request(request: ClientRequest): void {
    // What cannot be written must be known now, not when its turn comes.
    if (request.kind === 'command') encodeViciFrame({ ...request, kind: 'command-request' });
    else encodeViciFrame({ kind: 'event-register', name: request.event });
    this.#waiting.push(request);
    this.#begin();
  }

  /** Octets of the stream, torn as they may be. */
  receive(octets: Uint8Array): void {
    if (this.#broken) return;
    this.#reader.push(octets);
    try {
      for (let packet = this.#reader.next(); packet !== undefined; packet = this.#reader.next()) {
        this.#handle(packet);
        if (this.#broken) return;
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#break(error.message);
    }
  }

  poll(): ClientOutput | undefined {
    return this.#outputs.shift();
  }

  #transmit(packet: ViciPacket): void {
    this.#outputs.push({ kind: 'transmit', octets: encodeViciFrame(packet) });
  }

  #break(detail: string): void {
    this.#broken = true;
    this.#outputs.push({ kind: 'broken', detail });
  }

  #begin(): void {
    if (this.#current !== undefined || this.#broken) return;
    const request = this.#waiting.shift();
    if (request === undefined) return;
    switch (request.kind) {
      case 'register':
        this.#take(request, 'registering');
        this.#transmit({ kind: 'event-register', name: request.event });
        break;
      case 'unregister':
        this.#take(request, 'unregistering');
        this.#transmit({ kind: 'event-unregister', name: request.event });
        break;
      case 'command':
        if (request.stream === undefined || this.#registered.has(request.stream)) {
          this.#take(request, 'commanding');
          this.#transmit({ ...request, kind: 'command-request' });
        } else {
          this.#take(request, 'registering');
          this.#transmit({ kind: 'event-register', name: request.stream });
        }
        break;
    }
  }

  #take(request: ClientRequest, step: Step): void {
    this.#current = { request, step };
  }

  #end(output: ClientOutput): void {
    this.#current = undefined;
    this.#outputs.push(output);
    this.#begin();
  }

  #handle(packet: ViciPacket): void {
    if (packet.kind === 'event') {
      this.#handleEvent(packet.name, packet.message);
      return;
    }
    const current = this.#current;
    switch (packet.kind) {
      case 'event-confirm':
      case 'event-unknown':
        if (current === undefined || current.step === 'commanding') break;
        this.#handleRegistration(current, packet.kind === 'event-confirm');
        return;
      case 'command-response':
      case 'command-unknown':
        if (current?.step !== 'commanding' || current.request.kind !== 'command') break;
        this.#handleResponse(
          current,
          packet.kind === 'command-response'
            ? { kind: 'response', id: current.request.id, message: packet.message }
            : { kind: 'unknown', id: current.request.id, what: 'command' },
        );
        return;
    }
    this.#break(`the server sent ${packet.kind} that nobody asked for`);
  }

  #handleEvent(name: string, message: ViciMessage): void {
    const { request, step } = this.#current ?? {};
    if (request?.kind === 'command' && request.stream === name && step === 'commanding') {
      this.#outputs.push({ kind: 'streamed', id: request.id, message });
    }
    // One that was on its way while it was unregistered is nobody's.
    if (this.#registered.has(name)) this.#outputs.push({ kind: 'event', name, message });
  }

  #handleRegistration(current: Current, confirmed: boolean): void {
    const { request } = current;
    if (request.kind === 'command') {
      if (current.step === 'unregistering') this.#end(current.end!);
      else if (!confirmed) this.#end({ kind: 'unknown', id: request.id, what: 'event' });
      else {
        current.step = 'commanding';
        this.#transmit({ ...request, kind: 'command-request' });
      }
      return;
    }
    if (confirmed && request.kind === 'register') this.#registered.add(request.event);
    if (request.kind === 'unregister') this.#registered.delete(request.event);
    const { id } = request;
    this.#end(confirmed ? { kind: 'confirmed', id } : { kind: 'unknown', id, what: 'event' });
  }

  #handleResponse(current: Current, output: ClientOutput): void {
    const { request } = current;
    if (request.kind !== 'command' || request.stream === undefined || this.#registered.has(request.stream)) {
      this.#end(output);
      return;
    }
    current.step = 'unregistering';
    current.end = output;
    this.#transmit({ kind: 'event-unregister', name: request.stream });
  }
}
