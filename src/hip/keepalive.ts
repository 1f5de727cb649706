// What keeps a NAT from forgetting an association in UDP that says nothing else (RFC 9028 4.10, 5.3).
import { appendHipSignature } from '#crypto';
import { encodeHipPacket, HipNotifyType, HipPacketType, type HipParameter } from '#wire';
import type { HipAssociation, Standing } from './association.ts';
import type { HipHostState } from './host-state.ts';
import { verifiedPath } from './locators/verified-path.ts';

/** When the next one is due; `undefined`: there is no NAT to be kept awake. Data of ours does it as well. */
export function keepaliveAt(
  { configuration }: HipHostState,
  { path }: HipAssociation,
  { state, keptAliveAt, lastOutboundAt }: Standing,
): number | undefined {
  if (path.remote.port === 0 || state !== 'ESTABLISHED') return undefined;
  return Math.max(keptAliveAt, lastOutboundAt) + configuration.keepaliveMs;
}

export function tendKeepalive(state: HipHostState, association: HipAssociation, standing: Standing): void {
  const due = keepaliveAt(state, association, standing);
  if (due === undefined || state.at < due) return;
  standing.keptAliveAt = state.at;
  // It is always the same, so that one signature is enough.
  standing.keepalive ??= encodeKeepalive(state, association);
  state.transmit(verifiedPath(association, standing), standing.keepalive);
}

function encodeKeepalive(state: HipHostState, { local, remote }: HipAssociation): Uint8Array {
  const { NOTIFY } = HipPacketType;
  const octets = encodeHipPacket({
    header: { packetType: NOTIFY, anonymous: false, sender: local.identity.hit, receiver: remote },
    parameters: [{ type: 'NOTIFICATION', notifyType: HipNotifyType.NAT_KEEPALIVE, data: new Uint8Array() }],
  });
  return appendHipSignature(octets, local.key, state.ports.randomness);
}

/** Whether a NOTIFY is for NATs alone; those of RFC 5770 5.3 have no parameters at all. */
export function isKeepalive(parameters: readonly HipParameter[]): boolean {
  return parameters.every(
    (one) => one.type !== 'NOTIFICATION' || one.notifyType === HipNotifyType.NAT_KEEPALIVE,
  );
}
