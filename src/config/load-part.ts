// Single parts of a configuration from trees that are no text: what vici's load-conn, load-pool and load-authority bring.
import type { ConnectionConfiguration, PoolConfiguration } from '#engine';
import { buildConnection } from './build/connection.ts';
import type { BuildContext, HostDefaults } from './build/context.ts';
import { certificatesOfAuthority } from './build/credentials.ts';
import { buildHost } from './build/host.ts';
import { buildPools } from './build/pools.ts';
import { type ConfigurationWarning, Findings } from './error.ts';
import { checkSection, Settings } from './options/check.ts';
import { connectionSchema } from './options/connection-options.ts';
import type { SectionSchema } from './options/option.ts';
import { authoritySchema, poolSchema } from './options/pool-options.ts';
import type { ConfigurationPorts } from './ports.ts';
import type { Section } from './tree.ts';

/** What a part is read from. */
export interface PartInput {
  /** Named as the connection, pool or authority is. */
  readonly section: Section;
  /** Certificates that are named, not brought along, are looked up beside this file. */
  readonly file: string;
  readonly ports: ConfigurationPorts;
  /** As the text of the host gave them; absent: those of a text without a `wayward` section. */
  readonly defaults?: HostDefaults;
}

/** A connection and the DER certificates it trusts or shows, which belong to the credentials of the host. */
export interface LoadedConnection {
  readonly connection: ConnectionConfiguration;
  readonly certificates: readonly Uint8Array[];
  readonly authorities: readonly Uint8Array[];
  readonly warnings: readonly ConfigurationWarning[];
}

/**
 * Pools and private keys are loaded apart and not looked for.
 *
 * @throws ConfigurationErrors with everything that is wrong
 */
export function loadConnection(input: PartInput): LoadedConnection {
  return load(input, connectionSchema, (settings, context) => {
    const built = buildConnection(settings, context);
    return {
      connection: built?.connection,
      certificates: [...(built?.localCertificates ?? []), ...(built?.remoteCertificates ?? [])].map(
        ({ der }) => der,
      ),
      authorities: built?.authorities.map(({ der }) => der) ?? [],
    };
  }) as LoadedConnection;
}

export interface LoadedPool {
  readonly pool: PoolConfiguration;
  readonly warnings: readonly ConfigurationWarning[];
}

/**
 * Whether it overlaps with other pools is for the caller to see.
 *
 * @throws ConfigurationErrors with everything that is wrong
 */
export function loadPool(input: PartInput): LoadedPool {
  return load(input, poolSchema, (settings, context) => ({
    pool: buildPools([settings], context)[0],
  })) as LoadedPool;
}

export interface LoadedAuthority {
  /** DER trust anchors. */
  readonly authorities: readonly Uint8Array[];
  readonly warnings: readonly ConfigurationWarning[];
}

/** @throws ConfigurationErrors with everything that is wrong */
export function loadAuthority(input: PartInput): LoadedAuthority {
  return load(input, authoritySchema, (settings, context) => ({
    authorities: certificatesOfAuthority(settings, context),
  }));
}

/** What `build` leaves undefined it has reported, so that nothing undefined gets out of here. */
function load<T>(
  input: PartInput,
  schema: SectionSchema,
  build: (settings: Settings, context: BuildContext) => T,
): T & { readonly warnings: readonly ConfigurationWarning[] } {
  const findings = new Findings();
  checkSection(input.section, schema, findings);
  const host = input.defaults ?? buildHost(undefined, findings).defaults;
  const built = build(new Settings(input.section, schema), {
    ports: input.ports,
    findings,
    file: input.file,
    host,
  });
  findings.throwIfAny();
  return { ...built, warnings: findings.warnings };
}
