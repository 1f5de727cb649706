// The options of `pools` and of `authorities`.
import type { SectionSchema } from './option.ts';

const attributeNote = 'Not sent: few IKEv2 clients read it.';

export const poolSchema: SectionSchema = {
  path: 'pools.<name>',
  options: [
    { name: 'addrs', type: 'pool-addresses', class: 'supported', default: '' },
    { name: 'dns', type: 'ip-addresses', class: 'supported', default: '' },
    { name: 'nbns', type: 'ip-addresses', class: 'supported', default: '' },
    { name: 'subnet', type: 'blocks', class: 'supported', default: '' },
    {
      name: 'dhcp',
      type: 'ip-addresses',
      class: 'harmless-unsupported',
      default: '',
      note: attributeNote,
    },
    {
      name: 'netmask',
      type: 'ip-addresses',
      class: 'harmless-unsupported',
      default: '',
      note: attributeNote,
    },
    {
      name: 'server',
      type: 'ip-addresses',
      class: 'harmless-unsupported',
      default: '',
      note: attributeNote,
    },
    {
      name: 'split_include',
      type: 'blocks',
      class: 'harmless-unsupported',
      default: '',
      note: 'IKEv1 only.',
    },
    {
      name: 'split_exclude',
      type: 'blocks',
      class: 'harmless-unsupported',
      default: '',
      note: 'IKEv1 only.',
    },
    {
      name: '<number>',
      type: 'texts',
      class: 'harmless-unsupported',
      default: '',
      note: 'Attributes by their number, as `25` for domains, are not sent.',
    },
  ],
  sections: [],
};

const tokenNote = 'Tokens and smartcards are not supported.';
const fetchNote = 'Revocation information is not fetched; put lists into `x509crl/`.';

export const authoritySchema: SectionSchema = {
  path: 'authorities.<name>',
  options: [
    { name: 'cacert', type: 'files', class: 'supported', default: '', note: 'Relative to `x509ca/`.' },
    { name: 'file', type: 'files', class: 'supported', default: '' },
    { name: 'handle', type: 'text', class: 'security-unsupported', default: '', note: tokenNote },
    { name: 'slot', type: 'count', class: 'security-unsupported', default: '', note: tokenNote },
    { name: 'module', type: 'text', class: 'security-unsupported', default: '', note: tokenNote },
    { name: 'crl_uris', type: 'texts', class: 'security-unsupported', default: '', note: fetchNote },
    { name: 'ocsp_uris', type: 'texts', class: 'security-unsupported', default: '', note: fetchNote },
    { name: 'cert_uri_base', type: 'text', class: 'harmless-unsupported', default: '' },
  ],
  sections: [],
};
