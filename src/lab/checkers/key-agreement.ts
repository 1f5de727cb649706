// Both ends of an SA have the same keys, selectors and mode, and no key ever serves two SAs.
import type { EngineOutput } from '#engine';
import type { SaParameters, TrafficSelector } from '#sa';
import type { LabEvent, Observer } from '../events.ts';
import type { LabHost } from '../host.ts';
import { InvariantViolation } from './invariant-violation.ts';

type KeyLogOutput = Extract<EngineOutput, { readonly kind: 'key-log' }>;

const name = 'key-agreement';

interface Installed {
  readonly host: string;
  readonly key: string;
  readonly shape: string;
}

/** Compares what the two ends of each SPI are told to install, and the keys of IKE SAs that both ends have. */
export class KeyAgreement implements Observer {
  readonly #inbound = new Map<number, Installed[]>();
  readonly #outbound = new Map<number, Installed[]>();
  /** Which SA uses a key, per direction. */
  readonly #owners = new Map<string, string>();
  readonly #ikeKeys = new Map<string, Map<string, string>>();
  readonly #hosts = new Map<string, LabHost>();
  #ikeChanged = false;

  observe(event: LabEvent): void {
    switch (event.kind) {
      case 'sa-command':
        if (event.command.kind === 'install') {
          this.#install(event.at, event.host, event.incarnation, event.command.sa);
        }
        return;
      case 'engine':
        if (event.output.kind === 'key-log') this.#note(event.host, event.output);
        if (event.output.kind === 'event' && event.output.event.kind === 'ike') {
          const { kind } = event.output.event.event;
          if (kind === 'ike-established' || kind === 'ike-sa-created') this.#ikeChanged = true;
        }
        return;
      case 'settled':
        this.#hosts.set(event.host.name, event.host);
        if (this.#ikeChanged) this.#compareIke(event.at);
        this.#ikeChanged = false;
        return;
      default:
        return;
    }
  }

  #install(at: number, host: string, incarnation: number, sa: SaParameters): void {
    const inbound = sa.direction === 'inbound';
    const installed = { host, key: keyText(sa), shape: shapeText(sa) };
    const others = (inbound ? this.#outbound : this.#inbound).get(sa.spi) ?? [];
    for (const other of others) {
      if (other.host === host) continue;
      const what =
        other.key !== installed.key ? 'keys' : other.shape !== installed.shape ? 'terms' : undefined;
      if (what === undefined) continue;
      const detail = `${host} and ${other.host} have different ${what} for SPI ${sa.spi}: ${installed.shape} | ${other.shape}`;
      throw new InvariantViolation(name, at, detail);
    }
    const table = inbound ? this.#inbound : this.#outbound;
    table.set(sa.spi, [...(table.get(sa.spi) ?? []), installed]);
    const owner = `${host} ${incarnation} ${sa.spi}`;
    const slot = `${sa.direction} ${installed.key}`;
    const known = this.#owners.get(slot);
    // A host that starts again may go on with its own SA, once in each of its lives.
    const goesOn = sa.reservation !== undefined && known !== owner && sameSa(known, owner);
    if (known !== undefined && !goesOn) {
      throw new InvariantViolation(name, at, `one key serves two ${sa.direction} SAs: ${known} and ${owner}`);
    }
    this.#owners.set(slot, owner);
  }

  #note(host: string, { entry }: KeyLogOutput): void {
    if (entry.kind !== 'ike') return;
    const spis = `${entry.initiatorSpi} ${entry.responderSpi}`;
    const keys = [entry.skEi, entry.skEr, entry.skAi, entry.skAr].map((key) => key.join()).join('|');
    const ends = this.#ikeKeys.get(spis) ?? new Map<string, string>();
    ends.set(host, keys);
    this.#ikeKeys.set(spis, ends);
  }

  /** Before both ends are established they may differ: IKE_SA_INIT is not protected. */
  #compareIke(at: number): void {
    const ends = new Map<string, string>();
    for (const host of this.#hosts.values()) {
      for (const { phase, initiatorSpi, responderSpi } of host.status()?.ikeSas ?? []) {
        if (phase === 'connecting') continue;
        const spis = `${initiatorSpi} ${responderSpi}`;
        const keys = this.#ikeKeys.get(spis)?.get(host.name);
        if (keys === undefined) throw new InvariantViolation(name, at, `IKE SA ${spis} has no logged keys`);
        const other = ends.get(spis);
        if (other !== undefined && other !== keys) {
          throw new InvariantViolation(name, at, `the ends of IKE SA ${spis} have different keys`);
        }
        ends.set(spis, keys);
      }
    }
  }
}

/** Host and SPI, whichever life of the host it is. */
function sameSa(known: string | undefined, owner: string): boolean {
  const [host, , spi] = owner.split(' ');
  const [knownHost, , knownSpi] = known?.split(' ') ?? [];
  return host === knownHost && spi === knownSpi;
}

function keyText(sa: SaParameters): string {
  return `${sa.encryption?.key.join() ?? ''}|${sa.integrity?.key.join() ?? ''}`;
}

/** What both ends must agree upon beside keys, from the sender's point of view. */
function shapeText(sa: SaParameters): string {
  const { local, remote } = sa.selectors;
  const [from, to] = sa.direction === 'outbound' ? [local, remote] : [remote, local];
  const { encryption, integrity } = sa;
  const suite = `${encryption?.id}/${encryption?.keyLengthBits}/${integrity?.id}`;
  return `${sa.mode} ${suite} esn=${sa.esn} ${selectorsText(from)} > ${selectorsText(to)}`;
}

function selectorsText(selectors: readonly TrafficSelector[]): string {
  return selectors
    .map(
      ({ protocol, start, end, startPort, endPort }) => `${protocol}:${start}-${end}:${startPort}-${endPort}`,
    )
    .sort()
    .join(',');
}
