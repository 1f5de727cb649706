// docs/configuration.md says what the option table says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { expected } from './generate-configuration-docs.mjs';

test('docs/configuration.md is generated from the option table as it is', () => {
  assert.equal(readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8'), expected);
});
