// What the option table consists of: options, and the sections they may stand in.
import type { ValueTypes } from './value-types.ts';

/**
 * - `supported`: does what it says
 * - `harmless-unsupported`: has no effect here, and no security depends on it; one warning names it
 * - `security-unsupported`: ignoring it would protect less, more or other traffic than asked for; an error names it
 */
export type OptionClass = 'supported' | 'harmless-unsupported' | 'security-unsupported';

export interface Option {
  /** As written; `id<suffix>` stands for every name that begins with `id`. */
  readonly name: string;
  readonly type: keyof ValueTypes;
  readonly class: OptionClass;
  /** As the documentation shows it; empty: none. */
  readonly default: string;
  /** One sentence for the documentation, only where there is more to say than strongSwan's manual does. */
  readonly note?: string;
  /** Of a `choice`: what is accepted. */
  readonly values?: readonly string[];
  /** Of a `choice`: other words for values. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Of a `choice`: what strongSwan knows and wayward does not do. */
  readonly otherValues?: readonly string[];
  /** Of a number. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** Of an unsupported option: values beside the default that ask for what happens anyway. */
  readonly same?: readonly string[];
}

export interface Subsection {
  /** `children`, `local<suffix>` for names that begin so, or `<child>` for any name. */
  readonly name: string;
  readonly schema: SectionSchema;
  /** Set if the whole section is accepted without effect; one warning names it. */
  readonly class?: 'harmless-unsupported';
  /** Why, for that warning. */
  readonly note?: string;
}

export interface SectionSchema {
  /** As strongSwan's manual writes it: `connections.<conn>.children.<child>`. */
  readonly path: string;
  readonly options: readonly Option[];
  readonly sections: readonly Subsection[];
}

/** Whether a written name is the one of an option or subsection. */
export function matchesName(pattern: string, name: string): boolean {
  if (pattern === '<number>') return /^\d+$/.test(name);
  if (pattern.endsWith('<suffix>')) return name.startsWith(pattern.slice(0, -'<suffix>'.length));
  return pattern.startsWith('<') || pattern === name;
}

/** The entry for a name; one that is written out wins over a pattern. */
export function findByName<T extends { readonly name: string }>(
  entries: readonly T[],
  name: string,
): T | undefined {
  return (
    entries.find((entry) => entry.name === name) ?? entries.find((entry) => matchesName(entry.name, name))
  );
}

/** Names to suggest for a misspelled one. */
export function suggestedNames(entries: readonly { readonly name: string }[]): string[] {
  return entries.filter(({ name }) => !name.startsWith('<')).map(({ name }) => name.replace('<suffix>', ''));
}
