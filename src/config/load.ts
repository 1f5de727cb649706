// swanctl.conf text -> what an engine is told, or everything that is wrong with it.
import type { EngineConfiguration } from '#engine';
import { buildConnection } from './build/connection.ts';
import type { BuildContext, HostDefaults } from './build/context.ts';
import { buildCredentials } from './build/credentials.ts';
import { buildHip } from './build/hip.ts';
import { buildHost, type HostSettings } from './build/host.ts';
import { checkPacketThreads } from './build/packet-threads.ts';
import { buildPools } from './build/pools.ts';
import { type ConfigurationWarning, Findings } from './error.ts';
import { checkSection, Settings } from './options/check.ts';
import { suggestedNames } from './options/option.ts';
import { rootSchema } from './options/schema.ts';
import type { ConfigurationPorts } from './ports.ts';
import { didYouMean } from './suggestion.ts';
import { parseText } from './syntax/parse.ts';
import { type ResolvedTree, resolveReferences } from './syntax/resolve.ts';
import type { Section } from './tree.ts';

export interface LoadedConfiguration {
  readonly configuration: EngineConfiguration;
  readonly host: HostSettings;
  /** For connections that are loaded later, apart from the text. */
  readonly connectionDefaults: HostDefaults;
  readonly warnings: readonly ConfigurationWarning[];
}

/**
 * Reads a configuration as a whole: with any error, nothing of it is loaded.
 *
 * @param input `file` is the path of `text`: it stands in errors, and its folder is where relative names start
 * @throws ConfigurationErrors with everything that is wrong
 */
export function loadConfiguration(input: {
  readonly text: string;
  readonly file: string;
  readonly ports: ConfigurationPorts;
}): LoadedConfiguration {
  const findings = new Findings();
  const tree = readTree(input, findings);
  // Meaning is not looked for in a tree with holes: its errors would be consequences.
  findings.throwIfAny();
  checkRoot(tree, findings);

  const root = new Settings(tree.root, rootSchema);
  const one = (name: string): Settings | undefined => root.sections(name)[0];
  const host = buildHost(one('wayward'), findings);
  const context: BuildContext = { ports: input.ports, findings, file: input.file, host: host.defaults };
  const connectionSections = one('connections')?.sections('<conn>') ?? [];
  const built = connectionSections.flatMap((settings) => buildConnection(settings, context) ?? []);
  const pools = buildPools(one('pools')?.sections('<name>') ?? [], context);
  checkPoolNames(
    connectionSections,
    pools.map(({ name }) => name),
    context,
  );
  const authorities = one('authorities')?.sections('<name>') ?? [];
  const credentials = buildCredentials(one('secrets'), authorities, built, context);
  const hip = buildHip(one('hip'), context);
  checkPacketThreads(one('wayward'), hip, findings);
  findings.throwIfAny();
  return {
    configuration: {
      connections: built.map(({ connection }) => connection),
      credentials,
      pools,
      ...host.engine,
      ...(hip === undefined ? {} : { hip }),
    },
    host: host.settings,
    connectionDefaults: host.defaults,
    warnings: findings.warnings,
  };
}

/**
 * The section tree of a text, includes and inheritance resolved, without asking what it means.
 *
 * @throws ConfigurationErrors
 */
export function parseConfigurationTree(input: {
  readonly text: string;
  readonly file: string;
  readonly readFiles: ConfigurationPorts['readFiles'];
}): Section {
  const findings = new Findings();
  const tree = readTree({ ...input, ports: input }, findings);
  findings.throwIfAny();
  return tree.root;
}

function readTree(
  input: {
    readonly text: string;
    readonly file: string;
    readonly ports: Pick<ConfigurationPorts, 'readFiles'>;
  },
  findings: Findings,
): ResolvedTree {
  const raw = parseText(
    input.text,
    input.file,
    (pattern, relativeTo) => input.ports.readFiles(pattern, relativeTo),
    findings,
  );
  return resolveReferences(raw, findings);
}

/** At the top, sections of other names are templates to inherit from; one that nobody uses may be a slip. */
function checkRoot(tree: ResolvedTree, findings: Findings): void {
  const known = new Map(tree.root.sections);
  for (const [name, section] of tree.root.sections) {
    if (rootSchema.sections.some((one) => one.name === name)) continue;
    known.delete(name);
    if (tree.templates.has(name)) continue;
    const hint = didYouMean(name, suggestedNames(rootSchema.sections));
    if (hint === '') {
      findings.warn(section.position, `section "${name}" has no effect: nothing inherits from it`);
    } else findings.error('unknown-section', section.position, `unknown section "${name}"${hint}`);
  }
  checkSection({ ...tree.root, sections: known }, rootSchema, findings);
}

function checkPoolNames(
  connections: readonly Settings[],
  pools: readonly string[],
  context: BuildContext,
): void {
  for (const settings of connections) {
    for (const name of settings.value('pools', 'texts') ?? []) {
      if (pools.includes(name)) continue;
      context.findings.error(
        'missing',
        settings.position('pools'),
        `there is no pool "${name}"${didYouMean(name, pools)}`,
      );
    }
  }
}
