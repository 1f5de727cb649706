// strongswan.conf(5) text -> sections as written. Faults are collected, and reading goes on behind each of them.
import type { Findings } from '../error.ts';
import type { ConfigurationPorts } from '../ports.ts';
import type { Position } from '../position.ts';
import { textFromUtf8, utf8Fault } from '../values/utf8.ts';
import { Cursor } from './cursor.ts';
import { emptyRawSection, type RawSection } from './raw.ts';

const byteOrderMark = '\uFEFF';
const nestingMax = 32;
const includeDepthMax = 10;
const includedFilesMax = 1000;

/** The whole text with what it includes. No message quotes the text: any part of it may be a secret. */
export function parseText(
  text: string,
  file: string,
  readFiles: ConfigurationPorts['readFiles'],
  findings: Findings,
): RawSection {
  const root = emptyRawSection('', { file, line: 1, column: 1 });
  new Parser(readFiles, findings).file(new Cursor(file, text), root, 0);
  return root;
}

class Parser {
  readonly #readFiles: ConfigurationPorts['readFiles'];
  readonly #findings: Findings;
  #files = 0;
  /** Paths of the files being read, the outermost first. */
  readonly #open: string[] = [];
  /** An open string swallows the rest of its file: what is then missing is no fault of its own. */
  #unclosedString = false;

  constructor(readFiles: ConfigurationPorts['readFiles'], findings: Findings) {
    this.#readFiles = readFiles;
    this.#findings = findings;
  }

  file(cursor: Cursor, into: RawSection, includeDepth: number): void {
    this.#open.push(cursor.file);
    if (cursor.peek() === byteOrderMark) {
      // swanctl takes it for the beginning of the first name, and finds no section of that name.
      this.#findings.error('syntax', cursor.position, 'there is a byte order mark: save the file without');
      cursor.take();
    }
    this.#statements(cursor, into, 0, includeDepth);
    while (cursor.peek() === '}') {
      this.#findings.error('syntax', cursor.position, 'this "}" closes no section');
      cursor.take();
      this.#statements(cursor, into, 0, includeDepth);
    }
    this.#open.pop();
  }

