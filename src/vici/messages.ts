// What each command takes and gives, and what each event holds, as strongSwan 5.9 documents and sends them. Every value on
// the wire is text or octets: numbers, times and yes stay text here. A daemon may leave out or add names.
import type { ViciItem, ViciMessage } from '#wire';

/** No names at all are asked for or answered. */
export type NoNames = { readonly [name: string]: never };

/** `success = no` comes as a `ViciError` with the code `failed`. */
export type ViciSuccess = { readonly success: string };

export type ViciSelection = {
  readonly child?: string;
  readonly ike?: string;
  readonly 'child-id'?: string;
  readonly 'ike-id'?: string;
};

export type ViciLogSelection = {
  /** Milliseconds; absent or 0 waits for ever, -1 not at all. */
  readonly timeout?: string;
  /** 0 to 4; absent is 1. */
  readonly loglevel?: string;
};

export type ViciLog = {
  readonly group: string;
  readonly level: string;
  readonly msg: string;
  readonly thread?: string;
  readonly 'ikesa-name'?: string;
  readonly 'ikesa-uniqueid'?: string;
};

export type ViciChildSa = {
  readonly name: string;
  readonly uniqueid: string;
  readonly reqid: string;
  readonly state: string;
  readonly mode: string;
  readonly protocol?: string;
  readonly encap?: string;
  readonly 'spi-in'?: string;
  readonly 'spi-out'?: string;
  readonly 'encr-alg'?: string;
  readonly 'encr-keysize'?: string;
  readonly 'integ-alg'?: string;
  readonly 'integ-keysize'?: string;
  readonly 'dh-group'?: string;
  readonly esn?: string;
  readonly 'bytes-in'?: string;
  readonly 'packets-in'?: string;
  /** Seconds since the last packet. */
  readonly 'use-in'?: string;
  readonly 'bytes-out'?: string;
  readonly 'packets-out'?: string;
  readonly 'use-out'?: string;
  /** Seconds. */
  readonly 'rekey-time'?: string;
  readonly 'life-time'?: string;
  readonly 'install-time'?: string;
  readonly 'local-ts': readonly string[];
  readonly 'remote-ts': readonly string[];
};

export type ViciIkeSa = {
  readonly uniqueid: string;
  readonly version: string;
  readonly state: string;
  readonly 'local-host': string;
  readonly 'local-port': string;
  readonly 'local-id': string;
  readonly 'remote-host': string;
  readonly 'remote-port': string;
  readonly 'remote-id': string;
  readonly initiator?: string;
  readonly 'initiator-spi': string;
  readonly 'responder-spi': string;
  readonly 'nat-local'?: string;
  readonly 'nat-remote'?: string;
  readonly 'nat-any'?: string;
  readonly 'encr-alg'?: string;
  readonly 'encr-keysize'?: string;
  readonly 'integ-alg'?: string;
  readonly 'integ-keysize'?: string;
  readonly 'prf-alg'?: string;
  readonly 'dh-group'?: string;
  /** Seconds. */
  readonly established?: string;
  readonly 'rekey-time'?: string;
  readonly 'reauth-time'?: string;
  readonly 'local-vips'?: readonly string[];
  readonly 'remote-vips'?: readonly string[];
  readonly 'tasks-queued'?: readonly string[];
  readonly 'tasks-active'?: readonly string[];
  readonly 'tasks-passive'?: readonly string[];
  readonly 'child-sas'?: { readonly [nameAndId: string]: ViciChildSa };
};

export type ViciPolicy = {
  readonly child: string;
  readonly ike?: string;
  readonly mode: string;
  readonly 'local-ts': readonly string[];
  readonly 'remote-ts': readonly string[];
};

export type ViciConnection = {
  readonly local_addrs: readonly string[];
  readonly remote_addrs: readonly string[];
  readonly version: string;
  readonly reauth_time?: string;
  readonly rekey_time?: string;
  readonly unique?: string;
  readonly dpd_delay?: string;
  readonly children: {
    readonly [name: string]: {
      readonly mode: string;
      readonly rekey_time?: string;
      readonly rekey_bytes?: string;
      readonly rekey_packets?: string;
      readonly dpd_action?: string;
      readonly close_action?: string;
      readonly 'local-ts': readonly string[];
      readonly 'remote-ts': readonly string[];
    };
  };
};

export type ViciCertificate = {
  readonly type: string;
  readonly flag?: string;
  readonly has_privkey?: string;
  readonly data: ViciItem;
};

export type ViciAuthority = {
  readonly cacert?: string;
  readonly crl_uris?: readonly string[];
  readonly ocsp_uris?: readonly string[];
};

