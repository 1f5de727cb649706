// The options of `connections`: IKE SAs and how their ends authenticate.
import { childSchema } from './child-options.ts';
import type { Option, SectionSchema, Subsection } from './option.ts';

const tokenNote = 'Tokens and smartcards are not supported.';

function certificateSection(path: string, name: string): Subsection {
  return {
    name,
    schema: {
      path: `${path}.${name}`,
      options: [
        { name: 'file', type: 'files', class: 'supported', default: '' },
        { name: 'handle', type: 'text', class: 'security-unsupported', default: '', note: tokenNote },
        { name: 'slot', type: 'count', class: 'security-unsupported', default: '', note: tokenNote },
        { name: 'module', type: 'text', class: 'security-unsupported', default: '', note: tokenNote },
      ],
      sections: [],
    },
  };
}

const roundNote = 'Without effect: each side authenticates in exactly one round.';
const xauthNote = 'XAuth belongs to IKEv1.';
const publicKeyNote = 'Raw public keys are not supported, only certificates.';

const localPath = 'connections.<conn>.local<suffix>';

const localSchema: SectionSchema = {
  path: localPath,
  options: [
    { name: 'round', type: 'count', class: 'supported', default: '0', note: roundNote },
    { name: 'certs', type: 'files', class: 'supported', default: '', note: 'Relative to `x509/`.' },
    { name: 'pubkeys', type: 'files', class: 'security-unsupported', default: '', note: publicKeyNote },
    {
      name: 'auth',
      type: 'authentication',
      class: 'supported',
      default: 'pubkey',
      values: ['psk', 'pubkey', 'eap-mschapv2', 'eap'],
      note:
        '`eap-mschapv2`: by a user name and a password, as the end that initiates; the remote `auth` is `pubkey` then. `eap` is any method ' +
        'that there is, of which there is one. Other methods of EAP, XAuth and constraints on keys and hash algorithms are not supported.',
    },
    {
      name: 'id',
      type: 'identity',
      class: 'supported',
      default: '',
      note: 'Default: the subject of the certificate, or our address.',
    },
    {
      name: 'eap_id',
      type: 'identity',
      class: 'supported',
      default: '',
      note: 'With EAP: the user name, whose password is in an `eap` secret. Default: `id`.',
    },
    {
      name: 'aaa_id',
      type: 'identity',
      class: 'security-unsupported',
      default: '',
      note: 'EAP-MSCHAPv2 has no identity of a server.',
    },
    { name: 'xauth_id', type: 'identity', class: 'security-unsupported', default: '', note: xauthNote },
  ],
  sections: [certificateSection(localPath, 'cert<suffix>')],
};

const remotePath = 'connections.<conn>.remote<suffix>';

const remoteSchema: SectionSchema = {
  path: remotePath,
  options: [
    { name: 'round', type: 'count', class: 'supported', default: '0', note: roundNote },
    { name: 'id', type: 'identity', class: 'supported', default: '%any' },
    {
      name: 'eap_id',
      type: 'identity',
      class: 'supported',
      default: '',
      note:
        'With EAP: which users get in, where `*` and `%any` may stand as in `id`. Who is not named exactly is asked for his name first, as ' +
        'most clients expect: `%any`. It is the name that is authenticated. Default: `id`, and nobody is asked first.',
    },
    { name: 'groups', type: 'texts', class: 'security-unsupported', default: '' },
    { name: 'cert_policy', type: 'texts', class: 'security-unsupported', default: '' },
    { name: 'certs', type: 'files', class: 'supported', default: '', note: 'Relative to `x509/`.' },
    { name: 'cacerts', type: 'files', class: 'supported', default: '', note: 'Relative to `x509ca/`.' },
    { name: 'ca_id', type: 'identity', class: 'security-unsupported', default: '' },
    { name: 'pubkeys', type: 'files', class: 'security-unsupported', default: '', note: publicKeyNote },
    {
      name: 'revocation',
      type: 'choice',
      class: 'supported',
      default: 'relaxed',
      values: ['strict', 'ifuri', 'relaxed'],
      note: 'Revocation lists come from `x509crl/`; none are fetched.',
    },
    {
      name: 'auth',
      type: 'authentication',
      class: 'supported',
      default: 'pubkey',
      values: ['psk', 'pubkey', 'eap-mschapv2', 'eap', 'eap-dynamic', 'any'],
      note:
        '`eap-mschapv2`: the peer initiates, and has a user name and a password of an `eap` secret; the local `auth` is `pubkey` then. ' +
        '`eap` and `eap-dynamic` are any method that there is, of which there is one. `any`, which strongSwan does not know, is `psk` or ' +
        '`pubkey`. Other methods of EAP, XAuth and constraints on keys and hash algorithms are not supported.',
    },
  ],
  sections: [
    certificateSection(remotePath, 'cert<suffix>'),
    certificateSection(remotePath, 'cacert<suffix>'),
  ],
};

