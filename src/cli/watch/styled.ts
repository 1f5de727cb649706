// Lines of a terminal: text with styles, cut to a width, with escapes only where they are wanted.

export type Style = 'bold' | 'dim' | 'good' | 'warn' | 'bad' | 'accent' | 'reverse';

export interface Span {
  readonly text: string;
  readonly style?: Style;
}

export type Line = readonly Span[];

const escapes: Readonly<Record<Style, string>> = {
  bold: '1',
  dim: '2',
  good: '32',
  warn: '33',
  bad: '31',
  accent: '36',
  reverse: '7',
};

/** What a peer chose to be called must not move our cursor. */
function harmless(text: string): string {
  return text.replaceAll(/\p{C}/gu, '·');
}

export function span(text: string, style?: Style): Span {
  return style === undefined ? { text } : { text, style };
}

/** Cut, with an ellipsis, or filled up with spaces. */
export function cell(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const points = [...harmless(text)];
  if (points.length > width) return `${points.slice(0, Math.max(0, width - 1)).join('')}…`.slice(0, width);
  const rest = ' '.repeat(width - points.length);
  return align === 'left' ? points.join('') + rest : rest + points.join('');
}

/** At most this many columns wide. */
export function printed(line: Line, columns: number, colour: boolean): string {
  let room = columns;
  let out = '';
  for (const { text, style } of line) {
    const points = [...harmless(text)].slice(0, room);
    room -= points.length;
    const part = points.join('');
    out += colour && style !== undefined && part !== '' ? `\u001b[${escapes[style]}m${part}\u001b[0m` : part;
  }
  return out.trimEnd();
}
