// Numbers to names, for logs and for people. A number without a name prints with its kind: `N(40123)`.
import { CfgAttribute, CfgType, ExchangeType, NotifyType, PayloadType, ProtocolId } from './payloads.ts';

function names(table: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(table).map(([name, value]) => [value, name]));
}

const exchangeTypes = names(ExchangeType);
const payloadTypes = names(PayloadType);
const protocols = names(ProtocolId);
const notifyTypes = names(NotifyType);
const cfgTypes = names(CfgType);
const cfgAttributes = names(CfgAttribute);

/** `IKE_SA_INIT`, or `EXCHANGE(99)`. */
export function exchangeTypeName(type: number): string {
  return exchangeTypes.get(type) ?? `EXCHANGE(${type})`;
}

/** `SA`, or `PAYLOAD(99)`. */
export function payloadTypeName(type: number): string {
  return payloadTypes.get(type) ?? `PAYLOAD(${type})`;
}

/** `ESP`, or `PROTOCOL(99)`. */
export function protocolName(protocolId: number): string {
  return protocols.get(protocolId) ?? `PROTOCOL(${protocolId})`;
}

/** `NO_PROPOSAL_CHOSEN`, or `N(40123)`. */
export function notifyTypeName(type: number): string {
  return notifyTypes.get(type) ?? `N(${type})`;
}

/** `REQUEST`, or `CFG(99)`. */
export function cfgTypeName(type: number): string {
  return cfgTypes.get(type) ?? `CFG(${type})`;
}

/** `INTERNAL_IP4_DNS`, or `ATTRIBUTE(99)`. */
export function cfgAttributeName(type: number): string {
  return cfgAttributes.get(type) ?? `ATTRIBUTE(${type})`;
}
