// Who has to wait for his secret to be judged, who is refused unheard, and whom that does not concern.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Identity, identityFromText, type SecretTry } from '#ike';
import { address, addressFromBytes, type IpAddress } from '#sa';
import { IdType } from '#wire';
import { GuessBrake } from './guess-brake.ts';

const office = address('203.0.113.1');
const elsewhere = address('198.51.100.2');

function attempt(user: string, machine = 'laptop'): SecretTry {
  return { user: identityFromText(user), machine: identityFromText(machine), secret: 'password' };
}

function stranger(number: number): IpAddress {
  return addressFromBytes(Uint8Array.of(100, 64 + (number >>> 16), (number >>> 8) & 0xff, number & 0xff));
}

/** What became of tries that were all wrong. */
function verdicts(brake: GuessBrake, tries: number, one: SecretTry, source: IpAddress, at = 0): unknown[] {
  return Array.from({ length: tries }, () => {
    const verdict = brake.admit(one, source, at);
    return verdict.kind === 'wait' ? verdict.forMs : verdict.kind;
  });
}

test('some wrong tries are judged at once, then one in five seconds, two wait, and more are refused', () => {
  const brake = new GuessBrake();
  const all = verdicts(brake, 12, attempt('carol'), office);
  assert.deepEqual(all, [...new Array<string>(8).fill('judge'), 5_000, 10_000, 'refuse', 'refuse']);
  assert.deepEqual(verdicts(brake, 2, attempt('carol'), office, 5_000), [10_000, 'refuse']);
  assert.deepEqual(verdicts(brake, 2, attempt('carol'), office, 3_600_000), ['judge', 'judge']);
});

test('what was right never counts, however often', () => {
  const brake = new GuessBrake();
  for (let login = 0; login < 1000; login++) {
    const one = attempt(`user-${login % 10}`, `machine-${login % 100}`);
    assert.equal(brake.admit(one, office, login).kind, 'judge');
    brake.right(one, office, login);
  }
});

test('who is elsewhere is judged at once, and so is another user beside the guesser', () => {
  const brake = new GuessBrake();
  verdicts(brake, 50, attempt('carol'), office);
  assert.deepEqual(verdicts(brake, 1, attempt('carol'), elsewhere), ['judge']);
  assert.deepEqual(verdicts(brake, 1, attempt('dave'), office), ['judge']);
});

test('a machine that has got in from there keeps tries of its own, and they are as many', () => {
  const brake = new GuessBrake();
  brake.right(attempt('carol', 'laptop'), office, 0);
  verdicts(brake, 50, attempt('carol', 'robot'), office);
  assert.deepEqual(verdicts(brake, 11, attempt('carol', 'laptop'), office), [
    ...new Array<string>(8).fill('judge'),
    5_000,
    10_000,
    'refuse',
  ]);
});

test('who knows one secret gets no more tries at another one by it', () => {
  const brake = new GuessBrake();
  verdicts(brake, 10, attempt('carol'), office);
  for (let login = 0; login < 100; login++) {
    brake.admit(attempt('mallory'), office, 0);
    brake.right(attempt('mallory'), office, 0);
  }
  assert.deepEqual(verdicts(brake, 1, attempt('carol'), office), ['refuse']);
});

test('one source that tries many users is refused, but not who has got in from there', () => {
  const brake = new GuessBrake();
  brake.right(attempt('carol'), office, 0);
  const all = Array.from({ length: 200 }, (_, user) => brake.admit(attempt(`user-${user}`), office, 0));
  assert.equal(all.filter(({ kind }) => kind === 'judge').length, 60);
  assert.equal(all.filter(({ kind }) => kind === 'wait').length, 10);
  assert.deepEqual(brake.admit(attempt('dave'), office, 0), { kind: 'refuse', by: 'source' });
  assert.deepEqual(brake.admit(attempt('carol'), office, 0), { kind: 'judge' });
  assert.deepEqual(brake.admit(attempt('dave'), elsewhere, 0), { kind: 'judge' });
});

test('many sources that try one user hold him up for two seconds where he never was, and refuse him nowhere', () => {
  const brake = new GuessBrake();
  brake.right(attempt('carol'), office, 0);
  for (let source = 0; source < 10_000; source++)
    brake.admit(attempt('carol', 'robot'), stranger(source), source);
  assert.deepEqual(brake.admit(attempt('carol'), office, 9_999), { kind: 'judge' });
  assert.deepEqual(brake.admit(attempt('carol'), elsewhere, 9_999), {
    kind: 'wait',
    forMs: 2_000,
    by: 'user',
  });
});

test('whoever has an IPv6 /48 is one source', () => {
  const brake = new GuessBrake();
  for (let net = 0; net < 10; net++) {
    brake.admit(attempt('carol'), address(`2001:db8:7:${net.toString(16)}::1`), 0);
  }
  assert.equal(brake.admit(attempt('carol'), address('2001:db8:7:ffff::1'), 0).kind, 'refuse');
  assert.equal(brake.admit(attempt('carol'), address('2001:db8:8::1'), 0).kind, 'judge');
});

test('a password and a pre-shared key of the same name are two secrets', () => {
  const brake = new GuessBrake();
  verdicts(brake, 20, attempt('carol'), office);
  assert.equal(brake.admit({ ...attempt('carol'), secret: 'pre-shared-key' }, office, 0).kind, 'judge');
});

test('what it remembers is bounded, and a name that is as long as can be takes little', () => {
  const brake = new GuessBrake();
  for (let number = 0; number < 20_000; number++) {
    const data = new Uint8Array(200).fill(number & 0xff);
    data[0] = number >>> 8;
    const user: Identity = { idType: IdType.KEY_ID, data };
    const one: SecretTry = { user, machine: user, secret: 'password' };
    brake.admit(one, stranger(number), number);
    brake.right(one, stranger(number), number);
    brake.admit({ ...one, machine: identityFromText('robot') }, stranger(number), number);
  }
  assert.equal(brake.size, 3 * 4096 + 16_384);
});
