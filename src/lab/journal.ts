// What happened, twice: as lines for people, and as one hash by which two runs are compared.
import { digest } from '#crypto';
import { formatEndpoint, type SaCommand } from '#sa';
import { describeDatagram } from './describe-datagram.ts';
import type { LabEvent, Observer } from './events.ts';

const bufferBytes = 1 << 16;

/** Hashes every octet that hosts send and deliver, every command and event, and when. */
export class Fingerprint implements Observer {
  readonly #buffer = new Uint8Array(bufferBytes);
  #used = 0;
  #state: Uint8Array = new Uint8Array(0);

  observe(event: LabEvent): void {
    switch (event.kind) {
      case 'sent':
        this.#add(`${event.at} ${event.host} ${formatEndpoint(event.datagram.destination)}`);
        this.#addOctets(event.datagram.octets);
        return;
      case 'delivered':
      case 'bypassed':
        this.#add(`${event.at} ${event.host} ${event.kind}`);
        this.#addOctets(event.packet);
        return;
      case 'sa-command':
        this.#add(`${event.at} ${event.host} ${commandText(event.command)}`);
        return;
      case 'engine':
        if (event.output.kind === 'event') this.#add(`${event.at} ${event.host} ${eventText(event.output)}`);
        return;
      case 'fault':
        this.#add(`${event.at} ${event.fault} ${event.subject}`);
        return;
      default:
        return;
    }
  }

