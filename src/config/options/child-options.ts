// The options of `children`: Child SAs, their traffic and their lifetimes.
import type { Option, SectionSchema } from './option.ts';

const markNote =
  "Needs the kernel's data plane. `%unique` and `%unique-dir`: a number of the Child SA's own.";
const interfaceNote =
  "Needs the kernel's data plane, and an XFRM interface of that number. Routes into it are the operator's.";
const offloadNote =
  "Needs the kernel's data plane; without it `crypto` and `packet` are warned of. A Child SA with `crypto` or `packet` fails unless the network device does it, by what the kernel says; `auto` takes what there is. Trap policies stay in software.";
const labelNote = 'Security labels are not supported.';
const jitterNote = 'The default is at most half of the time or volume it is subtracted from.';
const actions = ['none', 'start', 'trap'];
const actionAliases = { clear: 'none', restart: 'start', route: 'trap' };

const childOptions: readonly Option[] = [
  { name: 'ah_proposals', type: 'ah-proposals', class: 'supported', default: '' },
  {
    name: 'esp_proposals',
    type: 'esp-proposals',
    class: 'supported',
    default: 'default',
    note: 'No default beside ah_proposals, and not both in one Child SA.',
  },
  { name: 'sha256_96', type: 'boolean', class: 'security-unsupported', default: 'no' },
  { name: 'local_ts', type: 'selectors', class: 'supported', default: 'dynamic' },
  { name: 'remote_ts', type: 'selectors', class: 'supported', default: 'dynamic' },
  { name: 'rekey_time', type: 'duration', class: 'supported', default: '1h' },
  { name: 'life_time', type: 'duration', class: 'supported', default: 'rekey_time + 10%' },
  {
    name: 'rand_time',
    type: 'duration',
    class: 'supported',
    default: 'life_time - rekey_time',
    note: jitterNote,
  },
  { name: 'rekey_bytes', type: 'bytes', class: 'supported', default: '0' },
  { name: 'life_bytes', type: 'bytes', class: 'supported', default: 'rekey_bytes + 10%' },
  {
    name: 'rand_bytes',
    type: 'bytes',
    class: 'supported',
    default: 'life_bytes - rekey_bytes',
    note: jitterNote,
  },
  { name: 'rekey_packets', type: 'count', class: 'supported', default: '0' },
  { name: 'life_packets', type: 'count', class: 'supported', default: 'rekey_packets + 10%' },
  {
    name: 'rand_packets',
    type: 'count',
    class: 'supported',
    default: 'life_packets - rekey_packets',
    note: jitterNote,
  },
  { name: 'updown', type: 'text', class: 'supported', default: '' },
  { name: 'hostaccess', type: 'boolean', class: 'harmless-unsupported', default: 'no' },
  {
    name: 'mode',
    type: 'choice',
    class: 'supported',
    default: 'tunnel',
    values: ['tunnel', 'transport', 'beet'],
    otherValues: ['transport_proxy', 'pass', 'drop'],
  },
  {
    name: 'policies',
    type: 'boolean',
    class: 'security-unsupported',
    default: 'yes',
    note: 'Policies are always installed.',
  },
  { name: 'policies_fwd_out', type: 'boolean', class: 'harmless-unsupported', default: 'no' },
  {
    name: 'dpd_action',
    type: 'choice',
    class: 'supported',
    default: 'clear',
    values: ['clear', 'trap', 'restart'],
    aliases: { none: 'clear', start: 'restart', route: 'trap' },
  },
  {
    name: 'ipcomp',
    type: 'boolean',
    class: 'harmless-unsupported',
    default: 'no',
    note: 'Compression is not offered, and refused if the peer offers it.',
  },
  { name: 'inactivity', type: 'duration', class: 'supported', default: '0s' },
  { name: 'reqid', type: 'count', class: 'harmless-unsupported', default: '0', maximum: 0xffff_ffff },
  { name: 'priority', type: 'count', class: 'supported', default: '0', maximum: 0xffff_ffff },
  { name: 'interface', type: 'text', class: 'security-unsupported', default: '' },
  { name: 'mark_in', type: 'mark', class: 'supported', default: '0/0x00000000', note: markNote },
  {
    name: 'mark_in_sa',
    type: 'boolean',
    class: 'supported',
    default: 'no',
    note: 'Whether the inbound SA asks for `mark_in` too, and not only its policies.',
  },
  { name: 'mark_out', type: 'mark', class: 'supported', default: '0/0x00000000', note: markNote },
  {
    name: 'set_mark_in',
    type: 'mark',
    class: 'supported',
    default: '0/0x00000000',
    note: 'What packets are marked with once they are decrypted; `%same` is `mark_in`.',
  },
  {
    name: 'set_mark_out',
    type: 'mark',
    class: 'supported',
    default: '0/0x00000000',
    note: 'What packets are marked with once they are protected; `%same` is `mark_out`.',
  },
  { name: 'if_id_in', type: 'interface-id', class: 'supported', default: '0', note: interfaceNote },
  { name: 'if_id_out', type: 'interface-id', class: 'supported', default: '0', note: interfaceNote },
  { name: 'label', type: 'text', class: 'security-unsupported', default: '', note: labelNote },
  {
    name: 'label_mode',
    type: 'choice',
    class: 'security-unsupported',
    default: 'system',
    values: ['system', 'simple', 'selinux'],
    note: labelNote,
  },
  { name: 'tfc_padding', type: 'padding', class: 'supported', default: '0' },
  {
    name: 'replay_window',
    type: 'count',
    class: 'supported',
    default: '32',
    maximum: 4096,
    note: 'Packets; 0 turns replay protection off.',
  },
  {
    name: 'hw_offload',
    type: 'choice',
    class: 'supported',
    default: 'no',
    values: ['no', 'auto', 'crypto', 'packet'],
    aliases: { yes: 'crypto' },
    note: offloadNote,
  },
  { name: 'copy_df', type: 'boolean', class: 'supported', default: 'yes' },
  { name: 'copy_ecn', type: 'boolean', class: 'harmless-unsupported', default: 'yes' },
  {
    name: 'copy_dscp',
    type: 'choice',
    class: 'supported',
    default: 'out',
    values: ['out', 'in', 'yes', 'no'],
  },
  {
    name: 'start_action',
    type: 'choice',
    class: 'supported',
    default: 'none',
    values: actions,
    aliases: actionAliases,
    otherValues: ['trap|start', 'start|trap'],
  },
  {
    name: 'close_action',
    type: 'choice',
    class: 'supported',
    default: 'none',
    values: actions,
    aliases: actionAliases,
  },
];

export const childSchema: SectionSchema = {
  path: 'connections.<conn>.children.<child>',
  options: childOptions,
  sections: [],
};
