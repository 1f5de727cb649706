// Characters of one file with their positions: the lexical rules of strongswan.conf(5).
import type { Position } from '../position.ts';

/** What may stand in the name of a section or key: anything printable but what structures the text. */
const nameCharacter = /[^\s\p{Cc}#{}=".,:]/u;

export class Cursor {
  readonly file: string;
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(file: string, text: string) {
    this.file = file;
    this.#text = text;
  }

  get position(): Position {
    return { file: this.file, line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  /** The next character, empty at the end. */
  peek(): string {
    return this.#text.charAt(this.#at);
  }

  take(): string {
    const character = this.#text.charAt(this.#at++);
    if (character === '\n') {
      this.#line++;
      this.#lineStart = this.#at;
    }
    return character;
  }

  /** Skips blanks and a comment, but no line end. */
  skipBlanks(): void {
    while (this.#at < this.#text.length && /[ \t\r]/.test(this.peek())) this.#at++;
    if (this.peek() === '#') {
      const end = this.#text.indexOf('\n', this.#at);
      this.#at = end < 0 ? this.#text.length : end;
    }
  }

  /** Skips blanks, comments and line ends. */
  skipSpace(): void {
    this.skipBlanks();
    while (this.peek() === '\n') {
      this.take();
      this.skipBlanks();
    }
  }

  /** Skips to a character if nothing but blanks, comments and line ends is before it; else stays where it is. */
  skipSpaceTo(character: string): boolean {
    const [at, line, lineStart] = [this.#at, this.#line, this.#lineStart];
    this.skipSpace();
    if (this.peek() === character) return true;
    [this.#at, this.#line, this.#lineStart] = [at, line, lineStart];
    return false;
  }

  /** A name, empty if there is none. */
  takeName(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && nameCharacter.test(this.peek())) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  /** The characters up to one that `stop` matches or the end. */
  takeUntil(stop: RegExp): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !stop.test(this.peek())) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  /** Recovery: leaves the rest of the line behind, up to its end or a closing brace. */
  skipFault(): void {
    while (this.#at < this.#text.length && this.peek() !== '\n' && this.peek() !== '}') this.#at++;
  }

  /**
   * A quoted string; the cursor stands on the opening quote. It may run over several lines, a backslash before a line
   * end joins two lines, `\n`, `\r`, `\t` mean what they do in C, any other escaped character itself. `undefined` if it
   * is not closed.
   */
  takeQuoted(): string | undefined {
    this.take();
    let text = '';
    while (this.#at < this.#text.length) {
      const character = this.take();
      if (character === '"') return text;
      if (character === '\r') continue;
      if (character !== '\\') {
        text += character;
        continue;
      }
      let escaped = this.take();
      if (escaped === '\r' && this.peek() === '\n') escaped = this.take();
      if (escaped === 'n') text += '\n';
      else if (escaped === 'r') text += '\r';
      else if (escaped === 't') text += '\t';
      else if (escaped !== '\n') text += escaped;
    }
    return undefined;
  }
}
