// Numbers to names, for logs and for people. A number without a name prints with its kind: `PACKET(99)`.
import {
  HipNotifyType,
  HipPacketType,
  HipParameterType,
  RegistrationFailure,
  RegistrationType,
} from './numbers.ts';

function names(table: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(table).map(([name, value]) => [value, name]));
}

const packetTypes = names(HipPacketType);
const parameterTypes = names(HipParameterType);
const notifyTypes = names(HipNotifyType);
const registrationTypes = names(RegistrationType);
const registrationFailures = names(RegistrationFailure);

/** `I1`, or `PACKET(99)`. */
export function hipPacketTypeName(type: number): string {
  return packetTypes.get(type) ?? `PACKET(${type})`;
}

/** `HOST_ID`, or `PARAMETER(99)`. */
export function hipParameterTypeName(type: number): string {
  return parameterTypes.get(type) ?? `PARAMETER(${type})`;
}

/** `HIP_MAC_FAILED`, or `NOTIFY(99)`. */
export function hipNotifyTypeName(type: number): string {
  return notifyTypes.get(type) ?? `NOTIFY(${type})`;
}

/** `RENDEZVOUS`, or `SERVICE(99)`. */
export function registrationTypeName(type: number): string {
  return registrationTypes.get(type) ?? `SERVICE(${type})`;
}

/** `INSUFFICIENT_RESOURCES`, or `FAILURE(99)`. */
export function registrationFailureName(type: number): string {
  return registrationFailures.get(type) ?? `FAILURE(${type})`;
}
