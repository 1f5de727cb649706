import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigurationError, ConfigurationErrors } from '../error.ts';
import { loadConfiguration, parseConfigurationTree } from '../load.ts';
import { formatPosition } from '../position.ts';
import { memoryHost } from '../testing/memory-host.ts';
import { objectFromSection, type Section, sectionFromObject, type TreeObject } from '../tree.ts';
import { printTree } from './print.ts';

const file = '/etc/swanctl/swanctl.conf';

function tree(text: string, files: Record<string, string> = {}): Section {
  return parseConfigurationTree({ text, file, readFiles: memoryHost(files).readFiles });
}

function parsed(text: string, files: Record<string, string> = {}): TreeObject {
  return objectFromSection(tree(text, files));
}

function faults(text: string, files: Record<string, string> = {}): string[] {
  try {
    tree(text, files);
  } catch (error) {
    assert.ok(error instanceof ConfigurationErrors);
    return error.errors.map((one) => `${one.code} ${one.message.replace('/etc/swanctl/', '')}`);
  }
  return [];
}

test('sections, values and comments', () => {
  assert.deepEqual(
    parsed(`
# a comment
a = b # behind a value
one {
  x = 12
  inner { y = 1 }   # one line
  }
two
{
  z=a=b{c
}`),
    { a: 'b', one: { x: '12', inner: { y: '1' } }, two: { z: 'a=b{c' } },
  );
});

test('blanks inside of a value become one, quotes keep them', () => {
  assert.deepEqual(parsed('a =   x    y \t z  \r\nb = "x    y"\nc = p"q  r"s'), {
    a: 'x y z',
    b: 'x    y',
    c: 'p q  r s',
  });
});

test('quoted strings run over lines, join lines and know escapes', () => {
  assert.deepEqual(parsed('a = "one\ntwo"\nb = "one\\\ntwo\\\r\nthree"\nc = "\\n\\t\\r\\"\\\\\\x # } {"'), {
    a: 'one\ntwo',
    b: 'onetwothree',
    c: '\n\t\r"\\x # } {',
  });
});

test('a section that is opened again grows, and a later value replaces an earlier one in its place', () => {
  const object = parsed('s { a = 1\n b = 2\n}\ns { a = 3\n c = 4\n}');
  assert.deepEqual(object, { s: { a: '3', b: '2', c: '4' } });
  assert.deepEqual(Object.keys(object['s'] as TreeObject), ['a', 'b', 'c']);
});

test('every node knows where it stands', () => {
  const root = tree('one {\n  two {\n\tkey  =  "value"\n  }\n}');
  const two = root.sections.get('one')!.sections.get('two')!;
  assert.deepEqual(two.position, { file, line: 2, column: 3 });
  assert.deepEqual(two.settings.get('key')!.position, { file, line: 3, column: 2 });
  assert.deepEqual(two.settings.get('key')!.valuePosition, { file, line: 3, column: 10 });
});

test('inheritance takes over what a section does not set, own things first', () => {
  const object = parsed(`
base { a = 1
  sub { x = 1
        y = 1 }
  extra { e = 1 } }
other { a = 2
  b = 2 }
s : base, other { c = 3
  sub { y = 3 } }`);
  assert.deepEqual(object['s'], { c: '3', a: '1', b: '2', sub: { y: '3', x: '1' }, extra: { e: '1' } });
  assert.deepEqual(Object.keys(object['s'] as TreeObject), ['c', 'a', 'b', 'sub', 'extra']);
});

test('inheritance reaches through paths, through inherited sections and forward in the text', () => {
  const object = parsed(`
connections {
  c : connections.b { }
  b : base { x = 1
  }
  d : connections.b.deep { }
}
base { y = 2
  deep { z = 3
  } }`);
  assert.deepEqual(object['connections'], {
    c: { x: '1', y: '2', deep: { z: '3' } },
    b: { x: '1', y: '2', deep: { z: '3' } },
    d: { z: '3' },
  });
});

test('an empty assignment clears what would be inherited', () => {
  assert.deepEqual(parsed('base { a = 1\n b = 2\n}\ns : base { a =\n}')['s'], { b: '2' });
});

