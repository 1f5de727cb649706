// What the kernel keeps of traffic that asked for an SA: as long as it is there, the same traffic asks no more.
import { type XfrmAcquire, XfrmMode, type XfrmState, type XfrmTemplate } from '#wire';
import { SystemCallError } from '../../libc/errno.ts';
import type { LookupAttributes } from '../kernel-ties.ts';
import type { XfrmSocket } from '../xfrm-socket.ts';
import { unusedYet } from './kernel-state.ts';

/** Like the userspace data plane, which asks again once a second. */
const askAgainMs = 1_000;

/** What names a larval state. */
type LarvalState = Pick<
  XfrmState,
  'family' | 'protocol' | 'requestId' | 'mode' | 'sequence' | 'source' | 'destination'
>;

interface Larval {
  readonly at: number;
  readonly state: LarvalState;
  readonly lookup: LookupAttributes;
}

/** Takes larval states back, so that traffic may ask again if nothing came of it. The kernel itself waits half a minute. */
export class LarvalStates {
  readonly #socket: XfrmSocket;
  readonly #all: Larval[] = [];

  constructor(socket: XfrmSocket) {
    this.#socket = socket;
  }

  /** @param acquire what the kernel said, whose octets are not kept */
  add(
    { selector, sequence }: XfrmAcquire,
    template: XfrmTemplate,
    lookup: LookupAttributes,
    at: number,
  ): void {
    const { family, protocol, requestId, mode } = template;
    const ends = mode === XfrmMode.TRANSPORT ? selector : template;
    const [source, destination] = [ends.source.slice(), ends.destination.slice()];
    const state = { family, protocol, requestId, mode, sequence, source, destination };
    this.#all.push({ at: at + askAgainMs, state, lookup });
  }

  /** Whether it is known, and will be taken back. */
  has({ sequence }: Pick<XfrmState, 'sequence'>): boolean {
    return this.#all.some(({ state }) => state.sequence === sequence);
  }

  deadline(): number | undefined {
    return this.#all[0]?.at;
  }

  handleTimeout(at: number): void {
    while (this.#all[0] !== undefined && this.#all[0].at <= at) {
      const { state, lookup } = this.#all.shift()!;
      try {
        this.end(state, lookup);
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        this.#all.push({ at: at + askAgainMs, state, lookup });
      }
    }
  }

  /** Only what has an SPI can be deleted: the state that this sequence number stands for gets one, unless it has, and goes. */
  end(larval: LarvalState & { readonly spi?: number }, lookup: LookupAttributes): void {
    const { family, protocol, requestId, mode, sequence, source, destination, spi = 0 } = larval;
    if (spi !== 0) {
      const id = { family, destination, spi, protocol };
      this.#socket.requestIfThere({ kind: 'delete-sa', id, attributes: lookup });
      return;
    }
    const none = new Uint8Array(source.length);
    const [answer] =
      this.#socket.requestIfThere({
        kind: 'allocate-spi',
        min: 0x100,
        max: 0xffff_ffff,
        attributes: lookup,
        state: {
          selector: {
            ...{ family, source: none, destination: none, sourcePrefixLength: 0, destinationPrefixLength: 0 },
            ...{ sourcePort: 0, sourcePortMask: 0, destinationPort: 0, destinationPortMask: 0 },
            ...{ protocol: 0, interfaceIndex: 0, user: 0 },
          },
          ...{ family, source, destination, protocol, sequence, requestId, mode },
          spi: 0,
          limits: noLimits,
          used: unusedYet,
          ...{ replayWindowFailures: 0, replays: 0, integrityFailures: 0, replayWindow: 0, flags: 0 },
        },
      }) ?? [];
    if (answer?.kind !== 'new-sa') return;
    const id = { family, destination: answer.state.destination, spi: answer.state.spi, protocol };
    this.#socket.requestIfThere({ kind: 'delete-sa', id, attributes: lookup });
  }
}

const noLimits = {
  ...{ softBytes: 0n, hardBytes: 0n, softPackets: 0n, hardPackets: 0n },
  ...{ softAddSeconds: 0n, hardAddSeconds: 0n, softUseSeconds: 0n, hardUseSeconds: 0n },
};
