// Names in a configuration, for shells that complete them: without keys and certificates, and without complaint.
import { readFileSync } from 'node:fs';
import { ConfigurationErrors, parseConfigurationTree, type Section } from '#config';
import { readConfigurationFiles } from '#daemon';

/** Of all children, or of all connections; none if the file cannot be read or understood. */
export function configuredNames(kind: 'child' | 'connection', file: string): readonly string[] {
  let root: Section;
  try {
    const text = readFileSync(file, 'utf8');
    root = parseConfigurationTree({ text, file, readFiles: readConfigurationFiles });
  } catch (error) {
    if (error instanceof ConfigurationErrors || (error instanceof Error && 'code' in error)) return [];
    throw error;
  }
  const connections = [...(root.sections.get('connections')?.sections.values() ?? [])];
  if (kind === 'connection') return connections.map(({ name }) => name);
  const children = connections.flatMap(({ sections }) => [
    ...(sections.get('children')?.sections.values() ?? []),
  ]);
  return [...new Set(children.map(({ name }) => name))];
}
