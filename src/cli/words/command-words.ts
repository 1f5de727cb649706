// The commands of `wayward` as data, read from what --help is made of: for shells and for the manual.
import type { Argument, Command, Option } from 'commander';

/** What a shell may offer in a place. */
export type Completion =
  | { readonly kind: 'file' | 'folder' | 'child' | 'connection' | 'nothing' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

export interface ArgumentWords {
  /** As help shows it: `<child>`, `[side]`. */
  readonly shown: string;
  readonly description: string;
  readonly completion: Completion;
  readonly repeated: boolean;
}

export interface OptionWords {
  readonly long: string;
  /** `-h` */
  readonly short?: string;
  /** As help shows it: `<file>`, `[file]`; absent: a switch. */
  readonly value?: string;
  readonly description: string;
  /** Absent: none worth telling. */
  readonly preset?: string;
  readonly completion: Completion;
}

export interface CommandWords {
  /** Without `wayward`: `lab recovery` is two words. */
  readonly path: readonly string[];
  readonly description: string;
  readonly arguments: readonly ArgumentWords[];
  readonly options: readonly OptionWords[];
  readonly commands: readonly CommandWords[];
}

/** What the name of a value stands for. */
const kinds: Readonly<Record<string, Completion['kind'] & ('file' | 'folder' | 'child' | 'connection')>> = {
  file: 'file',
  path: 'file',
  capture: 'file',
  folder: 'folder',
  child: 'child',
  name: 'child',
  connection: 'connection',
};

function completionOf(name: string, choices: readonly string[] | undefined): Completion {
  if (choices !== undefined) return { kind: 'words', words: choices };
  const kind = kinds[name.replaceAll(/[^\w]/g, '')];
  return { kind: kind ?? 'nothing' };
}

function argumentWords(argument: Argument): ArgumentWords {
  const name = argument.name();
  const dots = argument.variadic ? '...' : '';
  return {
    shown: argument.required ? `<${name}${dots}>` : `[${name}${dots}]`,
    description: argument.description,
    completion: completionOf(name, argument.argChoices),
    repeated: argument.variadic,
  };
}

function optionWords(option: Option): OptionWords {
  const value = /[<[].*[>\]]/.exec(option.flags)?.[0];
  const { defaultValue, defaultValueDescription } = option;
  const preset = defaultValueDescription ?? (typeof defaultValue === 'string' ? defaultValue : undefined);
  return {
    long: option.long ?? option.flags,
    ...(option.short === undefined ? {} : { short: option.short }),
    ...(value === undefined ? {} : { value }),
    description: option.description,
    ...(preset === undefined ? {} : { preset }),
    completion: value === undefined ? { kind: 'nothing' } : completionOf(value, option.argChoices),
  };
}

const helpOption: OptionWords = {
  long: '--help',
  short: '-h',
  description: 'display help for command',
  completion: { kind: 'nothing' },
};

/** A command with all below it; those that help does not list are left out. */
export function commandWords(command: Command, path: readonly string[] = []): CommandWords {
  const help = command.createHelp();
  const listed = help.visibleCommands(command).filter((one) => one.name() !== 'help');
  return {
    path,
    description: command.description(),
    arguments: command.registeredArguments.map(argumentWords),
    options: [...command.options.filter(({ hidden }) => !hidden).map(optionWords), helpOption],
    commands: listed.map((one) => commandWords(one, [...path, one.name()])),
  };
}

/** The command and all below it, itself first. */
export function allCommands(command: CommandWords): readonly CommandWords[] {
  return [command, ...command.commands.flatMap(allCommands)];
}
