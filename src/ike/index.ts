// Room `ike`: IKEv2 (RFC 7296), one IKE SA at a time.
export * from './configuration.ts';
export * from './interface.ts';