test('included files are read in place, nested, with wildcards, relative to the including file', () => {
  const files = {
    '/etc/swanctl/conf.d/a.conf': 'a = 1\ninclude deeper/*.conf',
    '/etc/swanctl/conf.d/deeper/b.conf': 'b = 2',
    '/etc/swanctl/conf.d/c.conf': 'b = 3',
    '/etc/other.conf': 'd = 4',
    '/etc/swanctl/with blank.conf': 'e = 5',
  };
  const text =
    's { include conf.d/*.conf }\ninclude "/etc/other.conf"\ninclude with\\ blank.conf\ninclude none/*';
  assert.deepEqual(parsed(text, files), { d: '4', e: '5', s: { a: '1', b: '3' } });
  const setting = tree(text, files).sections.get('s')!.settings.get('b')!;
  assert.deepEqual(setting.position, { file: '/etc/swanctl/conf.d/c.conf', line: 1, column: 1 });
});

test('a key may be called include', () => {
  assert.deepEqual(parsed('include = 1\nincluded = 2'), { include: '1', included: '2' });
});

test('faults have exact places, and all are found', () => {
  assert.deepEqual(faults('a b\nc {\n  = 1\n  x.y = 2\n}\n}\nd : { }\ne : x.. {\n}'), [
    'syntax swanctl.conf:1:3: expected "=", "{" or ":" after a name',
    'syntax swanctl.conf:3:3: expected the name of a section or option',
    'syntax swanctl.conf:4:4: expected "=", "{" or ":" after a name',
    'syntax swanctl.conf:6:1: this "}" closes no section',
    'syntax swanctl.conf:7:5: expected the name of a section to inherit from',
    'syntax swanctl.conf:7:7: this "}" closes no section',
    'syntax swanctl.conf:8:5: expected the name of a section to inherit from',
    'syntax swanctl.conf:9:1: this "}" closes no section',
  ]);
});

test('what is never closed is reported where it was opened', () => {
  assert.deepEqual(faults('a {\n b {\n c = 1\n }\n'), ['syntax swanctl.conf:1:3: this "{" is never closed']);
  assert.deepEqual(faults('a {\n b = "x\n }\n'), [
    'syntax swanctl.conf:2:6: this quoted string is never closed',
  ]);
});

test('includes that cannot be followed are errors', () => {
  const files = {
    '/etc/swanctl/loop.conf': 'include loop.conf',
    '/etc/swanctl/secret.conf': '!permission denied',
  };
  assert.deepEqual(faults('include gone.conf\n include\n  include secret.conf', files), [
    'include swanctl.conf:1:1: there is no file gone.conf',
    'syntax swanctl.conf:2:2: include needs a file name',
    'include swanctl.conf:3:3: /etc/swanctl/secret.conf: permission denied',
  ]);
  assert.deepEqual(faults('include loop.conf', files), [
    'include loop.conf:1:1: /etc/swanctl/loop.conf includes itself',
  ]);
  assert.deepEqual(faults('include swanctl.conf', { '/etc/swanctl/swanctl.conf': '' }), [
    'include swanctl.conf:1:1: /etc/swanctl/swanctl.conf includes itself',
  ]);
});

test('a chain of includes is followed ten files deep', () => {
  const files = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`/etc/swanctl/${index}.conf`, `include ${index + 1}.conf`]),
  );
  assert.deepEqual(faults('include 0.conf', files), [
    'limit 9.conf:1:1: files include each other deeper than 10',
  ]);
});

test('inheritance from nothing, from itself and without measure is refused', () => {
  assert.deepEqual(faults('a : b { }'), ['reference swanctl.conf:1:5: there is no section b']);
  assert.deepEqual(faults('a : a { }'), ['reference swanctl.conf:1:5: a inherits from itself']);
  assert.deepEqual(faults('a : b.c { }\nb { c : a { } }'), [
    'reference swanctl.conf:2:9: a inherits from itself',
  ]);
  const doubling = Array.from(
    { length: 40 },
    (_, i) => `s${i + 1} : s${i} { l : s${i} { }\n r : s${i} { } }`,
  );
  assert.match(
    faults(`s0 { a = 1\n}\n${doubling.join('\n')}`).join(),
    /^limit swanctl\.conf:\d+:\d+: inheritance/,
  );
});

