// Lifetimes in one octet, for any octet and any time (RFC 8003 4.1).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lifetimeWithin, registrationLifetimeMs, registrationLifetimeOf } from './lifetime.ts';

test('the lifetimes that RFC 8003 4.1 names', () => {
  assert.equal(registrationLifetimeMs(0), 0);
  assert.equal(registrationLifetimeMs(64), 1_000);
  assert.equal(registrationLifetimeMs(72), 2_000);
  assert.ok(Math.abs(registrationLifetimeMs(1) - 4) < 0.3);
  const days = registrationLifetimeMs(255) / 86_400_000;
  assert.ok(days > 177 && days < 179, `${days}`);
});

test('every exponent is found again in the time that it stands for', () => {
  for (let exponent = 1; exponent <= 255; exponent++)
    assert.equal(registrationLifetimeOf(registrationLifetimeMs(exponent)), exponent);
});

test('a time becomes the longest lifetime that is no longer', () => {
  fc.assert(
    fc.property(fc.double({ min: 5, max: 1e10, noNaN: true }), (ms) => {
      const exponent = registrationLifetimeOf(ms);
      assert.ok(registrationLifetimeMs(exponent) <= ms * (1 + 1e-9));
      if (exponent < 255) assert.ok(registrationLifetimeMs(exponent + 1) > ms);
    }),
  );
});

test('what is asked for beyond the bounds is the bound', () => {
  const limits = { minimumLifetime: 90, maximumLifetime: 150 };
  assert.deepEqual(
    [1, 90, 120, 150, 255].map((asked) => lifetimeWithin(asked, limits)),
    [90, 90, 120, 150, 150],
  );
});
