// The option table as Markdown, for docs/configuration.md.
import { algorithmKeywords } from '#sa';
import { TransformType } from '#wire';
import { defaultProposals } from '../algorithms/proposal.ts';
import type { Option, OptionClass, SectionSchema, Subsection } from './option.ts';
import { rootSchema } from './schema.ts';
import { typeNames } from './value-types.ts';

const headings: Readonly<Record<OptionClass, string>> = {
  supported: 'Supported',
  'harmless-unsupported': 'Accepted without effect',
  'security-unsupported': 'Refused',
};

const explanations: Readonly<Record<OptionClass, string>> = {
  supported: 'These do what they say.',
  'harmless-unsupported':
    'These are not supported, and no security depends on them. A value other than the default gives one warning that names the option.',
  'security-unsupported':
    'These are not supported, and ignoring them would protect less, more or other traffic than asked for. A value other than the default is an error that names the option.',
};

interface Row {
  readonly path: string;
  readonly option: Option;
  readonly class: OptionClass;
}

/** The tables of all options by class, with type and default. */
export function optionReference(): string {
  const rows = rowsOf(rootSchema, undefined);
  const parts = (Object.keys(headings) as OptionClass[]).map((name) => {
    const table = rows.filter((row) => row.class === name).map(line);
    return `## ${headings[name]}\n\n${explanations[name]}\n\n| option | type | default | |\n|---|---|---|---|\n${table.join('')}`;
  });
  return [...parts, proposalReference(), keywordReference()].join('\n');
}

function rowsOf(schema: SectionSchema, inherited: Subsection['class']): readonly Row[] {
  const own = schema.options.map((option) => ({
    path: schema.path,
    option,
    class: inherited ?? option.class,
  }));
  return [...own, ...schema.sections.flatMap((one) => rowsOf(one.schema, inherited ?? one.class))];
}

function line({ path, option }: Row): string {
  const values = option.values?.map((value) => `\`${value}\``).join(', ');
  const range =
    option.minimum !== undefined || (option.maximum !== undefined && option.maximum <= 0xffff_ffff)
      ? `, ${option.minimum ?? 0} to ${option.maximum ?? '…'}`
      : '';
  const several = option.type === 'choices' ? 'list of ' : '';
  const type = values === undefined ? `${typeNames[option.type]}${range}` : `${several}${values}`;
  const preset = option.default === '' ? '' : `\`${option.default}\``;
  const aliases = Object.entries(option.aliases ?? {}).map(([word, value]) => `\`${word}\` for \`${value}\``);
  const notes = [option.note ?? '', aliases.length === 0 ? '' : `Also ${aliases.join(', ')}.`];
  return `| \`${path}.${option.name}\` | ${type} | ${preset} | ${notes.join(' ').trim()} |\n`;
}

function proposalReference(): string {
  const lists = Object.entries(defaultProposals).map(
    ([protocol, proposals]) =>
      `- ${protocol === 'ike' ? 'IKE' : protocol.toUpperCase()}: ${proposals.map((one) => `\`${one}\``).join(', then ')}\n`,
  );
  return `## What \`default\` proposes\n\n${lists.join('')}`;
}

function keywordReference(): string {
  const kinds: readonly (readonly [string, number])[] = [
    ['Ciphers', TransformType.ENCR],
    ['Integrity', TransformType.INTEG],
    ['Pseudorandom functions', TransformType.PRF],
    ['Key exchange', TransformType.KE],
    ['Sequence numbers', TransformType.ESN],
  ];
  const rows = kinds.map(([kind, type]) => {
    const keywords = algorithmKeywords.flatMap((one) =>
      one.supported && one.transform.type === type ? [`\`${one.keyword}\``] : [],
    );
    return `- ${kind}: ${keywords.join(', ')}\n`;
  });
  return `## Algorithm keywords\n\n${rows.join('')}`;
}
