// Which values strongSwan's charon accepts, and where wayward deliberately does not agree.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connection, errorsOf } from '../testing/load.ts';

interface Verdicts {
  readonly accepts: readonly string[];
  readonly refuses: readonly string[];
}

/** Observed with Debian's strongSwan 5.9.8: whether `swanctl --load-conns` loads a connection with that one value. */
const charon: Readonly<Record<string, Verdicts>> = {
  proposals: {
    accepts: [
      'aes128-sha256-modp2048',
      'aes128gcm16-sha256-x25519',
      'aes128gcm16-prfsha256-x25519',
      'null-sha256-x25519',
      'aes128gmac-prfsha256-x25519',
      'aes128gcm16-prfsha256-none-x25519',
      'aes128-sha256-x25519-esn',
      'default',
      'aes128-sha256-x25519-md5',
      'aes128-sha256-modp1024',
      'aes128ctr-sha256-x25519',
    ],
    refuses: [
      'aes128gcm16-x25519',
      'aes128-x25519',
      'aes128-sha256',
      'aes128gcm16-aes128-sha256-x25519',
      'aes128gcm16-prfsha256-none',
      'aes128-foo',
      'AES128-sha256-x25519',
      'sha256-x25519',
      'aes128-prfsha256-x25519',
      'aes128-sha256-modp2048-foo',
    ],
  },
  esp_proposals: {
    accepts: [
      'aes128gcm16',
      'aes128',
      'aes128-sha256',
      'aes128gcm16-sha256',
      'null-sha256',
      'aes128gmac',
      'aes128gcm16-prfsha256',
      'aes128gcm16-esn-noesn',
      'aes128gcm16-none',
      'aes128gcm16-none-x25519',
      'default',
      'chacha20poly1305compat',
    ],
    refuses: ['sha256', 'aes128gcm16-aes128'],
  },
  ah_proposals: {
    accepts: ['sha256', 'aes128-sha256', 'sha256-esn', 'default', 'aes128gmac'],
    refuses: ['aes128', 'modp2048'],
  },
  dpd_delay: {
    accepts: ['10', '10s', '1h', '-1', ' 10 s'],
    refuses: ['10ms', '1.5h', '5 weeks', '1w'],
  },
  keyingtries: {
    accepts: ['0', '-1'],
    refuses: ['%forever', 'x'],
  },
  version: {
    accepts: ['0', '1', '2', '3'],
    refuses: [],
  },
  encap: {
    accepts: ['1', 'yes', 'YES', 'true', 'enabled', 'no'],
    refuses: ['on'],
  },
  fragmentation: {
    accepts: ['yes', 'force', 'no'],
    refuses: ['off'],
  },
  unique: {
    accepts: ['no', 'never', 'keep', 'replace'],
    refuses: ['yes'],
  },
  send_cert: {
    accepts: ['ifasked', 'always', 'never'],
    refuses: ['yes', 'no'],
  },
  rekey_bytes: {
    accepts: ['1G', '1g', '10k', '1M', '1 G'],
    refuses: ['1T', '1.5G'],
  },
  rekey_packets: {
    accepts: ['10', '-1'],
    refuses: ['1k'],
  },
  start_action: {
    accepts: ['none', 'trap', 'start', 'trap|start', 'start|trap', 'clear', 'restart', 'route'],
    refuses: ['hold'],
  },
  close_action: {
    accepts: ['none', 'trap', 'start', 'clear', 'restart', 'route'],
    refuses: ['hold'],
  },
  dpd_action: {
    accepts: ['clear', 'trap', 'restart', 'none', 'start', 'route'],
    refuses: ['hold'],
  },
  mode: {
    accepts: ['tunnel', 'transport', 'beet', 'pass', 'drop', 'transport_proxy', 'TUNNEL'],
    refuses: [],
  },
  local_ts: {
    accepts: [
      'dynamic',
      'dynamic[udp]',
      '10.0.0.0/24',
      '10.0.0.0/24[tcp]',
      '10.0.0.0/24[tcp/80]',
      '10.0.0.0/24[6/80]',
      '10.0.0.0/24[/80]',
      '10.0.0.0/24[tcp/80-90]',
      '10.0.0.0/24[tcp/opaque]',
      '10.0.0.0/24[tcp/any]',
      '10.0.0.0/24[any/80]',
      '10.0.0.1-10.0.0.9',
      '10.0.0.0/33',
      '0.0.0.0/0',
      '10.0.0.0/24[icmp/8]',
      '10.0.0.0/24[tcp/http]',
      '10.0.0.0/24[gre/100]',
      '10.0.0.0/24[]',
      'dynamic[any]',
      '10.0.0.0/24[any/any]',
      '10.0.0.0/24[tcp/]',
      '10.0.0.1/32[17/domain]',
      '2001:db8::/32[ipv6-icmp/128]',
    ],
    refuses: [
      '10.0.0.1..10.0.0.9',
      '[tcp/80]',
      'host',
      '%dynamic',
      '10.0.0.0/24[%any/53]',
      '10.0.0.0/24[tcp',
      '10.0.0.0/24[256]',
      '10.0.0.0/24[tcp/70000]',
      '10.0.0.0/24[tcp/80',
      '10.0.0.0/24[opaque]',
    ],
  },
  tfc_padding: {
    accepts: ['0', '100', 'mtu'],
    refuses: ['x'],
  },
  replay_window: {
    accepts: ['0', '32'],
    refuses: ['x'],
  },
  copy_dscp: {
    accepts: ['out', 'in', 'yes', 'no'],
    refuses: ['both'],
  },
  inactivity: {
    accepts: ['10m'],
    refuses: ['x'],
  },
  mark_in: {
    accepts: ['0', '0x0', '%unique', '%unique-dir', '1/0xff', '0x10/0x0f'],
    refuses: ['x'],
  },
  if_id_in: {
    accepts: ['0', '5', '0x10', '%unique'],
    refuses: ['x'],
  },
  dscp: {
    accepts: ['0', '111111111', '000000'],
    refuses: [],
  },
  local_addrs: {
    accepts: ['%any', '%any6', '10.0.0.300', '10.0.0.0/8', '10.0.0.1-10.0.0.9', 'a.b', '%defaultroute'],
    refuses: [],
  },
  vips: {
    accepts: ['0.0.0.0', '::', '10.0.0.1'],
    refuses: ['%config', 'a.b'],
  },
  local_port: {
    accepts: ['0', '500', '70000'],
    refuses: ['x'],
  },
  childless: {
    accepts: ['allow', 'force', 'never'],
    refuses: ['no'],
  },
  revocation: {
    accepts: ['strict', 'ifuri', 'relaxed'],
    refuses: ['no'],
  },
  auth: {
    accepts: [
      'psk',
      'pubkey',
      'eap',
      'eap-mschapv2',
      'eap-tls',
      'rsa-2048-sha256',
      'ike:pubkey-sha384',
      'xauth',
    ],
    refuses: ['any', 'foo'],
  },
};

