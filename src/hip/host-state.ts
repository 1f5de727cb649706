// What all of a host's HIP shares: configuration, associations, the queue of outputs.
import { type SearchPuzzleJob, wipe } from '#crypto';
import type { IpAddress, SaCommand } from '#sa';
import { addressBytes } from '#sa';
import { type HipPacket, type Hit, writeHipChecksum } from '#wire';
import { type AssociationKeys, HipAssociation, type Standing } from './association.ts';
import { AssociationTable } from './association-table.ts';
import type { HipConfiguration, HipQuirk, LocalIdentity } from './configuration.ts';
import { peersOf } from './configured-peers.ts';
import type { HipEvent, HipOutput, HipPath, HipPorts, HipRejection, HipState } from './interface.ts';
import { type NeededCommand, neededCommand } from './needed-command.ts';
import type { Registrar } from './registration/registrar.ts';
import type { Responder } from './responder/responder.ts';

export interface ReceivedPacket {
  readonly packet: HipPacket;
  readonly path: HipPath;
}

export class HipHostState {
  readonly ports: HipPorts;
  configuration: HipConfiguration;
  readonly responder: Responder;
  readonly registrar: Registrar;
  readonly associations: AssociationTable = new AssociationTable();
  /** Whom the input being handled has changed besides the association that it is about. */
  readonly alsoChanged: Set<HipAssociation> = new Set();
  /** Those that stand, by the number of their pair. */
  readonly byChild: Map<number, HipAssociation> = new Map();
  /** Of those that work on a puzzle, by the number of the job. */
  readonly #computing = new Map<number, HipAssociation>();
  /** Which addresses this host has; `undefined`: nobody has said yet. */
  ownAddresses: ReadonlySet<IpAddress> | undefined;
  /** The time of the input being handled. */
  at = 0;
  readonly #outputs: HipOutput[] = [];
  /** Commands whose result is awaited. */
  readonly #needed = new Map<number, NeededCommand>();
  #nextId = 1;

  constructor(
    ports: HipPorts,
    configuration: HipConfiguration,
    roles: { readonly responder: Responder; readonly registrar: Registrar },
  ) {
    this.ports = ports;
    this.configuration = configuration;
    this.responder = roles.responder;
    this.registrar = roles.registrar;
  }

  poll(): HipOutput | undefined {
    return this.#outputs.shift();
  }

  emit(event: HipEvent): void {
    this.#outputs.push({ kind: 'event', event });
  }

  push(output: HipOutput): void {
    this.#outputs.push(output);
  }

  command(command: SaCommand): void {
    const id = this.#nextId++;
    const needed = neededCommand(command);
    if (needed !== undefined) this.#needed.set(id, needed);
    this.#outputs.push({ kind: 'sa-command', id, command });
  }

  /** What a result is about, if an association cannot do without. */
  takeNeeded(id: number): NeededCommand | undefined {
    const needed = this.#needed.get(id);
    this.#needed.delete(id);
    return needed;
  }

  compute(association: HipAssociation, job: SearchPuzzleJob): number {
    const id = this.#nextId++;
    this.#computing.set(id, association);
    this.#outputs.push({ kind: 'compute', id, job });
    return id;
  }

  /** Whose job has come to its end. */
  takeComputing(id: number): HipAssociation | undefined {
    const association = this.#computing.get(id);
    this.#computing.delete(id);
    return association;
  }

  /** @param octets with a checksum of zero, and left so: they may be sent again elsewhere */
  transmit(path: HipPath, octets: Uint8Array): void {
    const packet = octets.slice();
    if (path.remote.port === 0)
      writeHipChecksum(packet, addressesOf(path.local.address, path.remote.address));
    this.#outputs.push({ kind: 'transmit', path, octets: packet });
  }

  reject({ packet, path }: ReceivedPacket, reason: HipRejection): void {
    const { packetType, sender, receiver } = packet.header;
    this.emit({ kind: 'rejected', packetType, path, reason, sender, receiver });
  }

  identity(hit: Hit): LocalIdentity | undefined {
    return this.configuration.identities.find(({ identity }) => identity.hit === hit);
  }

  /** Whether a peer is to be dealt with in a way of its own. */
  hasQuirk(remote: Hit, quirk: HipQuirk): boolean {
    return peersOf(this.configuration).with(remote)?.quirks?.includes(quirk) === true;
  }

  find(local: Hit, remote: Hit): HipAssociation | undefined {
    return this.associations.find(local, remote);
  }

  /** The association of a packet that came in. */
  of({ packet }: ReceivedPacket): HipAssociation | undefined {
    return this.find(packet.header.receiver, packet.header.sender);
  }

  findOrAdd(local: LocalIdentity, remote: Hit, path: HipPath): HipAssociation {
    const known = this.find(local.identity.hit, remote);
    if (known !== undefined) return known;
    const peer = peersOf(this.configuration).with(remote);
    const association = new HipAssociation(local, remote, peer?.name, path);
    this.associations.add(association);
    return association;
  }

  /**
   * The HIT of an opportunistic peer is known now. If there is an association with it already, that one goes on with the
   * attempt.
   */
  rename(association: HipAssociation, remote: Hit): HipAssociation {
    const { attempt, local, path } = association;
    this.associations.delete(association);
    const known = this.findOrAdd(local, remote, path);
    if (known.attempt !== undefined) this.dropAttempt(known);
    known.attempt = attempt;
    this.emit({ kind: 'identified', context: known.context });
    return known;
  }

  /** Changes an association and tells if its state is another one afterwards. */
  change(association: HipAssociation, reason: string, apply: () => void): void {
    const from: HipState = association.state;
    apply();
    const to = association.state;
    if (to !== from) this.emit({ kind: 'state', context: association.context, from, to, reason });
    if (to === 'UNASSOCIATED') this.associations.delete(association);
  }

  /** Forgets the attempt and what was drawn for it. */
  dropAttempt(association: HipAssociation): void {
    const { attempt } = association;
    association.attempt = undefined;
    if (attempt?.name !== 'I2-SENT') return;
    this.ports.releaseSpi(attempt.inboundSpi);
    wipeKeys(attempt.keys);
  }

  /** Takes the SAs of what stands out of the data plane. */
  removeSas({ childId, former, pair: current }: Standing): void {
    for (const pair of [former?.pair, current]) {
      if (pair === undefined) continue;
      this.command({ kind: 'remove', protocol: 'esp', direction: 'inbound', spi: pair.inboundSpi, childId });
      this.command({
        kind: 'remove',
        protocol: 'esp',
        direction: 'outbound',
        spi: pair.outboundSpi,
        childId,
      });
      this.ports.releaseSpi(pair.inboundSpi);
    }
    this.command({ kind: 'remove-policy', policyId: childId });
  }
}

export function addressesOf(
  source: Parameters<typeof addressBytes>[0],
  destination: Parameters<typeof addressBytes>[0],
): { readonly source: Uint8Array; readonly destination: Uint8Array } {
  return { source: addressBytes(source), destination: addressBytes(destination) };
}

export function wipeKeys(keys: AssociationKeys): void {
  keys.keymat.destroy();
  for (const { encryption, integrity } of [keys.own, keys.peer]) wipe(encryption, integrity);
}
