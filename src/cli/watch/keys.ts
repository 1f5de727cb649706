// What a terminal sends for keys.

export type Key = 'quit' | 'up' | 'down' | 'left' | 'right' | 'page-up' | 'page-down' | 'pause';

const sequences: Readonly<Record<string, Key>> = {
  q: 'quit',
  '\u0003': 'quit',
  k: 'up',
  j: 'down',
  h: 'left',
  l: 'right',
  p: 'pause',
  ' ': 'pause',
  '\u001b[A': 'up',
  '\u001b[B': 'down',
  '\u001b[C': 'right',
  '\u001b[D': 'left',
  '\u001bOA': 'up',
  '\u001bOB': 'down',
  '\u001bOC': 'right',
  '\u001bOD': 'left',
  '\u001b[5~': 'page-up',
  '\u001b[6~': 'page-down',
};

const esc = '\u001b';
const oneKey = new RegExp(`${esc}(?:\\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[^${esc}]`, 'gu');

/** Several keys may come at once; what is none is skipped. */
export function keysOf(data: string): readonly Key[] {
  return (data.match(oneKey) ?? []).flatMap((sequence) => sequences[sequence] ?? []);
}
