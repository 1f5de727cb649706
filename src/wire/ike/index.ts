// IKEv2 messages (RFC 7296 section 3, RFC 7383): octets <-> typed payloads.
export * from './payloads.ts';
