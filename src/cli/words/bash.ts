// Completion for bash.
import { allCommands, type CommandWords, type Completion } from './command-words.ts';
import { namesCommand, shellQuoted } from './shell.ts';

/** An assignment to COMPREPLY. */
function offer(completion: Completion, more: readonly string[] = []): string {
  const words = more.length === 0 ? '' : `${more.join(' ')} `;
  switch (completion.kind) {
    case 'file':
      return 'COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null';
    case 'folder':
      return 'COMPREPLY=($(compgen -d -- "$current")); compopt -o filenames 2>/dev/null';
    case 'words':
      return `COMPREPLY=($(compgen -W ${shellQuoted(`${words}${completion.words.join(' ')}`)} -- "$current"))`;
    case 'child':
    case 'connection':
      return `COMPREPLY=($(compgen -W "${words}$(${namesCommand(completion.kind)})" -- "$current"))`;
    case 'nothing':
      return words === ''
        ? 'COMPREPLY=()'
        : `COMPREPLY=($(compgen -W ${shellQuoted(words.trim())} -- "$current"))`;
  }
}

function pathOf(command: CommandWords): string {
  return command.path.map((word) => ` ${word}`).join('');
}

export function bashCompletion(program: CommandWords): string {
  const commands = allCommands(program);
  const paths = commands.slice(1).map((one) => shellQuoted(pathOf(one)));
  const values = commands.flatMap((command) =>
    command.options.flatMap(({ long, value, completion }) =>
      value === undefined
        ? []
        : [`    ${shellQuoted(`${pathOf(command)} ${long}`)}) ${offer(completion)}; return ;;`],
    ),
  );
  const options = commands.map((command) => {
    const words = command.options.map(({ long }) => long).join(' ');
    return `      ${shellQuoted(pathOf(command))}) COMPREPLY=($(compgen -W ${shellQuoted(words)} -- "$current")) ;;`;
  });
  const places = commands.map((command) => {
    const [argument] = command.arguments;
    const names = command.commands.map(({ path }) => path.at(-1) ?? '');
    return `    ${shellQuoted(pathOf(command))}) ${offer(argument?.completion ?? { kind: 'nothing' }, names)} ;;`;
  });
  return `# bash completion for wayward. To use it: wayward completion bash > /etc/bash_completion.d/wayward
_wayward() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
    ${paths.join('|')}) path="$path $word" ;;
    esac
  done
  case "$path $previous" in
${values.join('\n')}
  esac
  if [[ $current == -* ]]; then
    case "$path" in
${options.join('\n')}
    esac
    return
  fi
  case "$path" in
${places.join('\n')}
  esac
}
complete -F _wayward wayward
`;
}
