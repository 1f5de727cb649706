// Reads what `swanctl --pretty` prints: sections, `key = value` and lists, one item a line.

export interface Section {
  readonly [name: string]: string | readonly string[] | Section;
}

type Building = { [name: string]: string | string[] | Building };

/** Sections of one name are numbered apart: `list-sa event`, `list-sa event#2`. */
export function parsePretty(text: string): Section {
  const root: Building = {};
  const open: Building[] = [root];
  let items: string[] | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '') continue;
    const section = open.at(-1)!;
    if (items !== undefined) {
      if (line === ']') items = undefined;
      else items.push(line);
      continue;
    }
    if (line === '}') {
      open.pop();
      continue;
    }
    const start = /^(.*?) \{$/.exec(line);
    if (start !== null) {
      const inner: Building = {};
      section[freeName(section, start[1]!)] = inner;
      open.push(inner);
      continue;
    }
    const equals = line.indexOf(' =');
    if (equals < 0) continue;
    const name = line.slice(0, equals);
    const value = line.slice(equals + 2).trim();
    if (value === '[') {
      items = [];
      section[name] = items;
    } else {
      section[name] = value;
    }
  }
  return root;
}

function freeName(section: Building, name: string): string {
  let free = name;
  for (let i = 2; free in section; i++) free = `${name}#${i}`;
  return free;
}

/** The text of a key, or '' without it. */
export function field(section: Section, name: string): string {
  const value = section[name];
  return typeof value === 'string' ? value : '';
}

export function list(section: Section, name: string): readonly string[] {
  const value = section[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** Sections within a section, by the names they were printed with. */
export function subsections(section: Section): readonly (readonly [string, Section])[] {
  return Object.entries(section).flatMap(([name, value]) =>
    typeof value === 'object' && !Array.isArray(value)
      ? [[name.replace(/#\d+$/, ''), value as Section] as const]
      : [],
  );
}
