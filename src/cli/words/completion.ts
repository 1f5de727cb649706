// `wayward completion`: a script for each shell, made of the same words as --help.
import type { Command } from 'commander';
import { bashCompletion } from './bash.ts';
import { type CommandWords, commandWords } from './command-words.ts';
import { fishCompletion } from './fish.ts';
import type { CompletionShell } from './shell.ts';
import { zshCompletion } from './zsh.ts';

const makers: Readonly<Record<CompletionShell, (program: CommandWords) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export function completionFor(shell: CompletionShell, program: Command): string {
  return makers[shell](commandWords(program));
}
