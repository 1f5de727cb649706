// Completion for zsh.
import { allCommands, type CommandWords, type Completion } from './command-words.ts';
import { namesCommand, shellQuoted } from './shell.ts';

function functionName(path: readonly string[]): string {
  return ['_wayward', ...path].join('_').replaceAll('-', '_');
}

/** What `_arguments` calls an action. */
function action(completion: Completion): string {
  switch (completion.kind) {
    case 'file':
      return '_files';
    case 'folder':
      return '_files -/';
    case 'words':
      return `(${completion.words.join(' ')})`;
    case 'child':
    case 'connection':
      return `_wayward_names_of_${completion.kind}`;
    case 'nothing':
      return ' ';
  }
}

/** In descriptions, brackets and colons have a meaning. */
function plain(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, '\\$&');
}

function specifications(command: CommandWords): string[] {
  const options = command.options.flatMap(({ long, short, value, description, completion }) => {
    const name = value === undefined ? '' : `:${plain(value)}:${action(completion)}`;
    return [long, ...(short === undefined ? [] : [short])].map(
      (flag) => `${flag}[${plain(description)}]${name}`,
    );
  });
  const words = command.arguments.map(({ shown, description, completion, repeated }, index) => {
    const place = repeated ? '*' : String(index + 1);
    const optional = shown.startsWith('[') ? '::' : ':';
    return `${place}${optional}${plain(description)}:${action(completion)}`;
  });
  return [...options, ...words].map(shellQuoted);
}

function functionOf(command: CommandWords): string {
  const name = functionName(command.path);
  const own = specifications(command);
  if (command.commands.length === 0) return `${name}() {\n  _arguments -s ${own.join(' \\\n    ')}\n}`;
  const list = command.commands.map(({ path, description }) =>
    shellQuoted(`${path.at(-1)}:${description.replaceAll(':', '\\:')}`),
  );
  const cases = command.commands.map(({ path }) => `    ${path.at(-1)}) ${functionName(path)} ;;`);
  return `${name}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${own.join(' \\\n    ')} \\
    '1:command:->command' '*::argument:->argument'
  case $state in
  command)
    local -a commands=(${list.join(' ')})
    _describe command commands ;;
  argument)
    case $line[1] in
${cases.join('\n')}
    esac ;;
  esac
}`;
}

export function zshCompletion(program: CommandWords): string {
  const names = (['child', 'connection'] as const).map(
    (kind) =>
      `_wayward_names_of_${kind}() {\n  local -a names=(\${(f)"$(${namesCommand(kind)})"})\n  compadd -a names\n}`,
  );
  return `#compdef wayward
# zsh completion for wayward. To use it: wayward completion zsh > "\${fpath[1]}/_wayward"
${[...names, ...allCommands(program).map(functionOf)].join('\n')}
if [[ $funcstack[1] = _wayward ]]; then _wayward "$@"; else compdef _wayward wayward; fi
`;
}
