// The engine begins to remember an IKE SA.
import type { IkeSa } from '#ike';
import type { Endpoint } from '#sa';
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry, IkeLine } from './ike-sa-registry.ts';

export function newEntry(
  state: EngineState,
  fields: {
    readonly ikeId: number;
    readonly line: IkeLine;
    readonly sa: IkeSa;
    readonly initiator: boolean;
    readonly initRequestFrom?: Endpoint;
  },
): IkeEntry {
  const entry: IkeEntry = {
    ikeId: fields.ikeId,
    line: fields.line,
    sa: fields.sa,
    connectionName: fields.sa.connection.name,
    initiator: fields.initiator,
    createdAt: state.at,
    initRequestFrom: fields.initRequestFrom,
    halfOpenSource: undefined,
    parent: undefined,
    offspring: [],
    identities: undefined,
    leads: new Set(),
    establishedAt: undefined,
    lowestNonce: undefined,
    redundant: false,
    contested: false,
    answeredTwice: false,
    rekeysOnceKnown: false,
    behindNat: false,
    natDetected: false,
    virtualAddresses: [],
    nameServers: [],
    peerVirtualAddresses: [],
    lastTransmitAt: state.at,
    lastMove: undefined,
    lastCommandId: undefined,
    unwanted: new Set(),
    successorOfSilence: undefined,
    initialContact: undefined,
    refusal: undefined,
    expectedSpi: undefined,
    early: [],
    withheld: undefined,
  };
  state.registry.add(entry);
  return entry;
}
