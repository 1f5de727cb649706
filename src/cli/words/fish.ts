// Completion for fish.
import { allCommands, type CommandWords, type Completion } from './command-words.ts';
import { namesCommand } from './shell.ts';

/** In fish, single quotes protect all but themselves and the backslash. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}

/** True where exactly this command has been typed. */
function condition(command: CommandWords): string {
  return quoted(`__wayward_at ${command.path.join(' ')}`.trim());
}

/** What follows `complete -c wayward -n ...`. */
function offer(completion: Completion): string {
  switch (completion.kind) {
    case 'file':
      return '-F';
    case 'folder':
      return "-f -a '(__fish_complete_directories)'";
    case 'words':
      return `-f -a ${quoted(completion.words.join(' '))}`;
    case 'child':
    case 'connection':
      return `-f -a ${quoted(`(${namesCommand(completion.kind)})`)}`;
    case 'nothing':
      return '-f';
  }
}

export function fishCompletion(program: CommandWords): string {
  const lines: string[] = [];
  for (const command of allCommands(program)) {
    const at = `complete -c wayward -n ${condition(command)}`;
    for (const { path, description } of command.commands) {
      lines.push(`${at} -f -a ${quoted(path.at(-1) ?? '')} -d ${quoted(description)}`);
    }
    for (const { completion, description } of command.arguments) {
      lines.push(`${at} ${offer(completion)} -d ${quoted(description)}`);
    }
    for (const { long, short, value, description, completion } of command.options) {
      const brief = short === undefined ? '' : ` -s ${short.slice(1)}`;
      const required = value?.startsWith('<') === true ? ` -r ${offer(completion)}` : '';
      lines.push(`${at} -l ${long.slice(2)}${brief}${required} -d ${quoted(description)}`);
    }
  }
  const paths = allCommands(program)
    .slice(1)
    .map(({ path }) => quoted(path.join(' ')));
  return `# fish completion for wayward. To use it: wayward completion fish > ~/.config/fish/completions/wayward.fish
function __wayward_at
  set -l path
  for word in (commandline -opc)[2..]
    if contains -- (string trim -- "$path $word") ${paths.join(' ')}
      set path $path $word
    end
  end
  test "$path" = "$argv"
end
complete -c wayward -f
${lines.join('\n')}
`;
}
