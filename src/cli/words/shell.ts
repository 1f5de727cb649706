// What completion for any shell needs.

export const completionShells = ['bash', 'zsh', 'fish'] as const;

export type CompletionShell = (typeof completionShells)[number];

/** Nothing in it means anything to a shell. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Prints the names in the configuration, one a line, and nothing if it cannot be read. */
export function namesCommand(kind: 'child' | 'connection'): string {
  return `wayward completion names ${kind} 2>/dev/null`;
}
