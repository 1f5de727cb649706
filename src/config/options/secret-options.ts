// The options of `secrets`: preshared keys, passwords of EAP, and the passphrases of private key files.
import type { Option, SectionSchema, Subsection } from './option.ts';

const secretOption: Option = { name: 'secret', type: 'secret', class: 'supported', default: '' };

/** Passphrases are taken as they are: `0x` and `0s` have no meaning in them. */
const passphraseOption: Option = { name: 'secret', type: 'passphrase', class: 'supported', default: '' };

function section(name: string, options: readonly Option[], unused?: string): Subsection {
  const schema: SectionSchema = { path: `secrets.${name}`, options, sections: [] };
  return unused === undefined
    ? { name, schema }
    : { name, schema, class: 'harmless-unsupported', note: unused };
}

function owned(name: string, unused?: string): Subsection {
  const identity: Option = { name: 'id<suffix>', type: 'identity', class: 'supported', default: '' };
  return section(name, [secretOption, identity], unused);
}

function keyFile(name: string, unused?: string): Subsection {
  return section(
    name,
    [{ name: 'file', type: 'text', class: 'supported', default: '' }, passphraseOption],
    unused,
  );
}

export const secretsSchema: SectionSchema = {
  path: 'secrets',
  options: [],
  sections: [
    owned('ike<suffix>'),
    keyFile('private<suffix>'),
    keyFile('rsa<suffix>'),
    keyFile('ecdsa<suffix>'),
    keyFile('pkcs8<suffix>'),
    keyFile('pkcs12<suffix>', 'PKCS#12 is not supported'),
    owned('eap<suffix>'),
    owned('xauth<suffix>', 'XAuth belongs to IKEv1'),
    owned('ntlm<suffix>', 'hashes of passwords are not supported, only passwords (eap)'),
    owned('ppk<suffix>', 'postquantum preshared keys (RFC 8784) are not supported'),
    section(
      'token<suffix>',
      [
        { name: 'handle', type: 'text', class: 'supported', default: '' },
        { name: 'slot', type: 'count', class: 'supported', default: '' },
        { name: 'module', type: 'text', class: 'supported', default: '' },
        { name: 'pin', type: 'secret', class: 'supported', default: '' },
      ],
      'tokens and smartcards are not supported',
    ),
  ],
};
