// What an incident cost: messages, changes of SAs, and SAs given up that the peer still had.
import type { EngineEvent } from '#engine';
import { plainIkeHeader } from '../describe-datagram.ts';
import type { LabEvent, Observer } from '../events.ts';
import type { Simulation } from '../simulation.ts';

type HipEvent = Extract<EngineEvent, { readonly kind: 'hip' }>['event'];

/** After these a host has IKE SAs that it had not before. */
const beginnings: ReadonlySet<string> = new Set(['ike-established', 'ike-sa-created', 'ike-rekeyed']);
/** Ends that both sides know of. */
const orderly: ReadonlySet<string> = new Set(['replaced', 'deleted-by-us', 'deleted-by-peer']);
const attacked = 'attack: ';

export class IncidentObserver implements Observer {
  #simulation: Simulation | undefined;
  /** By host and number, while the host lives: both IKE SPIs. */
  readonly #spis = new Map<string, string>();
  /** IKE messages and HIP packets that hosts sent. */
  messages = 0;
  /** Commands to a data plane, but for those that only let an SA use more of its sequence numbers. */
  saChanges = 0;
  /** IKE SAs and HIP associations that a host gave up without a word while its peer was up and had them. */
  falseTeardowns = 0;
  /** IKE SAs and HIP associations that ended at a host, whatever the reason. */
  endings = 0;
  attacks = 0;

  /** The observer exists before the simulation does. */
  watch(simulation: Simulation): void {
    this.#simulation = simulation;
  }

  /** The incident begins: what came before is forgotten. */
  begin(): void {
    this.messages = 0;
    this.saChanges = 0;
    this.falseTeardowns = 0;
    this.endings = 0;
    this.attacks = 0;
  }

  observe(event: LabEvent): void {
    switch (event.kind) {
      case 'sent':
        if (plainIkeHeader(event.datagram) !== undefined || event.datagram.protocol === 'hip')
          this.messages++;
        return;
      case 'sa-command':
        if (event.command.kind !== 'extend-reservation') this.saChanges++;
        return;
      case 'down':
        for (const key of this.#spis.keys()) if (key.startsWith(`${event.host} `)) this.#spis.delete(key);
        return;
      case 'fault':
        if (event.fault.startsWith(attacked)) this.attacks++;
        return;
      case 'engine': {
        if (event.output.kind !== 'event') return;
        if (event.output.event.kind === 'hip') this.#noteHip(event.host, event.output.event.event);
        if (event.output.event.kind !== 'ike') return;
        const { event: inner, context } = event.output.event;
        if (beginnings.has(inner.kind)) this.#note(event.host);
        if (inner.kind !== 'ike-ended') return;
        this.endings++;
        if (!orderly.has(inner.failure.code) && this.#peerHas(event.host, context.ikeId)) {
          this.falseTeardowns++;
        }
        return;
      }
      default:
        return;
    }
  }

  /** `replaced`: the peer has proven by R2 that it is there, and that it wants another. */
  #noteHip(host: string, event: HipEvent): void {
    if (event.kind !== 'ended') return;
    this.endings++;
    const orderlyEnd = event.cause !== 'silent' && event.cause !== 'unused';
    const peerHas = (this.#simulation?.hosts ?? []).some(
      (other) =>
        other.name !== host &&
        other.status()?.hip.some(({ outboundSpi }) => outboundSpi === event.inboundSpi) === true,
    );
    if (!orderlyEnd && peerHas) this.falseTeardowns++;
  }

  #note(host: string): void {
    for (const { ikeId, initiatorSpi, responderSpi } of this.#simulation?.host(host).status()?.ikeSas ?? []) {
      this.#spis.set(`${host} ${ikeId}`, `${initiatorSpi} ${responderSpi}`);
    }
  }

  #peerHas(host: string, ikeId: number): boolean {
    const spis = this.#spis.get(`${host} ${ikeId}`);
    return (this.#simulation?.hosts ?? []).some(
      (other) =>
        other.name !== host &&
        (other.status()?.ikeSas ?? []).some(
          ({ initiatorSpi, responderSpi, phase }) =>
            `${initiatorSpi} ${responderSpi}` === spis && phase === 'established',
        ),
    );
  }
}
