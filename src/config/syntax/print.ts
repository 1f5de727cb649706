// A tree -> text that reads back as the same tree.
import type { Section } from '../tree.ts';

/** Every value is quoted. Lists are joined by commas; octets have no text form and are a caller's mistake. */
export function printTree(root: Section): string {
  return body(root, '');
}

function body(section: Section, indent: string): string {
  let text = '';
  for (const { name, value } of section.settings.values()) {
    text += value === undefined ? `${indent}${name} =\n` : `${indent}${name} = ${quote(printable(value))}\n`;
  }
  for (const child of section.sections.values()) {
    text += `${indent}${child.name} {\n${body(child, `${indent}  `)}${indent}}\n`;
  }
  return text;
}

function printable(value: string | Uint8Array | readonly (string | Uint8Array)[]): string {
  if (typeof value === 'string') return value;
  if (!(value instanceof Uint8Array)) return value.map((item) => printable(item)).join(',');
  throw new TypeError('octets have no text form');
}

function quote(value: string): string {
  const escaped = value.replace(/[\\"]/g, '\\$&').replace(/\r/g, '\\r').replace(/\n/g, '\\n');
  return `"${escaped}"`;
}
