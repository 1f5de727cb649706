// Every option of the table, driven by the table: accepted values, refused values, and that none is dead.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hitAddress } from '#sa';
import { errorsOf, load, warningsOf } from '../testing/load.ts';
import type { Option, OptionClass, SectionSchema } from './option.ts';
import { rootSchema } from './schema.ts';
import type { ValueTypes } from './value-types.ts';

interface Entry {
  readonly path: string;
  readonly option: Option;
  readonly class: OptionClass;
}

function entries(schema: SectionSchema, unused?: 'harmless-unsupported'): Entry[] {
  const own = schema.options.map((option) => ({
    path: schema.path,
    option,
    class: unused ?? option.class,
  }));
  return [...own, ...schema.sections.flatMap((one) => entries(one.schema, unused ?? one.class))];
}

const all = entries(rootSchema);

/** Per type: a value that is no option's default, and one that is refused. */
const samples: Readonly<Record<keyof ValueTypes, { readonly good: string; readonly bad: string }>> = {
  boolean: { good: '', bad: 'perhaps' },
  duration: { good: '77m', bad: '5 weeks' },
  bytes: { good: '3G', bad: '-1' },
  count: { good: '7', bad: 'seven' },
  number: { good: '2.25', bad: '1,8' },
  choice: { good: '', bad: 'nonsense' },
  choices: { good: '', bad: 'nonsense' },
  hit: { good: '2001:22::7', bad: '2001:db8::7' },
  'ipv4-address': { good: '1.0.0.7', bad: '2001:db8::7' },
  text: { good: 'word', bad: '"bell \u0007"' },
  texts: { good: 'one, two', bad: '","' },
  authentication: { good: 'psk', bad: 'password' },
  identity: { good: 'someone.example', bad: '"bell \u0007"' },
  files: { good: 'other.pem', bad: '","' },
  passphrase: { good: 'word', bad: '""' },
  secret: { good: '0x0a0b', bad: '0xnothex' },
  'remote-addresses': { good: '192.0.2.7, gate.example', bad: '10.0.0.300' },
  'ip-addresses': { good: '192.0.2.9', bad: 'gate.example' },
  'pool-addresses': { good: '10.9.0.0/24', bad: '10.9.0.9-10.9.0.1' },
  blocks: { good: '10.8.0.0/16', bad: '10.8.0.0/33' },
  'ike-proposals': { good: 'aes256-sha384-ecp384', bad: 'aes256-sha384' },
  'esp-proposals': { good: 'aes256gcm16-ecp384-esn', bad: 'aes256' },
  'ah-proposals': { good: 'sha384', bad: 'aes128' },
  selectors: { good: '10.7.0.0/16[tcp/443]', bad: '10.7.0.0/16[tcp' },
  padding: { good: 'mtu', bad: 'full' },
  mark: { good: '0x17/0xff', bad: 'blue' },
  'interface-id': { good: '%unique-dir', bad: '7/0xff' },
  'interface-name': { good: 'tun7', bad: 'a name with blanks' },
  codepoint: { good: '101110', bad: '46' },
};

/** The HIT that a key `own` of the host in memory has. */
const ownHit = hitAddress(
  load(`hip { identities { n { file = own.pem\n} } }`, { '/etc/swanctl/own.pem': 'key own' }).configuration
    .hip!.identities[0]!.identity.hit,
);

