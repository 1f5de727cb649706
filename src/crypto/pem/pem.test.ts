// PEM armor: what is read, and which line an error names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CryptoError } from '../error.ts';
import { pemBlocks } from './pem.ts';

function badPem(text: string): string {
  try {
    pemBlocks(text);
  } catch (error) {
    assert.ok(error instanceof CryptoError);
    assert.equal(error.code, 'bad-pem');
    return error.message;
  }
  return 'read';
}

test('octets of every length and line width come back', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 80 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      (octets, width, newline) => {
        const body = btoa(String.fromCharCode(...octets)).match(new RegExp(`.{1,${width}}`, 'g'))!;
        const text = ['-----BEGIN THING-----', ...body, '-----END THING-----', ''].join(newline);
        assert.deepEqual(pemBlocks(text), [{ label: 'THING', der: octets, line: 1 }]);
      },
    ),
  );
});

test('explanations between blocks are skipped, headers are kept', () => {
  const text = [
    'subject=C = CH, CN = moon',
    '-----BEGIN X-Y KEY-----',
    'Proc-Type: 4,ENCRYPTED',
    'DEK-Info: AES-128-CBC,',
    ' 00112233',
    '',
    'AAEC',
    '-----END X-Y KEY-----',
    'issuer: nobody',
    '-----BEGIN B-----  ',
    'AA==',
    '-----END B-----',
  ].join('\n');
  const [first, second] = pemBlocks(text);
  assert.deepEqual(first, {
    label: 'X-Y KEY',
    headers: new Map([
      ['Proc-Type', '4,ENCRYPTED'],
      ['DEK-Info', 'AES-128-CBC,00112233'],
    ]),
    der: Uint8Array.of(0, 1, 2),
    line: 2,
  });
  assert.deepEqual(second, { label: 'B', der: Uint8Array.of(0), line: 10 });
  assert.deepEqual(pemBlocks('no block at all'), []);
});

test('an error names the line', () => {
  assert.equal(badPem('\n-----BEGIN A-----\nAAEC\n'), 'line 2: no END for A');
  assert.equal(badPem('-----BEGIN A-----\nAAEC\n-----END B-----'), 'line 3: where END of A belongs');
  assert.equal(badPem('-----BEGIN A-----\nAAEC\n-----BEGIN A-----\n'), 'line 3: where END of A belongs');
  assert.equal(badPem('AAEC\n-----END A-----'), 'line 2: END without BEGIN');
  assert.equal(badPem('-----BEGIN A\nAAEC\n'), 'line 1: broken boundary line');
  assert.equal(badPem('-----BEGIN A-----\nAAEC\nAA?C\n-----END A-----'), 'line 3: "?" is not base64');
  assert.equal(
    badPem('-----BEGIN A-----\nAA==\nAAEC\n-----END A-----'),
    'line 3: base64 goes on behind its padding',
  );
  assert.equal(badPem('-----BEGIN A-----\nA===\n-----END A-----'), 'line 2: too much padding');
  assert.equal(badPem('-----BEGIN A-----\nAAECA\n-----END A-----'), 'line 2: base64 ends in the middle');
  assert.equal(badPem('-----BEGIN A-----\nAA=\n-----END A-----'), 'line 2: base64 ends in the middle');
  assert.equal(badPem('-----BEGIN A-----\n-----END A-----'), 'line 2: A is empty');
  assert.equal(
    badPem('-----BEGIN A-----\nX: y\nAAEC\n-----END A-----'),
    'line 3: no empty line behind the headers',
  );
});
