// Sections as written, before inheritance is resolved.
import type { Position } from '../position.ts';
import type { Setting } from '../tree.ts';

/** `connections.conn-a` after a colon. */
export interface Reference {
  readonly path: string;
  readonly position: Position;
}

/** Mutable while it is read: the same section may be opened again, also by an included file, and grows. */
export interface RawSection {
  readonly name: string;
  readonly position: Position;
  readonly settings: Map<string, Setting>;
  readonly sections: Map<string, RawSection>;
  readonly references: Reference[];
}

export function emptyRawSection(name: string, position: Position): RawSection {
  return { name, position, settings: new Map(), sections: new Map(), references: [] };
}
