// A tree held against the option table: unknown names, bad values, and what wayward does not do.
import type { Findings } from '../error.ts';
import { didYouMean } from '../suggestion.ts';
import type { Section, Setting, SettingValue } from '../tree.ts';
import { BadValue, UnsupportedValue } from '../values/bad-value.ts';
import { findByName, type Option, type SectionSchema, type Subsection, suggestedNames } from './option.ts';
import { parseValue, type ValueTypes } from './value-types.ts';

/** Reports everything that is wrong with a section and those inside it. */
export function checkSection(section: Section, schema: SectionSchema, findings: Findings): void {
  for (const setting of section.settings.values()) {
    const option = findByName(schema.options, setting.name);
    if (option === undefined) reportUnknownOption(setting, schema, findings);
    else checkSetting(setting, option, findings);
  }
  for (const child of section.sections.values()) {
    const known = findByName(schema.sections, child.name);
    if (known === undefined) reportUnknownSection(child, schema, findings);
    else checkSubsection(child, known, findings);
  }
}

function checkSubsection(section: Section, known: Subsection, findings: Findings): void {
  checkSection(section, known.schema, findings);
  if (known.class === 'harmless-unsupported') {
    findings.warn(
      section.position,
      `section "${section.name}" has no effect: ${known.note ?? 'not supported'}`,
    );
  }
}

function reportUnknownOption(setting: Setting, schema: SectionSchema, findings: Findings): void {
  const where = schema.path === '' ? 'outside of all sections' : `in ${schema.path}`;
  const named = quotable(schema) ? `unknown option "${setting.name}"` : 'unknown option';
  const hint = didYouMean(setting.name, suggestedNames(schema.options));
  findings.error('unknown-option', setting.position, `${named} ${where}${hint}`);
}

function reportUnknownSection(section: Section, schema: SectionSchema, findings: Findings): void {
  const named = quotable(schema) ? `unknown section "${section.name}"` : 'unknown section';
  const hint = didYouMean(section.name, suggestedNames(schema.sections));
  findings.error('unknown-section', section.position, `${named} in ${schema.path}${hint}`);
}

/** A name inside `secrets` may be a secret that slipped to the wrong side of an equals sign. */
function quotable(schema: SectionSchema): boolean {
  return !schema.path.startsWith('secrets');
}

function checkSetting(setting: Setting, option: Option, findings: Findings): void {
  if (setting.value === undefined) return;
  let value: unknown;
  try {
    value = parseValue(option.type, setting.value, option);
  } catch (error) {
    if (error instanceof BadValue) {
      const given = shown(error.item ?? setting.value, option);
      findings.error('bad-value', setting.valuePosition, `${option.name}${given}: expected ${error.message}`);
    } else if (error instanceof UnsupportedValue) {
      findings.error('unsupported', setting.valuePosition, `${option.name}: ${error.message}`);
    } else throw error;
    return;
  }
  if (option.class === 'supported' || asksForNothingElse(value, option)) return;
  const why = option.note === undefined ? '' : ` (${option.note.replace(/\.$/, '')})`;
  if (option.class === 'harmless-unsupported') {
    findings.warn(setting.position, `option "${setting.name}" has no effect: not supported${why}`);
  } else {
    findings.error('unsupported', setting.position, `option "${setting.name}" is not supported${why}`);
  }
}

/** The given value, unless it may be secret; nothing in it may steer a terminal. */
function shown(value: SettingValue, option: Option): string {
  if (option.type === 'secret' || option.name === 'secret' || typeof value !== 'string') return '';
  return ` = "${value.slice(0, shownMax).replace(/\p{Cc}/gu, '?')}"`;
}

const shownMax = 80;

/** Whether the value of an unsupported option is what happens anyway. */
function asksForNothingElse(value: unknown, option: Option): boolean {
  const wanted = JSON.stringify(value);
  return [option.default, ...(option.same ?? [])].some(
    (text) => text !== '' && JSON.stringify(parseValue(option.type, text, option)) === wanted,
  );
}

/** Typed access to the settings of one section. Faults have been reported by `checkSection` and read as absent. */
export class Settings {
  readonly section: Section;
  readonly #schema: SectionSchema;

  constructor(section: Section, schema: SectionSchema) {
    this.section = section;
    this.#schema = schema;
  }

  /** The value, or `undefined` if the option is absent, cleared or faulty. */
  value<K extends keyof ValueTypes>(name: string, type: K): ValueTypes[K] | undefined {
    const value = this.section.settings.get(name)?.value;
    if (value === undefined) return undefined;
    const option = findByName(this.#schema.options, name);
    if (option?.type !== type) throw new TypeError(`${this.#schema.path}.${name} is no ${type}`);
    return tolerate(() => parseValue(type, value, option));
  }

  /** The value, or else the default of the table. */
  required<K extends keyof ValueTypes>(name: string, type: K): ValueTypes[K] {
    const option = findByName(this.#schema.options, name);
    if (option?.type !== type) throw new TypeError(`${this.#schema.path}.${name} is no ${type}`);
    return this.value(name, type) ?? parseValue(type, option.default, option);
  }

  /** Where the option is written, or else its section. */
  position(name: string): Section['position'] {
    return this.section.settings.get(name)?.valuePosition ?? this.section.position;
  }

  /** The settings of an option with a `<suffix>`, in order. */
  withPrefix(prefix: string): readonly Setting[] {
    return [...this.section.settings.values()].filter(({ name }) => name.startsWith(prefix));
  }

  /** The subsections whose name is this, or begins with it if it ends in `<suffix>`, or all for `<...>`. */
  sections(name: string): readonly Settings[] {
    const known = this.#schema.sections.find((one) => one.name === name);
    if (known === undefined) throw new TypeError(`${this.#schema.path} has no section ${name}`);
    return [...this.section.sections.values()]
      .filter((child) => findByName(this.#schema.sections, child.name) === known)
      .map((child) => new Settings(child, known.schema));
  }
}

function tolerate<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof BadValue || error instanceof UnsupportedValue) return undefined;
    throw error;
  }
}