/** Where the good value of the type is not one of the option. */
const goodValues: Readonly<Record<string, string>> = {
  'connections.<conn>.version': '2',
  'connections.<conn>.pools': 'spare',
  'connections.<conn>.local<suffix>.auth': 'pubkey',
  'connections.<conn>.remote<suffix>.auth': 'any',
  'connections.<conn>.rand_time': '7m',
  'connections.<conn>.if_id_in': '5',
  'connections.<conn>.if_id_out': '6',
  'connections.<conn>.over_time': '9m',
  'connections.<conn>.children.<child>.rand_time': '3m',
  'connections.<conn>.children.<child>.rekey_time': '70m',
  'connections.<conn>.children.<child>.rand_bytes': '1M',
  'connections.<conn>.children.<child>.rand_packets': '1',
  'connections.<conn>.children.<child>.life_packets': '1007',
  'authorities.<name>.cacert': '/etc/ca/apart.pem',
  'authorities.<name>.file': '/etc/ca/apart.pem',
  'hip.hosts': 'word.hosts',
  'hip.replay_window': '128',
  'hip.puzzle_difficulty_min': '5',
  'hip.identities.<name>.file': 'hip/other.pem',
  'hip.peers.<name>.local_hit': ownHit,
  'hip.peers.<name>.register': 'no',
  'hip.peers.<name>.rvs': 'server',
  'hip.registrar.rendezvous': 'no',
  'hip.registrar.clients': 'n',
  'hip.registrar.min_lifetime': '7m',
  'wayward.fragment_size': '1200',
  'wayward.tun_mtu': '1300',
  'wayward.http': '[::1]:9100',
};

function goodValue({ path, option }: Entry): string {
  const special = goodValues[`${path}.${option.name}`];
  if (special !== undefined) return special;
  if (option.type === 'boolean') return option.default === 'yes' ? 'no' : 'yes';
  if (option.type !== 'choice' && option.type !== 'choices') return samples[option.type].good;
  const nothingElse = [option.default, ...(option.same ?? [])];
  return option.values!.find((value) => !nothingElse.includes(value))!;
}

/** A certificate by every name that the samples use, so that nothing but the option under test matters. */
const files: Readonly<Record<string, string>> = {
  '/etc/swanctl/x509/own.pem': 'certificate own',
  '/etc/swanctl/x509/other.pem': 'certificate other',
  '/etc/swanctl/x509ca/other.pem': 'certificate authority',
  '/etc/ca/apart.pem': 'certificate apart',
  '/etc/swanctl/hip/own.pem': 'key own',
  '/etc/swanctl/hip/other.pem': 'key other',
  '/etc/swanctl/word.hosts': '2001:23::1 192.0.2.1 mars',
  '/etc/swanctl/private/own.pem': 'key own',
  '/etc/swanctl/private/other.pem': 'key other',
  ...Object.fromEntries(
    ['private', 'rsa', 'ecdsa', 'pkcs8'].flatMap((folder) => [
      [`/etc/swanctl/${folder}/word`, 'key more word'],
      [`/etc/swanctl/${folder}/locked`, 'key locked word'],
    ]),
  ),
};

const keySections = ['private', 'rsa', 'ecdsa', 'pkcs8']
  .map(
    (folder) => `${folder} { file = word\n secret = word\n} ${folder}-2 { file = locked\n secret = word\n}`,
  )
  .join('\n');

const baseWithoutHip = `
connections { c {
  remote_addrs = 192.0.2.1
  local { auth = psk
    certs = own.pem
  }
  remote { auth = psk
  }
  children { d {
    rekey_packets = 900
    rekey_bytes = 2G
    mark_in = 1
  } }
} }
secrets { ike { secret = hush
  }
  eap { id = carol
  secret = hush
  }
  ${keySections}
}
pools { spare { addrs = 10.3.0.0/24
} }
authorities { n { cacert = other.pem
} }
`;

const base = `${baseWithoutHip}hip { identities { n { file = hip/own.pem
} }
peers { n { hit = 2001:22::1
addrs = 192.0.2.2
register = rendezvous
}
server { hit = 2001:22::2
addrs = 192.0.2.3
} }
registrar { rendezvous = yes
} }
`;

/** Options that a host with HIP cannot have. */
const notWithHip = new Set(['wayward.packet_threads']);

function baseOf({ path, option }: Entry): string {
  return notWithHip.has(`${path}.${option.name}`) ? baseWithoutHip : base;
}

