// Completion as the shells themselves do it, and against what help says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { program } from '../command.ts';
import { folder, wayward, waywardCommand } from '../testing/wayward-process.ts';
import { allCommands, commandWords } from './command-words.ts';
import { completionFor } from './completion.ts';
import { type CompletionShell, completionShells } from './shell.ts';

const capture = fileURLToPath(new URL('../../../src/cli/words/testing/zsh-capture.zsh', import.meta.url));

/** A place with the script, a `wayward` that the script may call, and a file to complete. */
function place(t: TestContext, shell: CompletionShell): string {
  const here = folder(t);
  writeFileSync(join(here, '_wayward'), completionFor(shell, program));
  writeFileSync(join(here, 'gateway.conf'), '');
  mkdirSync(join(here, 'bin'));
  // Its configuration is one of ours.
  const configuration = join(here, 'gateway.conf');
  writeFileSync(
    configuration,
    'connections { office { children { net { } voice { } } } home { children { net { } } } }\n',
  );
  writeFileSync(
    join(here, 'bin', 'wayward'),
    `#!/bin/sh\nexec ${process.execPath} ${waywardCommand} "$@" --config ${configuration}\n`,
    { mode: 0o755 },
  );
  return here;
}

const shells: Readonly<Record<CompletionShell, (here: string, line: string) => readonly string[]>> = {
  bash: (here, line) => {
    const words = line.split(' ').map((word) => `'${word}'`);
    const script = `. ${here}/_wayward; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _wayward; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return run(here, ['bash', '--norc', '-c', script]);
  },
  zsh: (here, line) => run(here, ['zsh', '-f', capture, here, line]),
  fish: (here, line) =>
    run(here, ['fish', '--no-config', '-c', `source ${here}/_wayward; complete -C '${line}'`]).map(
      (found) => found.split('\t')[0] ?? '',
    ),
};

function run(here: string, words: readonly string[]): string[] {
  const [command = '', ...rest] = words;
  const { stdout, stderr } = spawnSync(command, rest, {
    cwd: here,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, HOME: here, PATH: `${join(here, 'bin')}:${process.env['PATH']}`, TERM: 'dumb' },
  });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

for (const shell of completionShells) {
  const missing = spawnSync(shell, ['-c', 'true']).error !== undefined && `${shell} is not installed`;
  describe(`${shell} completes`, { skip: missing }, () => {
    const said = (t: TestContext, line: string): readonly string[] => {
      const found = shells[shell](place(t, shell), line);
      return [...new Set(found)].toSorted();
    };

    test('commands, and those below a command', (t) => {
      assert.deepEqual(said(t, 'wayward st'), ['status']);
      assert.deepEqual(said(t, 'wayward lab '), ['crash', 'recovery']);
    });

    test('options of the command that was typed', (t) => {
      assert.deepEqual(said(t, 'wayward status --'), ['--help', '--json', '--socket']);
    });

    test('names in the configuration', (t) => {
      assert.deepEqual(said(t, 'wayward up '), ['net', 'voice']);
    });

    test('choices, and files behind an option that takes one', (t) => {
      assert.deepEqual(said(t, 'wayward lab crash '), ['left', 'right']);
      assert.deepEqual(said(t, 'wayward run --config gate'), ['gateway.conf']);
    });
  });
}

/** What `--help` prints; that commands do so is tried in a process of their own elsewhere. */
function helpOf(path: readonly string[]): string {
  let command: Command = program;
  for (const name of path) command = command.commands.find((one) => one.name() === name)!;
  return command.helpInformation();
}

test('what shells and the manual are made of is all that help shows', () => {
  for (const command of allCommands(commandWords(program))) {
    const out = helpOf(command.path);
    const shown = [...out.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, long]) => long);
    assert.deepEqual(
      command.options.map(({ long }) => long).toSorted(),
      shown.toSorted(),
      command.path.join(' '),
    );
    const below = [...(out.split('Commands:\n')[1] ?? '').matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name);
    assert.deepEqual(
      command.commands.map(({ path }) => path.at(-1)),
      below.filter((name) => name !== 'help'),
    );
  }
});

test('a configuration that cannot be read has no names, and nobody is told', async (t) => {
  const missing = join(folder(t), 'swanctl.conf');
  const words = ['completion', 'names', 'child', '--config', missing];
  assert.deepEqual(await wayward(t, words), { status: 0, signal: null, out: '', err: '' });
  writeFileSync(missing, 'connections {');
  assert.deepEqual(await wayward(t, words), { status: 0, signal: null, out: '', err: '' });
});
