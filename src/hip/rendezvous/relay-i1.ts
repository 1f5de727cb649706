// A rendezvous server: an I1 for one of its clients goes on to where the client is (RFC 8004 3.3, 4.2.2, 4.3.1, 4.3.2).
import { appendHipMac, hitSuiteProfile } from '#crypto';
import { addressBytes, sameFamily } from '#sa';
import {
  appendHipParameters,
  HipParameterType,
  hipPacketLengthMax,
  hipParameter,
  hipParameterTypeOf,
  hipUdpPort,
  hitSuiteOf,
} from '#wire';
import type { HipAssociation, Standing } from '../association.ts';
import type { HipHostState, ReceivedPacket } from '../host-state.ts';
import type { HipPath, HipRejection } from '../interface.ts';
import { verifiedPath } from '../locators/verified-path.ts';

/** FROM has 24 octets and RVS_HMAC at most 56. */
const addedMax = 80;

/** The I1 is for none of our identities: perhaps it is for a client. */
export function relayI1(state: HipHostState, received: ReceivedPacket): void {
  const client = clientOf(state, received);
  const rejection =
    client === undefined
      ? unknownReceiver(state)
      : judge(state, received, verifiedPath(client.association, client.standing));
  if (client === undefined || rejection !== undefined) {
    state.reject(received, rejection ?? 'not-ours');
    return;
  }
  const { packet, path } = received;
  const { association, standing } = client;
  const from = { type: 'FROM' as const, address: addressBytes(path.remote.address) };
  const { keys } = standing;
  const relayed = appendHipMac(
    appendHipParameters(packet.octets, [from]),
    keys.responder,
    keys.own.integrity,
    'RVS_HMAC',
  );
  // Out of an address of ours: with that of the Initiator, filters on the way would drop it.
  state.transmit(verifiedPath(association, standing), relayed);
  state.emit({
    kind: 'relayed',
    context: association.context,
    initiator: packet.header.sender,
    from: path.remote,
  });
}

function clientOf(
  state: HipHostState,
  { packet }: ReceivedPacket,
): { readonly association: HipAssociation; readonly standing: Standing } | undefined {
  const association = state.registrar.clients.get(packet.header.receiver);
  const standing = association?.standing;
  if (association === undefined || standing?.granted === undefined) return undefined;
  return state.at < standing.granted.until ? { association, standing } : undefined;
}

function unknownReceiver({ configuration }: HipHostState): HipRejection {
  return configuration.registrar === undefined ? 'not-ours' : 'not-registered';
}

function judge(
  state: HipHostState,
  { packet, path }: ReceivedPacket,
  client: HipPath,
): HipRejection | undefined {
  const { parameters, header, octets } = packet;
  // Nothing says which of several servers would be answerable for the first FROM, so there is no second.
  if (parameters.some((one) => hipParameterTypeOf(one) >= HipParameterType.FROM)) return 'relayed-before';
  if (octets.length > hipPacketLengthMax - addedMax) return 'malformed';
  if (hitSuiteProfile(hitSuiteOf(header.sender) ?? 0) === undefined) return 'hit-suite';
  if (hipParameter(parameters, 'DH_GROUP_LIST') === undefined) return 'missing-parameter';
  if (!leadsTo(path, client)) return 'relay-path';
  const { configuration, registrar, at } = state;
  const { relayPerSecond } = configuration.registrar ?? { relayPerSecond: { perPrefix: 0, total: 0 } };
  return registrar.relayRate.take(path.remote.address, relayPerSecond, at) ? undefined : 'relay-rate';
}

/**
 * Whether the client can answer the Initiator from where it is, the way that the Initiator called. FROM has an address and
 * no port: in UDP only the common one will do, and what a NAT made of another is for relays (RFC 9028).
 */
function leadsTo(initiator: HipPath, client: HipPath): boolean {
  const { address, port } = initiator.remote;
  if (!sameFamily(address, client.remote.address)) return false;
  return client.remote.port === 0 ? port === 0 : port === hipUdpPort;
}
