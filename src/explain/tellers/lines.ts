// Text that fits a terminal: wrapped paragraphs and aligned tables.

/** Words of `text` in lines of at most `width` columns; what follows the first is indented to where the first began. */
export function wrapped(first: string, text: string, width: number): string[] {
  const indent = ' '.repeat(first.length);
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of breakable(text, width - first.length)) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line.trimEnd()];
}

/** Offers with all algorithms there are make words that no line holds: they break behind a hyphen. */
function breakable(text: string, width: number): string[] {
  return text.split(' ').flatMap((word) => {
    const parts: string[] = [];
    let rest = word;
    while (rest.length > width && width > 0) {
      const hyphen = rest.lastIndexOf('-', width - 1);
      const end = hyphen > 0 ? hyphen + 1 : width;
      parts.push(rest.slice(0, end));
      rest = rest.slice(end);
    }
    return [...parts, rest];
  });
}

/** Columns as wide as their widest cell; a `>` before a heading aligns it right. Rows may leave cells out at their end. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  indent = '  ',
): string[] {
  const right = headings.map((heading) => heading.startsWith('>'));
  const all = [headings.map((heading) => heading.replace(/^>/, '')), ...rows];
  const widths = headings.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all.map((row) => {
    const cells = row.map((cell, i) =>
      right[i] === true ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
    );
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
}
