// `wayward lab recovery` as people type it; what it measures is tested in the lab.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { labRecovery } from './lab-recovery.ts';
import { folder, wayward } from './testing/wayward-process.ts';

const oneCell = ['lab', 'recovery', '--seeds', '1', '--scenario', 'responder-restarts', '--policy', 'qcd'];

test('one incident, one equipment: a row for each distance, and nothing else on stdout', async (t) => {
  const { status, out, err } = await wayward(t, oneCell);
  assert.equal(err, '');
  const lines = out.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^incident +equipment +RTT ms/);
  assert.deepEqual(
    lines.slice(1).map((line) => line.split(/ {2,}/).slice(0, 3)),
    [
      ['responder restarts', 'QCD', '20'],
      ['responder restarts', 'QCD', '100'],
    ],
  );
  assert.equal(status, 0);
});

test('--json is one object with the cells, and what does not hold', async (t) => {
  const { status, out } = await wayward(t, [...oneCell, '--json']);
  const { command, cells, broken } = JSON.parse(out) as {
    command: string;
    cells: { recoveryRtts: { p50: number }; bytesOutPerByteIn: number }[];
    broken: string[];
  };
  assert.equal(command, 'wayward lab recovery --seeds 1');
  assert.equal(cells.length, 2);
  for (const { recoveryRtts, bytesOutPerByteIn } of cells) {
    assert.ok(recoveryRtts.p50 > 1 && recoveryRtts.p50 < 6);
    assert.ok(bytesOutPerByteIn > 0 && bytesOutPerByteIn <= 1);
  }
  assert.deepEqual(broken, []);
  assert.equal(status, 0);
});

test('words that make no sense are a matter of usage', async (t) => {
  for (const words of [
    ['--seeds', '0'],
    ['--scenario', 'flood'],
    ['--write', '--policy', 'qcd'],
  ]) {
    const { status, out, err } = await wayward(t, ['lab', 'recovery', ...words]);
    assert.equal(status, 2, err);
    assert.equal(out, '');
  }
});

test('the document and its picture name the command that makes them again', async (t) => {
  const path = join(folder(t), 'recovery.md');
  const held = await labRecovery(
    { seeds: '1', json: true, scenario: ['nat-rebinding'], policy: ['full-ladder'], write: path },
    { out: () => undefined, err: () => undefined },
  );
  assert.equal(held, true);
  const document = readFileSync(path, 'utf8');
  assert.match(document, /`wayward lab recovery --seeds 1 --write`/);
  assert.match(document, /!\[.*\]\(recovery\.svg\)/);
  assert.match(document, /^\| NAT rebinding \| full ladder \| 100 +\|/m);
  assert.match(
    readFileSync(join(path, '..', 'recovery.svg'), 'utf8'),
    /^<svg [\s\S]*seeds 1 to 1[\s\S]*<\/svg>\n$/,
  );
  assert.deepEqual(readdirSync(join(path, '..')).sort(), ['recovery.md', 'recovery.svg']);
});

test('where the document cannot go is told before anything is played', async (t) => {
  const place = folder(t);
  writeFileSync(join(place, 'file'), '');
  for (const write of [join(place, 'file', 'recovery.md'), place]) {
    const told: string[] = [];
    const held = await labRecovery(
      { seeds: '1', json: false, scenario: ['nat-rebinding'], policy: ['full-ladder'], write },
      {
        out: (line) => told.push(`out ${line}`),
        err: (line) => told.push(line),
        progress: () => told.push('played'),
      },
    );
    assert.equal(held, false);
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(told[0] ?? '', /cannot be written: E(NOTDIR|EXIST|ISDIR)/);
  }
});
