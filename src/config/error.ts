// What is wrong with a configuration: typed, positioned, collected, and free of secrets.
import { formatPosition, type Position } from './position.ts';

/**
 * - `syntax`: the text is no swanctl.conf syntax
 * - `limit`: nesting, inclusion or inheritance beyond what this reader accepts
 * - `include`: an included file cannot be read
 * - `reference`: an inherited section does not exist, or inherits from itself
 * - `unknown-option`, `unknown-section`: a name that means nothing here
 * - `bad-value`: a value outside of what its option accepts
 * - `unsupported`: an option or value that would change security and that wayward does not implement
 * - `missing`: something required is absent
 * - `conflict`: two settings that cannot both hold
 * - `file`: a certificate, key or revocation list cannot be found or read
 */
export type ConfigurationErrorCode =
  | 'syntax'
  | 'limit'
  | 'include'
  | 'reference'
  | 'unknown-option'
  | 'unknown-section'
  | 'bad-value'
  | 'unsupported'
  | 'missing'
  | 'conflict'
  | 'file';

/** One fault at one place. `message` starts with the place; `detail` is the rest. Neither ever holds a secret. */
export class ConfigurationError extends Error {
  readonly code: ConfigurationErrorCode;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly detail: string;

  constructor(code: ConfigurationErrorCode, position: Position, detail: string) {
    super(`${formatPosition(position)}: ${detail}`);
    this.name = 'ConfigurationError';
    this.code = code;
    this.file = position.file;
    this.line = position.line;
    this.column = position.column;
    this.detail = detail;
  }
}

/** Everything that is wrong with one configuration. Nothing of it was loaded. */
export class ConfigurationErrors extends Error {
  readonly code = 'bad-configuration' as const;
  readonly errors: readonly ConfigurationError[];
  /** What else was found until then. */
  readonly warnings: readonly ConfigurationWarning[];
  /** Whether there are more errors than are told. */
  readonly more: boolean;

  constructor(
    errors: readonly ConfigurationError[],
    warnings: readonly ConfigurationWarning[],
    more: boolean = false,
  ) {
    super(errors.map((error) => error.message).join('\n'));
    this.name = 'ConfigurationErrors';
    this.errors = errors;
    this.warnings = warnings;
    this.more = more;
  }
}

/** Something that is accepted but without effect, or not as strongSwan does it. */
export interface ConfigurationWarning {
  readonly position: Position;
  readonly detail: string;
}

/** Where all stages of one load put what they find. Of errors beyond `errorsMax` only that there are some is kept. */
export class Findings {
  readonly #errors: ConfigurationError[] = [];
  readonly #warnings: ConfigurationWarning[] = [];
  /** An inherited setting is met once per heir, and reported once. */
  readonly #seen = new Set<string>();
  #more = false;

  error(code: ConfigurationErrorCode, position: Position, detail: string): void {
    if (this.#repeated(position, detail)) return;
    if (this.#errors.length < errorsMax) this.#errors.push(new ConfigurationError(code, position, detail));
    else this.#more = true;
  }

  warn(position: Position, detail: string): void {
    if (!this.#repeated(position, detail)) this.#warnings.push({ position, detail });
  }

  /** In the order of the text. */
  get warnings(): readonly ConfigurationWarning[] {
    return this.#warnings.toSorted((a, b) => byPlace(a.position, b.position));
  }

  #repeated(position: Position, detail: string): boolean {
    const key = `${formatPosition(position)} ${detail}`;
    const repeated = this.#seen.has(key);
    this.#seen.add(key);
    return repeated;
  }

  /** @throws ConfigurationErrors if there is any error */
  throwIfAny(): void {
    if (this.#errors.length === 0) return;
    throw new ConfigurationErrors(this.#errors.toSorted(byPlace), this.warnings, this.#more);
  }
}

const errorsMax = 100;

/** The order of the text. */
export function byPlace(a: Position, b: Position): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