/** The base with one option set, in the section where it belongs; `<conn>` and so on are the base's. */
function withOption(entry: Entry, value: string): string {
  const { path, option } = entry;
  const names: Readonly<Record<string, string>> = { '<conn>': 'c', '<child>': 'd' };
  const sections = path
    .split('.')
    .map((part) => names[part] ?? (path.startsWith('pools') && part === '<name>' ? 'spare' : part))
    .map((part) => part.replace('<suffix>', '').replace('<name>', 'n'));
  const setting = `${option.name.replace('<suffix>', '').replace('<number>', '25')} = ${value}\n`;
  return `${baseOf(entry)}${sections.map((section) => `${section} { `).join('')}${setting}${'} '.repeat(sections.length)}\n`;
}

/** Options whose only accepted values mean the same, or whose effect needs what is not in the base. */
const withoutEffect = new Set([
  'connections.<conn>.version',
  'connections.<conn>.local<suffix>.round',
  'connections.<conn>.remote<suffix>.round',
]);

/** Encrypted keys are told apart by whether they open. */
const effectIsAnError = /^secrets\.(private|rsa|ecdsa|pkcs8)<suffix>\.(file|secret)$/;

test('the table names about as many options as the manual, each once', () => {
  const names = all.map(({ path, option }) => `${path}.${option.name}`);
  assert.ok(all.length > 140, `${all.length} options`);
  assert.equal(new Set(names).size, names.length);
});

for (const entry of all) {
  const name = `${entry.path}.${entry.option.name}`;
  const good = goodValue(entry);

  test(`${name} = ${good}: ${entry.class}`, () => {
    const text = withOption(entry, good);
    if (entry.class === 'security-unsupported') {
      const [message, ...others] = errorsOf(text, files);
      assert.match(message ?? '', new RegExp(`:\\d+:\\d+: option "${entry.option.name}" is not supported`));
      assert.deepEqual(others, []);
      return;
    }
    if (effectIsAnError.test(name)) {
      assert.deepEqual(errorsOf(text, files), []);
      return;
    }
    const loaded = load(text, files).configuration;
    if (entry.class === 'harmless-unsupported') {
      assert.deepEqual(loaded, load(baseOf(entry), files).configuration);
      assert.equal(warningsOf(text, files).length, 1);
      return;
    }
    assert.deepEqual(warningsOf(text, files), []);
    const before = load(baseOf(entry), files);
    if (withoutEffect.has(name)) assert.deepEqual(loaded, before.configuration);
    else assert.notDeepEqual({ ...load(text, files), warnings: [] }, { ...before, warnings: [] });
  });

  test(`${name}: a bad value is an error that says what is accepted`, () => {
    const { bad } = samples[entry.option.type];
    const errors = errorsOf(withOption(entry, bad), files);
    const accepts = errors.filter((error) => /^swanctl\.conf:\d+:\d+: \S+( = ".*")?: expected /s.test(error));
    assert.equal(accepts.length, 1, errors.join('\n'));
    assert.ok(accepts[0]!.includes(`${entry.option.name}`));
    const isSecret = entry.option.type === 'secret' || entry.option.name === 'secret';
    assert.ok(!isSecret || !accepts[0]!.includes('nothex'));
  });

  if (entry.class !== 'supported' && entry.option.default !== '') {
    test(`${name}: the default of an option that is not supported is accepted silently`, () => {
      for (const value of [entry.option.default, ...(entry.option.same ?? [])]) {
        assert.deepEqual(warningsOf(withOption(entry, value), files), []);
      }
    });
  }

  for (const value of entry.option.otherValues ?? []) {
    test(`${name} = ${value} is known and refused`, () => {
      const [message] = errorsOf(withOption(entry, value), files);
      assert.ok(message?.includes(`"${value}" is not supported; accepted: "`), message);
    });
  }
}

test('a misspelled option is an error with a suggestion', () => {
  for (const { path, option } of all) {
    // A shorter name may be one letter away from another option.
    if (/<\w+>$/.test(option.name) || option.name.length < 6) continue;
    const misspelled = `${option.name}x`;
    const errors = errorsOf(
      withOption({ path, option: { ...option, name: misspelled }, class: 'supported' }, '1'),
      files,
    );
    const named = path.startsWith('secrets') ? 'unknown option' : `unknown option "${misspelled}"`;
    const expected = `: ${named} in ${path} (did you mean "${option.name}"?)`;
    assert.ok(
      errors.some((error) => error.endsWith(expected)),
      `${expected}\n${errors.join('\n')}`,
    );
  }
});
