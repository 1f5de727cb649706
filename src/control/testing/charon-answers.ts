// What Debian's charon-systemd 5.9.8 answered over vici between two hosts with a pre-shared key (UDP encapsulation forced
// by one of them), as recorded with our client. Values are its own; they stand for kinds of values.
import type { ViciMessage } from '#wire';

const ikeSa = {
  uniqueid: '1',
  version: '2',
  state: 'ESTABLISHED',
  'local-host': '10.99.0.1',
  'local-port': '4500',
  'local-id': 'left.example',
  'remote-host': '10.99.0.2',
  'remote-port': '4500',
  'remote-id': 'right.example',
  initiator: 'yes',
  'initiator-spi': '20f5705c3d57b7c6',
  'responder-spi': '80844ece8e148116',
  'nat-remote': 'yes',
  'nat-any': 'yes',
  'encr-alg': 'AES_GCM_16',
  'encr-keysize': '128',
  'prf-alg': 'PRF_HMAC_SHA2_256',
  'dh-group': 'CURVE_25519',
  established: '0',
  'rekey-time': '14343',
} satisfies ViciMessage;

const childSa = {
  name: 'net',
  uniqueid: '1',
  reqid: '1',
  state: 'INSTALLED',
  mode: 'TUNNEL',
  protocol: 'ESP',
  encap: 'yes',
  'spi-in': '4737a1e7',
  'spi-out': 'b2a6c950',
  'encr-alg': 'AES_GCM_16',
  'encr-keysize': '128',
  'bytes-in': '0',
  'packets-in': '0',
  'bytes-out': '0',
  'packets-out': '0',
  'rekey-time': '3471',
  'life-time': '3960',
  'install-time': '0',
  'local-ts': ['10.1.0.0/24'],
  'remote-ts': ['10.2.0.0/24'],
} satisfies ViciMessage;

export const listSa: ViciMessage = { net: { ...ikeSa, 'child-sas': { 'net-1': childSa } } };

export const listConn: ViciMessage = {
  net: {
    local_addrs: ['10.99.0.1'],
    remote_addrs: ['10.99.0.2'],
    version: 'IKEv2',
    reauth_time: '0',
    rekey_time: '14400',
    unique: 'UNIQUE_REPLACE',
    dpd_delay: '30',
    'local-1': {
      id: 'left.example',
      class: 'pre-shared key',
      groups: [],
      cert_policy: [],
      certs: [],
      cacerts: [],
    },
    'remote-1': {
      id: 'right.example',
      class: 'pre-shared key',
      groups: [],
      cert_policy: [],
      certs: [],
      cacerts: [],
    },
    children: {
      net: {
        mode: 'TUNNEL',
        rekey_time: '3600',
        rekey_bytes: '0',
        rekey_packets: '0',
        dpd_action: 'none',
        close_action: 'none',
        'local-ts': ['10.1.0.0/24'],
        'remote-ts': ['10.2.0.0/24'],
      },
    },
  },
};

export const ikeUp: ViciMessage = { up: 'yes', net: ikeSa };
export const childUp: ViciMessage = { up: 'yes', ...listSa };

export const childRekey: ViciMessage = {
  net: { ...ikeSa, 'child-sas': { net: { old: childSa, new: childSa } } },
};

const { established: _established, 'rekey-time': _rekeyTime, ...rekeying } = ikeSa;
export const ikeRekey: ViciMessage = { net: { old: rekeying, new: ikeSa } };

export const stats: ViciMessage = {
  uptime: { running: '0 seconds', since: 'Nov 25 17:14:58 2026' },
  workers: { total: '16', idle: '6', active: { critical: '5', high: '0', medium: '5', low: '0' } },
  queues: { critical: '0', high: '0', medium: '0', low: '0' },
  scheduled: '0',
  ikesas: { total: '0', 'half-open': '0' },
  plugins: [],
  mallinfo: { sbrk: '2433024', mmap: '0', used: '458784', free: '1974240' },
};

/** Refusals, word for word. */
export const refusals: readonly (readonly [string, ViciMessage, string])[] = [
  ['unload-pool', { name: 'q' }, 'q not found'],
  ['unload-conn', { name: 'q' }, "unload: connection 'q' not found"],
  ['unload-authority', { name: 'q' }, "unload: authority 'q' not found"],
  ['unload-key', { id: 'aa' }, 'key not found'],
  ['initiate', { child: 'q' }, "CHILD_SA config 'q' not found"],
  ['initiate', {}, 'missing configuration name'],
  ['terminate', { child: 'q' }, 'no matching SAs to terminate found'],
  ['terminate', {}, 'missing terminate selector'],
  ['rekey', { child: 'q' }, 'no matching SAs to rekey found'],
  ['rekey', {}, 'missing rekey selector'],
  ['install', { child: 'q' }, 'configuration name not found'],
  ['install', {}, 'missing configuration name'],
  ['uninstall', { child: 'q' }, "policy 'q' not found"],
  ['load-shared', { type: 'x', data: 'x' }, 'invalid shared key type: x'],
  ['load-shared', {}, 'shared key type missing'],
  ['get-counters', { name: 'q' }, 'no counters found for this connection'],
];

/** Requests that charon grants although there is nothing to do. */
export const granted: readonly (readonly [string, ViciMessage])[] = [
  ['unload-shared', { id: 'q' }],
  ['load-conn', {}],
  ['flush-certs', {}],
  ['clear-creds', {}],
  ['reload-settings', {}],
  ['reset-counters', {}],
  ['reset-counters', { name: 'q' }],
];

/** All commands that charon knows. */
export const commands: readonly string[] = [
  'version',
  'stats',
  'reload-settings',
  'initiate',
  'terminate',
  'rekey',
  'redirect',
  'install',
  'uninstall',
  'list-sas',
  'list-policies',
  'list-conns',
  'get-conns',
  'list-certs',
  'list-authorities',
  'get-authorities',
  'load-conn',
  'unload-conn',
  'load-cert',
  'load-key',
  'unload-key',
  'get-keys',
  'load-token',
  'load-shared',
  'unload-shared',
  'get-shared',
  'flush-certs',
  'clear-creds',
  'load-authority',
  'unload-authority',
  'load-pool',
  'unload-pool',
  'get-pools',
  'get-algorithms',
  'get-counters',
  'reset-counters',
];