test('inheritance is followed so far, and not until there is no stack left', () => {
  const chain = (length: number): string =>
    `${Array.from({ length }, (_, i) => `s${i} : s${i + 1} {\n}`).join('\n')}\ns${length} {\n}`;
  assert.deepEqual(faults(chain(90)), []);
  assert.deepEqual(faults(chain(50_000)), [
    'limit swanctl.conf:199:7: sections inherit from each other deeper than 100',
  ]);
});

test('a NUL, at which swanctl would end the value, is refused', () => {
  for (const value of ['x\0y', '"x\0y"', 'x "\0"'])
    assert.deepEqual(faults(`a { b = ${value}\n c = 1\n}`), [
      'syntax swanctl.conf:1:9: there is a NUL in this value',
    ]);
});

test('nesting is limited', () => {
  const text = `${'a {'.repeat(40)}${'}'.repeat(40)}`;
  assert.deepEqual(faults(text), ['limit swanctl.conf:1:99: sections are nested deeper than 32']);
});

const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,8}$/);
const value = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
const { tree: anyTree } = fc.letrec<{ tree: TreeObject }>((tie) => ({
  tree: fc.dictionary(name, fc.oneof({ depthSize: 'small' }, value, tie('tree')), {
    noNullPrototype: true,
  }),
}));

test('a printed tree reads back as itself', () => {
  fc.assert(
    fc.property(anyTree, (object) => {
      assert.deepEqual(parsed(printTree(sectionFromObject('', object, 'test'))), sections(object));
    }),
    { numRuns: 300 },
  );
});

/** Text has settings before sections; objects compare without order, but `__proto__` has to stay an own name. */
function sections(object: TreeObject): TreeObject {
  return objectFromSection(sectionFromObject('', object, 'test'));
}

const scraps = fc.constantFrom(
  '{',
  '}',
  '=',
  '"',
  '\\',
  '#',
  '\n',
  ':',
  ',',
  '.',
  ' ',
  'include ',
  'a',
  'b',
  '\u00a0',
);

test('a byte order mark is one fault, and what stands behind it is read', () => {
  assert.deepEqual(faults('\uFEFFa { b = c\n}\n}'), [
    'syntax swanctl.conf:1:1: there is a byte order mark: save the file without',
    'syntax swanctl.conf:3:1: this "}" closes no section',
  ]);
  assert.deepEqual(faults('include x', { '/etc/swanctl/x': '\uFEFFa = b' }), [
    'syntax x:1:1: there is a byte order mark: save the file without',
  ]);
});

test('a second value in one section is warned of; other blocks and files are meant, and so is none', () => {
  const warned = (text: string, files: Record<string, string> = {}): string[] => {
    const { warnings } = loadConfiguration({ text, file, ports: memoryHost(files) });
    return warnings.map(
      ({ position, detail }) => `${formatPosition(position).replace('/etc/swanctl/', '')}: ${detail}`,
    );
  };
  const detail = '"port" was set before in this section: only the last value counts';
  assert.deepEqual(warned('wayward {\n port = 1000\n port = 1001\n}'), [`swanctl.conf:3:2: ${detail}`]);
  assert.deepEqual(warned('wayward {\n port = 1000\n port = 1000\n}'), []);
  assert.deepEqual(warned('wayward {\n port = 1000\n port =\n}'), []);
  assert.deepEqual(warned('wayward {\n port = 1000\n}\nwayward {\n port = 1001\n}'), []);
  const files = { '/etc/swanctl/x': 'port = 1001\n' };
  assert.deepEqual(warned('wayward {\n port = 1000\n include x\n}', files), []);
});

test('any text is read or refused with typed errors', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(scraps, { maxLength: 60 }).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (input) => {
      try {
        tree(input, { '/etc/swanctl/a': 'x = {' });
      } catch (error) {
        assert.ok(error instanceof ConfigurationErrors);
        assert.ok(error.errors.length > 0);
        assert.ok(error.errors.every((one) => one instanceof ConfigurationError && one.line > 0));
      }
    }),
    { numRuns: 3000 },
  );
});
