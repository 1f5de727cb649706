// A daemon makes key pairs by the million, and garbage is collected at every instant of that.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Ke } from '#sa';

// A process that makes them hung after 24,000 to 58,000, with young objects of one megabyte at most.
test('sixty thousand pairs of X25519 are made, wherever garbage is collected', {
  timeout: 600_000,
}, () => {
  const method = new URL('./key-exchange-method.js', import.meta.url);
  const program = `import { keyExchangeMethod } from '${method}';
    const method = keyExchangeMethod(${Ke.CURVE25519});
    for (let i = 0; i < 60_000; i++) method.generate().destroy();`;
  const options = ['--max-semi-space-size=1', '--input-type=module', '--eval', program];
  const { status, signal, stderr } = spawnSync(process.execPath, options, {
    encoding: 'utf8',
    timeout: 590_000,
  });
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' });
});
