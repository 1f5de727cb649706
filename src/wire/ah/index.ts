// Authentication Headers.
export {
  type AhPacket,
  type AuthenticationHeader,
  ahFixedLength,
  ahIcvLengthMax,
  decodeAh,
  encodeAh,
} from './header.ts';
