// Inheritance: `a : b, c { }` takes over what it does not set itself, its own subsections merged with inherited ones.
import type { Findings } from '../error.ts';
import type { Section, Setting } from '../tree.ts';
import type { RawSection, Reference } from './raw.ts';

/** Sections and settings in all after inheritance: merging must not multiply a small text into a huge tree. */
const nodesMax = 200_000;
/** Sections that inherit from each other, and those around them. */
const depthMax = 100;

/** What became of a text: the tree, and which top-level sections others inherit from. */
export interface ResolvedTree {
  readonly root: Section;
  /** First components of all references. */
  readonly templates: ReadonlySet<string>;
}

export function resolveReferences(root: RawSection, findings: Findings): ResolvedTree {
  const resolver = new Resolver(root, findings);
  return { root: resolver.resolve(root), templates: resolver.templates };
}

class Resolver {
  readonly templates: Set<string> = new Set();
  readonly #root: RawSection;
  readonly #findings: Findings;
  readonly #done = new Map<RawSection, Section>();
  readonly #open = new Set<RawSection>();
  #nodes = 0;
  #tooDeep = false;

  constructor(root: RawSection, findings: Findings) {
    this.#root = root;
    this.#findings = findings;
  }

  resolve(raw: RawSection): Section {
    const known = this.#done.get(raw);
    if (known !== undefined) return known;
    this.#open.add(raw);
    let section = this.#own(raw);
    for (const reference of raw.references) {
      const target = this.#find(reference);
      if (target !== undefined) section = this.#merge(section, target, reference);
    }
    this.#open.delete(raw);
    this.#done.set(raw, section);
    return section;
  }

  #own(raw: RawSection): Section {
    const sections = new Map<string, Section>();
    for (const child of raw.sections.values()) sections.set(child.name, this.resolve(child));
    return { name: raw.name, position: raw.position, settings: raw.settings, sections };
  }

  #find(reference: Reference): Section | undefined {
    const path = reference.path.split('.');
    this.templates.add(path[0]!);
    let raw: RawSection = this.#root;
    let depth = 0;
    // Sections around the referring one are still being resolved: go down to the first that is not.
    while (depth < path.length && this.#open.has(raw)) {
      const child = raw.sections.get(path[depth]!);
      if (child === undefined) return this.#missing(reference);
      raw = child;
      depth++;
    }
    if (this.#open.has(raw)) {
      this.#findings.error('reference', reference.position, `${reference.path} inherits from itself`);
      return undefined;
    }
    if (this.#open.size > depthMax) {
      if (!this.#tooDeep) {
        const detail = `sections inherit from each other deeper than ${depthMax}`;
        this.#findings.error('limit', reference.position, detail);
      }
      this.#tooDeep = true;
      return undefined;
    }
    let section: Section | undefined = this.resolve(raw);
    for (const name of path.slice(depth)) section = section?.sections.get(name);
    return section ?? this.#missing(reference);
  }

  #missing(reference: Reference): undefined {
    this.#findings.error('reference', reference.position, `there is no section ${reference.path}`);
    return undefined;
  }

  /** `own` wins; what is only inherited follows what is its own. */
  #merge(own: Section, inherited: Section, reference: Reference): Section {
    const settings = new Map<string, Setting>(own.settings);
    for (const setting of inherited.settings.values()) {
      if (!settings.has(setting.name)) settings.set(setting.name, setting);
    }
    const sections = new Map<string, Section>(own.sections);
    this.#nodes += settings.size + sections.size + 1;
    if (this.#nodes > nodesMax) {
      if (this.#nodes < Number.MAX_SAFE_INTEGER / 2) {
        this.#findings.error('limit', reference.position, `inheritance makes more than ${nodesMax} settings`);
      }
      this.#nodes = Number.MAX_SAFE_INTEGER / 2;
      return own;
    }
    for (const child of inherited.sections.values()) {
      const mine = sections.get(child.name);
      sections.set(child.name, mine === undefined ? child : this.#merge(mine, child, reference));
    }
    return { name: own.name, position: own.position, settings, sections };
  }
}