  /** Hexadecimal, over everything so far. */
  value(): string {
    this.#flush();
    return Array.from(this.#state, (octet) => octet.toString(16).padStart(2, '0')).join('');
  }

  #add(text: string): void {
    if (this.#used + text.length > bufferBytes) this.#flush();
    for (let i = 0; i < text.length && this.#used < bufferBytes; i++) {
      this.#buffer[this.#used++] = text.charCodeAt(i);
    }
  }

  #addOctets(octets: Uint8Array): void {
    if (this.#used + octets.length > bufferBytes) this.#flush();
    const part = octets.subarray(0, bufferBytes);
    this.#buffer.set(part, this.#used);
    this.#used += part.length;
  }

  #flush(): void {
    this.#state = digest('sha256', this.#state, this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}

/** Keeps lines that tell the story. `packets`: also the traffic of the flows. */
export class Journal implements Observer {
  readonly #packets: boolean;
  readonly #line: (line: string) => void;

  constructor(options: { readonly packets: boolean; readonly line: (line: string) => void }) {
    this.#packets = options.packets;
    this.#line = options.line;
  }

  observe(event: LabEvent): void {
    const text = lineOf(event, this.#packets);
    if (text === undefined) return;
    const seconds = (event.at / 1000).toFixed(3).padStart(9);
    this.#line(`${seconds}  ${text}`);
  }
}

function lineOf(event: LabEvent, packets: boolean): string | undefined {
  switch (event.kind) {
    case 'sent': {
      const text = describeDatagram(event.datagram);
      return packets || !text.startsWith('ESP') ? `${event.host} > ${text}` : undefined;
    }
    case 'arriving': {
      const text = describeDatagram(event.datagram);
      const { origin } = event.datagram;
      const note = origin === 'host' ? '' : ` (${origin})`;
      return packets || !text.startsWith('ESP') ? `${event.host} < ${text}${note}` : undefined;
    }
    case 'fault':
      return `  ! ${event.fault}: ${event.subject}`;
    case 'engine':
      return engineLine(event.host, event.output);
    case 'sa-command':
      return `${event.host}   ${commandText(event.command)}`;
    case 'sa-result':
      return event.result.ok
        ? undefined
        : `${event.host}   ${event.command.kind} refused: ${event.result.code} ${event.result.detail}`;
    case 'packet-sent':
      return packets ? `${event.flow.from}   packet ${event.flowIndex}/${event.sequence}` : undefined;
    case 'delivered':
      return packets ? `${event.host}   delivered ${event.packet.length} octets` : undefined;
    case 'bypassed':
      return `${event.host}   sent ${event.packet.length} octets without protection`;
    case 'up':
    case 'down':
      return `${event.host} is ${event.kind} (${event.incarnation})`;
    case 'action':
      return `* ${actionText(event.action)}`;
    case 'arrived':
    case 'settled':
      return undefined;
  }
}

function actionText(action: object): string {
  const text = JSON.stringify(action, (_key, value: unknown) =>
    value instanceof Uint8Array ? `${value.length} octets` : value,
  );
  return text.length > 160 ? `${text.slice(0, 160)}...` : text;
}

type EngineEventOutput = Extract<LabEvent, { kind: 'engine' }>['output'];

function engineLine(host: string, output: EngineEventOutput): string | undefined {
  switch (output.kind) {
    case 'event':
      return `${host}   ${eventText(output)}`;
    case 'command-result':
      return `${host}   command ${output.id}: ${output.result.ok ? 'done' : output.result.detail}`;
    case 'compute':
    case 'resolve':
      return `${host}   ${output.kind} ${output.id}`;
    case 'store':
      return `${host}   store ${output.id}: ${output.key}, ${output.octets.length} octets`;
    case 'transmit':
    case 'hip-transmit':
    case 'icmp':
    case 'sa-command':
    case 'key-log':
      return undefined;
  }
}

function eventText(output: Extract<EngineEventOutput, { kind: 'event' }>): string {
  const { event } = output;
  switch (event.kind) {
    case 'ike': {
      const { event: inner, context } = event;
      const failure = 'failure' in inner ? `: ${inner.failure.code}, ${inner.failure.detail}` : '';
      const child = 'child' in inner ? ` ${hex(inner.child.inboundSpi)}/${hex(inner.child.outboundSpi)}` : '';
      const more =
        inner.kind === 'message-rejected'
          ? `: ${inner.reason}, Message ID ${inner.messageId}`
          : inner.kind === 'collision'
            ? `: ${inner.of}, ${inner.outcome}`
            : '';
      return `[ike ${context.ikeId}] ${inner.kind}${child}${failure}${more}`;
    }
    case 'hip':
      return `[hip] ${event.event.kind}`;
    case 'path-mtu':
      return `${event.kind} ${event.remote.address} ${event.pathMtuBytes ?? 'unknown'}`;
    case 'hip-problem':
      return `${event.kind} ${event.reason} ${event.outcome}`;
    case 'child-up':
    case 'child-down':
      return `[ike ${event.context.ikeId}] ${event.kind} ${event.child.name} ${hex(event.child.inboundSpi)}`;
    case 'trap-set':
    case 'trap-removed':
      return `${event.kind} ${event.connection} ${event.child.name}`;
    case 'connecting':
      return `connecting ${event.connection}, attempt ${event.attempt}`;
    case 'connect-failed':
      return `connect-failed ${event.connection}: ${event.detail}${event.retryInMs === undefined ? '' : `, again in ${event.retryInMs} ms`}`;
    case 'resumption-failed':
      return `resumption-failed ${event.connection}: ${event.detail}`;
    case 'duplicate-ike-sa':
      return `duplicate-ike-sa: ${event.kept} stays, ${event.ended} ends, ${event.reason}`;
    case 'datagram-ignored':
      return `datagram-ignored: ${event.reason} of ${formatEndpoint(event.remote)}`;
    case 'cookie-demanded':
      return `cookie-demanded of ${formatEndpoint(event.remote)}`;
    case 'guess-braked':
      return `guess-braked of ${formatEndpoint(event.remote)}: ${event.by}, ${event.outcome}`;
    case 'started':
      return `started for the ${event.bootEpoch}. time, ${event.historyRecords} SPIs remembered`;
    case 'unknown-spi': {
      const { spi, remote, count, verdict, outcome } = event;
      return `unknown-spi ${hex(spi)} of ${formatEndpoint(remote)}, ${count} times: ${verdict.kind} ${verdict.reason}, ${outcome}`;
    }
    case 'unknown-ike-message': {
      const { remote, verdict, outcome } = event;
      return `unknown-ike-message of ${formatEndpoint(remote)}: ${verdict.kind} ${verdict.reason}, ${outcome}`;
    }
    case 'hint':
      return `hint ${event.hint} of ${formatEndpoint(event.remote)}: ${event.outcome}`;
    case 'checkpoint-adopted':
      return `checkpoint-adopted ${event.context.connection.name}: ${event.children} children`;
    case 'checkpoint-refused':
      return `checkpoint-refused ${event.spi ?? 'as a whole'}: ${event.reason}`;
    case 'recovery':
      return `recovery of ${event.connection} by ${event.rung}: ${event.step}, ${event.detail}`;
  }
}

function hex(spi: number): string {
  return spi.toString(16).padStart(8, '0');
}

function commandText(command: SaCommand): string {
  switch (command.kind) {
    case 'install': {
      const { direction, spi, childId, generation } = command.sa;
      return `install ${direction} ${hex(spi)} of child ${childId} (${generation})`;
    }
    case 'use-outbound':
      return `use-outbound ${hex(command.spi)} of child ${command.childId}`;
    case 'update-addresses':
      return `update-addresses ${command.direction} ${hex(command.spi)} to ${formatEndpoint(command.remote)}`;
    case 'extend-reservation':
      return `extend-reservation ${command.direction} ${hex(command.spi)} to ${command.limit.high} ${command.limit.low}`;
    case 'remove':
      return `remove ${command.direction} ${hex(command.spi)} of child ${command.childId}`;
    case 'install-policy':
      return `install-policy ${command.policy.policyId} ${command.policy.action}`;
    case 'remove-policy':
      return `remove-policy ${command.policyId}`;
  }
}
