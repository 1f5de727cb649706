// Documents that must keep up with the tree: dependencies, rooms, decisions.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { table } from './rooms.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const read = (name) => readFileSync(join(root, name), 'utf8');
/** Cells of the rows of a document's tables. */
const rowsOf = (text) =>
  [...text.matchAll(/^\|(.*)\|$/gm)].map(([, row]) => row.split('|').map((cell) => cell.trim()));

test('docs/dependencies.md has a full line for every dependency, and for nothing else', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));
  const lines = rowsOf(read('docs/dependencies.md')).filter(([name]) => name.startsWith('`'));
  const named = lines.map(([name, where]) => `${name.slice(1, -1)}, ${where}`);
  const wanted = [
    ...Object.keys(dependencies).map((name) => `${name}, run time`),
    ...Object.keys(devDependencies).map((name) => `${name}, development`),
  ];
  assert.deepEqual(named.toSorted(), wanted.toSorted());
  for (const cells of lines) {
    assert.equal(cells.length, 5);
    assert.ok(
      cells.every((cell) => cell !== ''),
      `${cells[0]}: a cell is empty`,
    );
  }
});

test("docs/architecture.md has the rooms that exist, with the imports of the rooms' table", () => {
  const lines = rowsOf(read('docs/architecture.md')).filter(([name]) => name.startsWith('`'));
  const described = new Map(lines.map(([name, , imports]) => [name.slice(1, -1), imports]));
  const standing = table.rooms.filter(({ name }) => existsSync(join(root, 'src', name)));
  assert.deepEqual(
    [...described.keys()],
    standing.map(({ name }) => name),
  );
  for (const { name, imports } of standing) {
    const said = described.get(name);
    const others = table.rooms.map((room) => room.name).filter((one) => one !== name);
    if (said === 'nothing') assert.deepEqual(imports, []);
    else if (said === 'all') assert.deepEqual(imports.toSorted(), others.toSorted());
    else if (said.startsWith('all but ')) {
      const left = said.slice(8).replaceAll('`', '').split(' ');
      assert.deepEqual(imports.toSorted(), others.filter((one) => !left.includes(one)).toSorted());
    } else assert.deepEqual(said.replaceAll('`', '').split(' '), imports);
  }
});

test('a document that begins with a list of its chapters lists all of them, in their order', () => {
  const chapters = (text) => [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  const listed = (text) => [...text.matchAll(/^- \[([^\]]+)\]\(#[^)]+\)$/gm)].map(([, title]) => title);
  const documents = readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => ({ name, text: read(`docs/${name}`) }))
    .filter(({ text }) => listed(text).length > 0);
  assert.ok(documents.length > 0);
  for (const { name, text } of documents) assert.deepEqual(listed(text), chapters(text), name);
});

test('docs/decisions/README.md lists every decision by its title', () => {
  const list = read('docs/decisions/README.md');
  const files = readdirSync(join(root, 'docs/decisions')).filter((name) => name !== 'README.md');
  for (const file of files) {
    const [, number, title] = /^# (\d+)\. (.+)$/m.exec(read(`docs/decisions/${file}`)) ?? [];
    assert.equal(file.slice(0, 4), number.padStart(4, '0'));
    assert.ok(list.includes(`${number}. [${title}](${file})`), `${file} is not listed by its title`);
  }
});
