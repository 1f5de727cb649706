// The section tree: what text, and later a vici message, becomes before anybody asks what it means.
import type { Position } from './position.ts';

/** Text has strings; vici messages also have lists and octets. `undefined`: cleared, so that the default holds. */
export type SettingValue = string | Uint8Array | readonly (string | Uint8Array)[] | undefined;

export interface Setting {
  readonly name: string;
  readonly value: SettingValue;
  /** Of the name. */
  readonly position: Position;
  /** Of the value. */
  readonly valuePosition: Position;
}

/** One section, inheritance resolved. Maps keep the order of the text. */
export interface Section {
  readonly name: string;
  readonly position: Position;
  readonly settings: ReadonlyMap<string, Setting>;
  readonly sections: ReadonlyMap<string, Section>;
}

/** Nested plain objects, as a vici message decodes to. */
export interface TreeObject {
  readonly [name: string]: string | Uint8Array | readonly (string | Uint8Array)[] | TreeObject;
}

/**
 * A tree of something that is no text; `source` stands for the file in errors, for example `vici`. An empty list says
 * nothing, as an empty assignment does in text.
 */
export function sectionFromObject(name: string, object: TreeObject, source: string): Section {
  const position: Position = { file: source, line: 0, column: 0 };
  const settings = new Map<string, Setting>();
  const sections = new Map<string, Section>();
  for (const [key, value] of Object.entries(object)) {
    if (isTreeObject(value)) sections.set(key, sectionFromObject(key, value, source));
    else {
      const cleared = Array.isArray(value) && value.length === 0;
      settings.set(key, { name: key, value: cleared ? undefined : value, position, valuePosition: position });
    }
  }
  return { name, position, settings, sections };
}

function isTreeObject(value: TreeObject[string]): value is TreeObject {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** The tree without positions, for comparison and display. A cleared setting is left out. */
export function objectFromSection(section: Section): TreeObject {
  const entries: [string, TreeObject[string]][] = [];
  for (const { name, value } of section.settings.values()) {
    if (value !== undefined) entries.push([name, value]);
  }
  for (const child of section.sections.values()) entries.push([child.name, objectFromSection(child)]);
  return Object.fromEntries(entries);
}