const ikev1Note = 'IKEv1 only.';
const interfaceNote = 'Of all children that do not say it themselves.';
const ppkNote = 'Post-quantum preshared keys (RFC 8784) are not supported.';
const mediationNote = 'The mediation extension is not supported.';

const connectionOptions: readonly Option[] = [
  {
    name: 'version',
    type: 'choice',
    class: 'supported',
    default: '0',
    values: ['2', '0'],
    otherValues: ['1'],
    note: 'There is no IKEv1: 0 means 2.',
  },
  { name: 'local_addrs', type: 'remote-addresses', class: 'supported', default: '%any' },
  { name: 'remote_addrs', type: 'remote-addresses', class: 'supported', default: '%any' },
  { name: 'local_port', type: 'count', class: 'supported', default: '500', minimum: 0, maximum: 65535 },
  { name: 'remote_port', type: 'count', class: 'supported', default: '500', minimum: 1, maximum: 65535 },
  { name: 'proposals', type: 'ike-proposals', class: 'supported', default: 'default' },
  {
    name: 'vips',
    type: 'ip-addresses',
    class: 'supported',
    default: '',
    note: '`0.0.0.0` and `::` ask for any address.',
  },
  { name: 'aggressive', type: 'boolean', class: 'harmless-unsupported', default: 'no', note: ikev1Note },
  { name: 'pull', type: 'boolean', class: 'harmless-unsupported', default: 'yes', note: ikev1Note },
  { name: 'dscp', type: 'codepoint', class: 'harmless-unsupported', default: '000000' },
  { name: 'encap', type: 'boolean', class: 'supported', default: 'no' },
  {
    name: 'mobike',
    type: 'boolean',
    class: 'supported',
    default: 'yes',
    note:
      'MOBIKE (RFC 4555), for connections whose children are all in tunnel mode: an IKE SA and its Child SAs go on when the address of ' +
      'either end changes. Uses UDP 4500 from IKE_AUTH on, also without a NAT. With addresses in `local_addrs` we move only among ' +
      'these; with `%any`, to whatever address leads to the peer. `remote_addrs` says where a peer may begin, not where it may move.',
  },
  { name: 'dpd_delay', type: 'duration', class: 'supported', default: '0s' },
  { name: 'dpd_timeout', type: 'duration', class: 'harmless-unsupported', default: '0s', note: ikev1Note },
  {
    name: 'fragmentation',
    type: 'choice',
    class: 'supported',
    default: 'yes',
    values: ['yes', 'accept', 'force', 'no'],
  },
  {
    name: 'childless',
    type: 'choice',
    class: 'security-unsupported',
    default: 'allow',
    values: ['allow', 'force', 'never'],
    same: ['never'],
    note: 'The first Child SA is always made in IKE_AUTH (no RFC 6023).',
  },
  { name: 'send_certreq', type: 'boolean', class: 'supported', default: 'yes' },
  {
    name: 'send_cert',
    type: 'choice',
    class: 'supported',
    default: 'ifasked',
    values: ['always', 'never', 'ifasked'],
  },
  { name: 'ppk_id', type: 'identity', class: 'security-unsupported', default: '', note: ppkNote },
  { name: 'ppk_required', type: 'boolean', class: 'security-unsupported', default: 'no', note: ppkNote },
  {
    name: 'keyingtries',
    type: 'count',
    class: 'supported',
    default: '1',
    maximum: 0xffff_ffff,
    note: '0: for ever.',
  },
  {
    name: 'unique',
    type: 'choice',
    class: 'supported',
    default: 'no',
    values: ['no', 'never', 'keep', 'replace'],
    note: '`keep`: where the same peer makes another IKE SA, the older one is asked whether it lives. If it answers, the newer one goes.',
  },
  {
    name: 'unknown_spi',
    type: 'choice',
    class: 'supported',
    default: 'host',
    values: ['host', 'silent', 'shy', 'helpful', 'debug'],
    note: 'As `wayward.unknown_spi`, for packets that have to do with this connection; `host`: what that says.',
  },
  {
    name: 'quick_crash_detection',
    type: 'choice',
    class: 'supported',
    default: 'host',
    values: ['host', 'yes', 'no'],
    note: 'As `wayward.quick_crash_detection`, for the peers of this connection.',
  },
  { name: 'reauth_time', type: 'duration', class: 'supported', default: '0s' },
  {
    name: 'rekey_time',
    type: 'duration',
    class: 'supported',
    default: '4h',
    note: 'Default with a reauth_time: 0s.',
  },
  { name: 'over_time', type: 'duration', class: 'supported', default: '10% of the longer of both' },
  {
    name: 'rand_time',
    type: 'duration',
    class: 'supported',
    default: 'over_time',
    note: 'The default is at most half of the time it is subtracted from.',
  },
  {
    name: 'pools',
    type: 'texts',
    class: 'supported',
    default: '',
    note: 'Each must be one of the `pools` below.',
  },
  {
    name: 'message_id_sync',
    type: 'boolean',
    class: 'supported',
    default: 'yes',
    note: 'wayward only. Announce and answer the synchronisation of Message IDs (RFC 6311), for a peer that is a cluster.',
  },
  {
    name: 'resumption',
    type: 'boolean',
    class: 'supported',
    default: 'yes',
    note: 'wayward only. As client ask for tickets, as gateway give and accept them (RFC 5723). A peer that knows none of this is not disturbed.',
  },
  {
    name: 'resumption_rekey',
    type: 'boolean',
    class: 'supported',
    default: 'yes',
    note: 'wayward only. Rekey a resumed IKE SA at once: a ticket alone makes no fresh key exchange.',
  },
  {
    name: 'ticket_lifetime',
    type: 'duration',
    class: 'supported',
    default: '1h',
    note: 'wayward only. As gateway: how long a ticket is good, from `1s` to `24h`, if the IKE SA may live as long.',
  },
  { name: 'if_id_in', type: 'interface-id', class: 'supported', default: '0', note: interfaceNote },
  { name: 'if_id_out', type: 'interface-id', class: 'supported', default: '0', note: interfaceNote },
  { name: 'mediation', type: 'boolean', class: 'security-unsupported', default: 'no', note: mediationNote },
  { name: 'mediated_by', type: 'text', class: 'security-unsupported', default: '', note: mediationNote },
  {
    name: 'mediation_peer',
    type: 'identity',
    class: 'security-unsupported',
    default: '',
    note: mediationNote,
  },
];

export const connectionSchema: SectionSchema = {
  path: 'connections.<conn>',
  options: connectionOptions,
  sections: [
    {
      name: 'children',
      schema: {
        path: 'connections.<conn>.children',
        options: [],
        sections: [{ name: '<child>', schema: childSchema }],
      },
    },
    { name: 'local<suffix>', schema: localSchema },
    { name: 'remote<suffix>', schema: remoteSchema },
  ],
};
