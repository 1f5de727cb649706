import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folder, wayward } from './testing/wayward-process.ts';

test('wayward check says everything about a configuration, and its status is that of a start', async (t) => {
  const file = join(folder(t), 'swanctl.conf');
  writeFileSync(file, 'connections { a { remote_adrs = 1\n local { auth = eap-tls }\n } }\n');
  const bad = await wayward(t, ['check', '--config', file]);
  assert.equal(bad.status, 2);
  assert.match(bad.out, /^.*swanctl\.conf:1:19: unknown option "remote_adrs"/m);
  assert.match(bad.out, /^.*swanctl\.conf:2:17: auth: "eap-tls": of EAP there is only MSCHAPv2/m);
  assert.match(bad.out, /swanctl\.conf: 3 errors, nothing would be loaded\n$/);

  writeFileSync(file, 'connections { a { remote_adrs = 1\n } }\nspare {\n}\nwayward { nothing = 1\n}\n');
  const both = await wayward(t, ['check', '--config', file, '--json']);
  assert.equal(both.status, 2);
  const { findings } = JSON.parse(both.out) as { findings: { severity: string; line: number }[] };
  assert.deepEqual(
    findings.map(({ severity, line }) => `${severity} ${line}`).filter((text) => !text.endsWith(' 1')),
    ['warning 3', 'error 5'],
  );
  const shown = await wayward(t, ['check', '--config', file]);
  assert.match(shown.out, /:3:1: warning: section "spare" has no effect.*\n.*:5:11: unknown option/);

  writeFileSync(file, 'connections { }\nspare {\n}\n');
  const good = await wayward(t, ['check', '--config', file]);
  assert.deepEqual(good, {
    status: 0,
    signal: null,
    out: `${file}:2:1: warning: section "spare" has no effect: nothing inherits from it\n${file}: 0 connections, 1 warnings\n`,
    err: '',
  });
  const { out } = await wayward(t, ['check', '--config', file, '--json']);
  assert.deepEqual(JSON.parse(out), {
    ok: true,
    connections: 0,
    findings: [
      {
        severity: 'warning',
        code: 'no-effect',
        file,
        line: 2,
        column: 1,
        text: 'section "spare" has no effect: nothing inherits from it',
      },
    ],
  });

  const mistakes = Array.from({ length: 101 }, (_, i) => `c${i} { foo = 1\n }\n`);
  writeFileSync(file, `connections {\n${mistakes.join('')}}\n`);
  const many = await wayward(t, ['check', '--config', file]);
  assert.match(many.out, /swanctl\.conf: more than 100 errors, nothing would be loaded\n$/);
  const { findings: told, ok } = JSON.parse(
    (await wayward(t, ['check', '--config', file, '--json'])).out,
  ) as { findings: unknown[]; ok: boolean };
  assert.deepEqual([told.length, ok], [100, false]);

  const missing = await wayward(t, ['check', '--config', join(folder(t), 'none'), '--json']);
  assert.equal(missing.status, 2);
  assert.equal(
    (JSON.parse(missing.out) as { findings: { code: string }[] }).findings[0]?.code,
    'configuration-file',
  );
});
