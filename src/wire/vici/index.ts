// The vici protocol: how programs talk to an IKE daemon of the strongSwan kind.
export * from './frame-reader.ts';
export * from './limits.ts';
export {
  decodeViciMessage,
  encodeViciMessage,
  octetsOfViciItem,
  type ViciItem,
  type ViciMessage,
  viciText,
} from './message.ts';
export * from './packet.ts';
