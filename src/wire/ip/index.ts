// IP packets of both versions, their checksums, selectors and fragments.
export * from './checksum.ts';
export * from './ipv4.ts';
export * from './ipv4-fragmentation.ts';
export * from './ipv4-options.ts';
export * from './ipv6.ts';
export {
  type ExtensionHeader,
  extensionHeaderLimit,
  type Ipv6Option,
  isExtensionHeader,
  padIpv6Options,
} from './ipv6-extension-headers.ts';
export * from './packet.ts';
export * from './packet-selectors.ts';
export * from './protocol.ts';
