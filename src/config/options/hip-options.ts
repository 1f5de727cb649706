// The options of `hip`: Host Identities, peers, and how the base exchange goes. swanctl ignores this section.
import { hipCipherNames, hipEspSuiteNames, hipGroupNames } from '../algorithms/hip.ts';
import type { SectionSchema } from './option.ts';

const identitySchema: SectionSchema = {
  path: 'hip.identities.<name>',
  options: [
    {
      name: 'file',
      type: 'text',
      class: 'supported',
      default: '',
      note: 'Private key, PEM or DER, RSA or ECDSA on P-256 or P-384, not encrypted. Relative to the folder of the configuration.',
    },
    {
      name: 'anonymous',
      type: 'boolean',
      class: 'supported',
      default: 'no',
      note: 'Say that the identity is in no directory (RFC 7401 5.1.2).',
    },
  ],
  sections: [],
};

const peerSchema: SectionSchema = {
  path: 'hip.peers.<name>',
  options: [
    {
      name: 'hit',
      type: 'hit',
      class: 'supported',
      default: '',
      note: 'Without it, whoever answers at `addrs` is taken (opportunistic mode, RFC 7401 4.1.8).',
    },
    {
      name: 'addrs',
      type: 'ip-addresses',
      class: 'supported',
      default: '',
      note: 'Where to call it, best first. Without any, it has to call.',
    },
    {
      name: 'lsi',
      type: 'ipv4-address',
      class: 'supported',
      default: '',
      note: 'An IPv4 address that stands for the HIT in this host alone.',
    },
    {
      name: 'udp',
      type: 'boolean',
      class: 'supported',
      default: 'no',
      note: 'Call it in UDP, port 10500, for a NAT on the way.',
    },
    {
      name: 'local_hit',
      type: 'hit',
      class: 'supported',
      default: '',
      note: 'Which of the identities calls it and may be called by its packets; all of them, if there are several, without this.',
    },
  ],
  sections: [],
};

export const hipSchema: SectionSchema = {
  path: 'hip',
  options: [
    {
      name: 'accept',
      type: 'choice',
      class: 'supported',
      default: 'configured',
      values: ['configured', 'any'],
      note: 'Who may call: the peers of this configuration, or everybody.',
    },
    {
      name: 'hosts',
      type: 'text',
      class: 'supported',
      default: '',
      note: 'File with further peers, one a line: HIT, addresses, and at the end perhaps a name. Relative to the folder of the configuration.',
    },
    {
      name: 'dh_groups',
      type: 'choices',
      class: 'supported',
      default: 'ecp256, ecp384, modp3072, modp2048',
      values: hipGroupNames,
    },
    {
      name: 'ciphers',
      type: 'choices',
      class: 'supported',
      default: 'aes128, aes256',
      values: hipCipherNames,
      note: 'Of HIP packets, in CBC mode.',
    },
    {
      name: 'esp_suites',
      type: 'choices',
      class: 'supported',
      default: 'aes128gcm16, aes128-sha256, aes256-sha256, aes128ccm16',
      values: hipEspSuiteNames,
      note: 'Those with `null` or `gmac` only authenticate, and are used only where they are named.',
    },
    {
      name: 'puzzle_difficulty_min',
      type: 'count',
      class: 'supported',
      default: '4',
      maximum: 32,
      note: 'Bits that a caller has to search for while few call.',
    },
    {
      name: 'puzzle_difficulty_max',
      type: 'count',
      class: 'supported',
      default: '20',
      maximum: 32,
      note: 'Bits under a flood of calls.',
    },
    {
      name: 'puzzle_difficulty_accepted',
      type: 'count',
      class: 'supported',
      default: '24',
      maximum: 32,
      note: 'A peer that asks for more bits is not called.',
    },
    {
      name: 'puzzle_calm',
      type: 'count',
      class: 'supported',
      default: '32',
      minimum: 1,
      maximum: 1_000_000,
      note: 'Calls per second beyond which the puzzle gets harder.',
    },
    {
      name: 'r1_rate',
      type: 'count',
      class: 'supported',
      default: '2000',
      minimum: 1,
      maximum: 1_000_000,
      note: 'R1 packets per second in all. An R1 is larger than the I1 that it answers.',
    },
    {
      name: 'r1_rate_prefix',
      type: 'count',
      class: 'supported',
      default: '8',
      minimum: 1,
      maximum: 1_000_000,
      note: 'R1 packets per second to one IPv4 address or one IPv6 /64.',
    },
    {
      name: 'retransmit_timeout',
      type: 'duration',
      class: 'supported',
      default: '1s',
      note: 'Wait before the first retransmission; it doubles.',
    },
    {
      name: 'retransmit_tries',
      type: 'count',
      class: 'supported',
      default: '5',
      minimum: 1,
      maximum: 20,
    },
    {
      name: 'unused_time',
      type: 'duration',
      class: 'supported',
      default: '15m',
      note: 'An association without traffic is closed after this; at least `10s`.',
    },
    {
      name: 'rekey_time',
      type: 'duration',
      class: 'supported',
      default: '1h',
      note: 'ESP SAs are replaced after this; 0: not for their age.',
    },
    { name: 'replay_window', type: 'count', class: 'supported', default: '64', minimum: 32, maximum: 4096 },
  ],
  sections: [
    {
      name: 'identities',
      schema: {
        path: 'hip.identities',
        options: [],
        sections: [{ name: '<name>', schema: identitySchema }],
      },
    },
    {
      name: 'peers',
      schema: { path: 'hip.peers', options: [], sections: [{ name: '<name>', schema: peerSchema }] },
    },
  ],
};
