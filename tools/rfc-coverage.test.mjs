// docs/rfc-coverage.md says what the sources say, and "done" means cited by code and by a test.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { citationsIn } from './rfc-citations.mjs';
import { cited, document, expected, path, problems, table } from './rfc-coverage.mjs';

test('the table of sections agrees with the citations in the sources', () => {
  assert.ok(cited.files > 100);
  assert.deepEqual(problems(table, cited.found), []);
});

test('docs/rfc-coverage.md is up to date: npm run docs writes it', () => {
  assert.equal(readFileSync(path, 'utf8'), expected());
});

describe('citations', () => {
  const sections = (text) => citationsIn(text).map(({ rfc, section }) => `${rfc} ${section}`);

  test('one, several, and appendices', () => {
    assert.deepEqual(sections('RFC 7296 2.21.4: a response is never answered'), ['7296 2.21.4']);
    assert.deepEqual(sections('(RFC 7296 2.4, 2.25 and 3.1)'), ['7296 2.4', '7296 2.25', '7296 3.1']);
    assert.deepEqual(sections('RFC 7427 A.4.3, RFC 3948 4'), ['7427 A.4.3', '3948 4']);
  });

  test('broken over two lines of a comment', () => {
    assert.deepEqual(sections('// as RFC 7296\n  // 2.9 has it'), ['7296 2.9']);
    assert.deepEqual(sections('/**\n * RFC 7296 2.8,\n * 2.9\n */'), ['7296 2.8', '7296 2.9']);
  });

  test('other numbers are no sections', () => {
    assert.deepEqual(sections('RFC 7296 2.4, 12 times; RFC 4106: 8 octets; RFC 7296'), ['7296 2.4']);
  });
});

describe('problems', () => {
  const one = (section, status, why) => ({
    1: { title: 'T', sections: [{ section, title: 'S', status, why }] },
  });
  const found = (key, code, tests) => new Map([[key, { code, tests }]]);

  test('done needs code and a test', () => {
    assert.deepEqual(problems(one('2.1', 'done'), found('1 2.1', ['a.ts'], ['a.test.ts'])), []);
    assert.match(problems(one('2.1', 'done'), found('1 2.1', ['a.ts'], []))[0], /no test cites it/);
    assert.match(problems(one('2.1', 'done'), found('1 2.1', [], ['a.test.ts']))[0], /no code cites it/);
  });

  test('partial needs a reason', () => {
    assert.match(problems(one('2.1', 'partial'), found('1 2.1', ['a.ts'], []))[0], /without a reason/);
  });

  test('a citation of a section that is not there is wrong', () => {
    assert.match(problems(one('2', 'none'), found('1 9.9', ['a.ts'], []))[0], /does not exist/);
    assert.match(problems(one('2.1', 'none'), found('1 2', ['a.ts'], []))[0], /does not exist/);
    assert.deepEqual(problems(one('2', 'none'), found('1 2.9', ['a.ts'], [])), []);
    assert.deepEqual(problems(one('2', 'none'), found('5 9.9', ['a.ts'], [])), []);
  });

  test('the document links to what cites', () => {
    const text = document(
      one('2.1', 'partial', 'half of it'),
      found('1 2.1', ['src/a.ts'], ['src/a.test.ts']),
    );
    assert.match(text, /- \*\*2\.1 S\*\*: partial\. half of it Code: \[a\.ts\]\(\.\.\/src\/a\.ts\)\. Tests:/);
  });
});