/** Where we refuse what charon accepts, or the other way round, and why. */
const deviations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  proposals: {
    'null-sha256-x25519': 'no IKE without encryption',
    'aes128gmac-prfsha256-x25519': 'no IKE without encryption',
    'aes128-sha256-x25519-esn': 'esn has no meaning in IKE',
    'aes128-sha256-x25519-md5': 'not in our crypto',
    'aes128-sha256-modp1024': 'not in our crypto',
  },
  esp_proposals: {
    aes128: 'no ESP without integrity',
    'aes128gcm16-prfsha256': 'a PRF has no meaning in ESP',
    chacha20poly1305compat: 'not in our crypto',
  },
  ah_proposals: {
    'aes128-sha256': 'a cipher has no meaning in AH',
    aes128gmac: 'a cipher has no meaning in AH',
  },
  dpd_delay: { '10ms': 'milliseconds are an addition', '-1': 'negative' },
  keyingtries: { '-1': 'negative' },
  version: { '1': 'no IKEv1', '3': 'no such version' },
  rekey_packets: { '-1': 'negative' },
  start_action: { 'trap|start': 'not supported', 'start|trap': 'not supported' },
  mode: { pass: 'not supported', drop: 'not supported', transport_proxy: 'not supported' },
  local_ts: { '10.0.0.0/33': 'no such block' },
  dscp: { '0': 'documented as six digits', '111111111': 'documented as six digits' },
  local_addrs: {
    '10.0.0.300': 'taken for a host name there',
    '%defaultroute': 'taken for a host name there',
  },
  local_port: { '70000': 'no such port' },
  childless: { force: 'not supported' },
  auth: {
    any: 'an addition',
    eap: 'not if we have no certificate',
    'eap-mschapv2': 'not if we have no certificate',
    'eap-tls': 'not supported',
    'rsa-2048-sha256': 'not supported',
    'ike:pubkey-sha384': 'not supported',
    xauth: 'not supported',
  },
};

const ofChild = new Set([
  ...[
    'esp_proposals',
    'ah_proposals',
    'rekey_bytes',
    'rekey_packets',
    'start_action',
    'close_action',
    'dpd_action',
  ],
  ...['mode', 'local_ts', 'tfc_padding', 'replay_window', 'copy_dscp', 'inactivity', 'mark_in', 'if_id_in'],
]);
const ofRemote = new Set(['auth', 'revocation']);

function isAccepted(option: string, value: string): boolean {
  const line = `${option} = "${value}"`;
  const remote = option === 'start_action' ? { connection: 'remote_addrs = 192.0.2.1' } : {};
  const lines = ofChild.has(option)
    ? { child: line }
    : ofRemote.has(option)
      ? { remote: line }
      : { connection: line };
  return errorsOf(connection({ ...remote, ...lines })).length === 0;
}

for (const [option, { accepts, refuses }] of Object.entries(charon)) {
  test(`${option}: what charon accepts and refuses, with reasons where we do otherwise`, () => {
    const reasons = deviations[option] ?? {};
    for (const [values, verdict] of [
      [accepts, true],
      [refuses, false],
    ] as const) {
      for (const value of values) {
        const expected = value in reasons ? !verdict : verdict;
        assert.equal(isAccepted(option, value), expected, `${option} = ${value}`);
      }
    }
    for (const value of Object.keys(reasons)) assert.ok([...accepts, ...refuses].includes(value), value);
  });
}