/** Of commands that send no events. */
interface Requests {
  version: {
    request: NoNames;
    response: { daemon: string; version: string; sysname: string; release: string; machine: string };
  };
  stats: { request: NoNames; response: ViciMessage };
  'reload-settings': { request: NoNames; response: ViciSuccess };
  rekey: { request: ViciSelection & { reauth?: string }; response: ViciSuccess & { matches: string } };
  redirect: {
    request: { ike?: string; 'ike-id'?: string; 'peer-ip'?: string; 'peer-id'?: string; gateway: string };
    response: ViciSuccess & { matches: string };
  };
  install: { request: { child: string; ike?: string }; response: ViciSuccess };
  uninstall: { request: { child: string; ike?: string }; response: ViciSuccess };
  'get-conns': { request: NoNames; response: { conns: readonly string[] } };
  'get-authorities': { request: NoNames; response: { authorities: readonly string[] } };
  'load-conn': { request: { readonly [name: string]: ViciMessage }; response: ViciSuccess };
  'unload-conn': { request: { name: string }; response: ViciSuccess };
  'load-cert': { request: { type: string; flag?: string; data: ViciItem }; response: ViciSuccess };
  'load-key': { request: { type: string; data: ViciItem }; response: ViciSuccess & { id: string } };
  'unload-key': { request: { id: string }; response: ViciSuccess };
  'get-keys': { request: NoNames; response: { keys: readonly string[] } };
  'load-token': { request: ViciMessage; response: ViciSuccess & { id: string } };
  'load-shared': {
    request: { id?: string; type: string; data: ViciItem; owners?: readonly string[] };
    response: ViciSuccess;
  };
  'unload-shared': { request: { id: string }; response: ViciSuccess };
  'get-shared': { request: NoNames; response: { keys: readonly string[] } };
  'flush-certs': { request: { type?: string }; response: ViciSuccess };
  'clear-creds': { request: NoNames; response: ViciSuccess };
  'load-authority': { request: { readonly [name: string]: ViciMessage }; response: ViciSuccess };
  'unload-authority': { request: { name: string }; response: ViciSuccess };
  'load-pool': { request: { readonly [name: string]: ViciMessage }; response: ViciSuccess };
  'unload-pool': { request: { name: string }; response: ViciSuccess };
  'get-pools': {
    request: { leases?: string; name?: string };
    response: { readonly [pool: string]: { base: string; size: string; online: string; offline: string } };
  };
  'get-algorithms': {
    request: NoNames;
    response: { readonly [kind: string]: { readonly [algorithm: string]: string } };
  };
  'get-counters': {
    request: { name?: string; all?: string };
    response: ViciSuccess & {
      counters: { readonly [connection: string]: { readonly [counter: string]: string } };
    };
  };
  'reset-counters': { request: { name?: string; all?: string }; response: ViciSuccess };
}

/** Of commands that send events while they run. */
interface Streams {
  initiate: {
    request: ViciLogSelection & { child?: string; ike?: string; 'init-limits'?: string };
    event: ViciLog;
    response: ViciSuccess;
  };
  terminate: {
    request: ViciSelection & ViciLogSelection & { force?: string };
    event: ViciLog;
    response: ViciSuccess & { matches: string; terminated: string };
  };
  'list-sas': {
    request: { noblock?: string; ike?: string; 'ike-id'?: string; child?: string; 'child-id'?: string };
    event: { readonly [name: string]: ViciIkeSa };
    response: NoNames;
  };
  'list-policies': {
    request: { drop?: string; pass?: string; trap?: string; child?: string };
    event: { readonly [name: string]: ViciPolicy };
    response: NoNames;
  };
  'list-conns': {
    request: { ike?: string };
    event: { readonly [name: string]: ViciConnection };
    response: NoNames;
  };
  'list-certs': {
    request: { type?: string; flag?: string; subject?: string };
    event: ViciCertificate;
    response: NoNames;
  };
  'list-authorities': {
    request: { name?: string };
    event: { readonly [name: string]: ViciAuthority };
    response: NoNames;
  };
}

/** Events that come by themselves. `up` is there where it is the news. */
interface Events {
  log: ViciLog;
  'ike-updown': { readonly up?: string; readonly [name: string]: ViciIkeSa | string | undefined };
  'ike-rekey': { readonly [name: string]: { readonly old: ViciIkeSa; readonly new: ViciIkeSa } };
  'ike-update': { readonly [name: string]: ViciIkeSa | string };
  'child-updown': { readonly up?: string; readonly [name: string]: ViciIkeSa | string | undefined };
  'child-rekey': { readonly [name: string]: ViciMessage };
  alert: ViciMessage;
}

type Frozen<T> = { readonly [K in keyof T]: { readonly [F in keyof T[K]]: Readonly<T[K][F]> } };

export type ViciRequests = Frozen<Requests>;
export type ViciStreams = Frozen<Streams>;
export type ViciEvents = { readonly [K in keyof Events]: Events[K] };

/** Which event a streaming command sends. */
export const streamedEvents: { readonly [K in keyof ViciStreams]: string } = {
  initiate: 'control-log',
  terminate: 'control-log',
  'list-sas': 'list-sa',
  'list-policies': 'list-policy',
  'list-conns': 'list-conn',
  'list-certs': 'list-cert',
  'list-authorities': 'list-authority',
};
