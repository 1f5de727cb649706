// HIP version 2 (RFC 7401 5 and its companions): octets <-> typed packets and resource records.
export {
  addressHipR1,
  hipMac2Octets,
  hipMacOctets,
  hipParameterOctets,
  hipSignature2Octets,
  hipSignatureOctets,
} from './covered-octets.ts';
export { type Hit, hitBytes, hitFromBytes, hitLength, hitSuiteOf, orchidPrefix, zeroHit } from './hit.ts';
export {
  hipNotifyTypeName,
  hipPacketTypeName,
  hipParameterTypeName,
  registrationFailureName,
  registrationTypeName,
} from './names.ts';
export * from './numbers.ts';
export {
  appendHipParameters,
  decodeHipHeader,
  decodeHipPacket,
  encodeHipPacket,
  hipHeaderLength,
  hipPacketLengthMax,
  hipUdpPort,
  type ReceivedHipHeader,
  writeHipChecksum,
} from './packet.ts';
export {
  decodeHipParameters,
  encodeHipParameters,
  hipParameter,
  hipParameterTypeOf,
  unknownCriticalParameter,
} from './parameter-list.ts';
export * from './parameters.ts';
export { decodeHipRecord, encodeHipRecord, type HipRecord, hipRecordType } from './resource-record.ts';