  /** Reads until a closing brace or the end, and leaves the cursor there. */
  #statements(cursor: Cursor, into: RawSection, nesting: number, includeDepth: number): void {
    const here = new Map<string, string>();
    for (;;) {
      cursor.skipSpace();
      const next = cursor.peek();
      if (next === '' || next === '}') return;
      this.#statement(cursor, into, nesting, includeDepth, here);
    }
  }

  /** @param here what was set in this block before, by name: a second value is a slip, where another block's is meant */
  #statement(
    cursor: Cursor,
    into: RawSection,
    nesting: number,
    includeDepth: number,
    here: Map<string, string>,
  ): void {
    const position = cursor.position;
    const name = cursor.takeName();
    if (name === '') {
      this.#fault(cursor, position, 'expected the name of a section or option');
      return;
    }
    const gap = /^[ \t\r\n]?$/.test(cursor.peek());
    cursor.skipBlanks();
    if (name === 'include' && gap && cursor.peek() !== '=') {
      this.#include(cursor, into, position, includeDepth);
      return;
    }
    if (cursor.peek() === '=') {
      cursor.take();
      this.#setting(cursor, into, name, position, here);
      return;
    }
    const references: { path: string; position: Position }[] = [];
    if (cursor.peek() === ':') {
      cursor.take();
      if (!this.#references(cursor, references)) return;
    }
    if (!cursor.skipSpaceTo('{')) {
      const wanted = references.length > 0 ? 'expected "{"' : 'expected "=", "{" or ":" after a name';
      this.#fault(cursor, cursor.position, wanted);
      return;
    }
    const brace = cursor.position;
    cursor.take();
    if (nesting >= nestingMax) {
      this.#findings.error('limit', brace, `sections are nested deeper than ${nestingMax}`);
      skipBlock(cursor);
      return;
    }
    let section = into.sections.get(name);
    if (section === undefined) {
      section = emptyRawSection(name, position);
      into.sections.set(name, section);
    }
    section.references.push(...references);
    this.#statements(cursor, section, nesting + 1, includeDepth);
    if (cursor.peek() === '}') cursor.take();
    else if (!this.#unclosedString) {
      this.#findings.error('syntax', brace, 'this "{" is never closed');
    }
  }

  /** `: a, b.c` */
  #references(cursor: Cursor, into: { path: string; position: Position }[]): boolean {
    for (;;) {
      cursor.skipSpace();
      const position = cursor.position;
      const path = cursor.takeUntil(/[\s#{}=",:]/);
      if (path === '' || path.split('.').includes('')) {
        this.#fault(cursor, position, 'expected the name of a section to inherit from');
        return false;
      }
      into.push({ path, position });
      if (!cursor.skipSpaceTo(',')) return true;
      cursor.take();
    }
  }

  /** Parts of a value are words and quoted strings; whatever space is between them becomes one blank. */
  #setting(
    cursor: Cursor,
    into: RawSection,
    name: string,
    position: Position,
    here: Map<string, string>,
  ): void {
    cursor.skipBlanks();
    const valuePosition = cursor.position;
    const parts: string[] = [];
    for (;;) {
      cursor.skipBlanks();
      const next = cursor.peek();
      if (next === '' || next === '\n' || next === '}') break;
      if (next === '"') {
        const quote = cursor.position;
        const part = cursor.takeQuoted();
        if (part === undefined) {
          this.#findings.error('syntax', quote, 'this quoted string is never closed');
          this.#unclosedString = true;
          return;
        }
        parts.push(part);
      } else parts.push(cursor.takeUntil(/[#}"\r\n\t ]/));
    }
    const value = parts.length === 0 ? undefined : parts.join(' ');
    if (value?.includes('\0')) {
      this.#findings.error('syntax', valuePosition, 'there is a NUL in this value');
      return;
    }
    if (value !== undefined) {
      const earlier = here.get(name);
      if (earlier !== undefined && earlier !== value)
        this.#findings.warn(position, `"${name}" was set before in this section: only the last value counts`);
      here.set(name, value);
    }
    // A later value replaces an earlier one but keeps its place, as swanctl does.
    into.settings.set(name, { name, value, position, valuePosition });
  }

  #include(cursor: Cursor, into: RawSection, position: Position, depth: number): void {
    const pattern = this.#pattern(cursor);
    if (pattern === undefined || pattern === '') {
      this.#fault(cursor, position, 'include needs a file name');
      return;
    }
    if (depth >= includeDepthMax) {
      this.#findings.error('limit', position, `files include each other deeper than ${includeDepthMax}`);
      return;
    }
    const files = this.#readFiles(pattern, cursor.file);
    if (files.length === 0) {
      if (/[*?[]/.test(pattern)) return;
      this.#findings.error('include', position, `there is no file ${pattern}`);
    }
    for (const file of files) {
      // Each level would read it again as often as it includes itself.
      if (this.#open.includes(file.path)) {
        this.#findings.error('include', position, `${file.path} includes itself`);
        continue;
      }
      if (++this.#files > includedFilesMax) {
        if (this.#files === includedFilesMax + 1) {
          this.#findings.error('limit', position, `more than ${includedFilesMax} files are included`);
        }
        return;
      }
      const text = 'octets' in file ? textFromUtf8(file.octets) : undefined;
      if (text === undefined) {
        const problem = 'problem' in file ? file.problem : utf8Fault(file.octets);
        this.#findings.error('include', position, `${file.path}: ${problem}`);
      } else this.file(new Cursor(file.path, text), into, depth + 1);
    }
  }

  /** Quoted, or a word in which a backslash protects a blank, quote, number sign or closing brace. */
  #pattern(cursor: Cursor): string | undefined {
    if (cursor.peek() === '"') return cursor.takeQuoted();
    let pattern = '';
    for (;;) {
      pattern += cursor.takeUntil(/[\\#}"\s]/);
      if (cursor.peek() !== '\\') return pattern;
      cursor.take();
      pattern += /[#}" ]/.test(cursor.peek()) ? cursor.take() : '\\';
    }
  }

  #fault(cursor: Cursor, position: Position, detail: string): void {
    this.#findings.error('syntax', position, detail);
    cursor.skipFault();
  }
}

/** Leaves everything up to the brace that closes the current block behind. */
function skipBlock(cursor: Cursor): void {
  for (let open = 1; open > 0; ) {
    cursor.takeUntil(/[{}\n]/);
    const next = cursor.take();
    if (next === '') return;
    if (next === '{') open++;
    if (next === '}') open--;
  }
}
