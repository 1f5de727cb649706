// What clients load and unload: each change makes the whole configuration anew and gives it to the engine.
import {
  ConfigurationErrors,
  type ConfigurationWarning,
  loadAuthority,
  loadConnection,
  loadPool,
  type PartInput,
  sectionFromObject,
} from '#config';
import type { Credentials, EngineConfiguration, SharedSecret } from '#engine';
import { octetsOfViciItem, sameOctets, type ViciItem, type ViciMessage } from '#wire';
import { CommandRefused, type ViciHost } from './host.ts';

/** A certification authority that has a name. */
export interface NamedAuthority {
  readonly name: string;
  readonly certificates: readonly Uint8Array[];
}

type Kind = 'certificates' | 'authorities' | 'revocationLists';

export type SecretKind = 'sharedSecrets' | 'eapSecrets';

interface NamedSecret {
  readonly kind: SecretKind;
  readonly secret: SharedSecret;
}

/** The configuration as it is now, whether it came from text or from clients. */
export class ConfigurationStore {
  readonly #host: ViciHost;
  readonly #secretNames = new Map<string, NamedSecret>();
  readonly #authorities = new Map<string, readonly Uint8Array[]>();
  #current: EngineConfiguration;

  constructor(host: ViciHost, initial: EngineConfiguration) {
    this.#host = host;
    this.#current = initial;
  }

  get current(): EngineConfiguration {
    return this.#current;
  }

  get authorities(): readonly NamedAuthority[] {
    return [...this.#authorities].map(([name, certificates]) => ({ name, certificates }));
  }

  /** Names of the secrets that have one. */
  get secretNames(): readonly string[] {
    return [...this.#secretNames.keys()];
  }

  /** The text was read again: it is everything, as at the start. */
  replace(configuration: EngineConfiguration): void {
    this.#secretNames.clear();
    this.#authorities.clear();
    this.#current = configuration;
  }

  /** Settings of the whole host. */
  async change(settings: Partial<EngineConfiguration>): Promise<void> {
    await this.#load({ ...this.#current, ...settings }, []);
  }

  /** A connection that is not new to us is left alone, and so are its start actions. */
  async loadConnection(name: string, section: ViciMessage): Promise<void> {
    const loaded = this.#part(name, section, loadConnection);
    const known = this.#current.connections.find((one) => one.name === name);
    const { connection, certificates, authorities } = loaded;
    const changed = known === undefined || !sameValue(known, connection);
    const connections =
      known === undefined
        ? [...this.#current.connections, connection]
        : this.#current.connections.map((one) => (one.name === name && changed ? connection : one));
    const credentials = {
      ...this.#current.credentials,
      certificates: union(this.#current.credentials.certificates, certificates),
      authorities: union(this.#current.credentials.authorities, authorities),
    };
    await this.#load({ ...this.#current, connections, credentials }, changed ? [name] : []);
  }

  async unloadConnection(name: string): Promise<void> {
    const connections = this.#current.connections.filter((one) => one.name !== name);
    if (connections.length === this.#current.connections.length) {
      throw new CommandRefused(`unload: connection '${name}' not found`);
    }
    await this.#load({ ...this.#current, connections }, []);
  }

  async loadPool(name: string, section: ViciMessage): Promise<void> {
    const { pool } = this.#part(name, section, loadPool);
    const others = this.#current.pools.filter((one) => one.name !== name);
    await this.#load({ ...this.#current, pools: [...others, pool] }, []);
  }

  async unloadPool(name: string): Promise<void> {
    const status = this.#host.status().pools.find((one) => one.name === name);
    if (status === undefined) throw new CommandRefused(`${name} not found`);
    if (status.online > 0) throw new CommandRefused(`${name} has leases online, unable to unload`);
    await this.#load({ ...this.#current, pools: this.#current.pools.filter((one) => one.name !== name) }, []);
  }

  async loadAuthority(name: string, section: ViciMessage): Promise<void> {
    const { authorities } = this.#part(name, section, loadAuthority);
    const before = this.#authorities.get(name) ?? [];
    this.#authorities.set(name, authorities);
    await this.#changeCredentials((credentials) => ({
      authorities: union(this.#withoutAuthorities(credentials.authorities, before), authorities),
    }));
  }

  async unloadAuthority(name: string): Promise<void> {
    const known = this.#authorities.get(name);
    if (known === undefined) throw new CommandRefused(`unload: authority '${name}' not found`);
    this.#authorities.delete(name);
    await this.#changeCredentials((credentials) => ({
      authorities: this.#withoutAuthorities(credentials.authorities, known),
    }));
  }

  async addCertificates(kind: Kind, ders: readonly Uint8Array[]): Promise<void> {
    await this.#changeCredentials((credentials) => ({ [kind]: union(credentials[kind], ders) }));
  }

  async addKey(key: Credentials['privateKeys'][number]): Promise<void> {
    const { spki } = key.publicKey;
    await this.#changeCredentials(({ privateKeys }) => ({
      privateKeys: [...privateKeys.filter((one) => !sameOctets(one.publicKey.spki, spki)), key],
    }));
  }

  /** Says whether there was one. */
  async removeKey(isIt: (spki: Uint8Array) => boolean): Promise<boolean> {
    const before = this.#current.credentials.privateKeys;
    const privateKeys = before.filter((one) => !isIt(one.publicKey.spki));
    if (privateKeys.length === before.length) return false;
    await this.#changeCredentials(() => ({ privateKeys }));
    return true;
  }

  /** One of the same name is replaced; one that is there without a name gets this one. */
  async addSecret(kind: SecretKind, name: string | undefined, secret: SharedSecret): Promise<void> {
    const replaced = name === undefined ? undefined : this.#secretNames.get(name);
    if (name !== undefined) this.#secretNames.set(name, { kind, secret });
    if (replaced !== undefined && replaced.kind !== kind) await this.#forgetSecret(replaced);
    await this.#changeCredentials(({ [kind]: secrets = [] }) => ({
      [kind]: [...secrets.filter((one) => one !== replaced?.secret && !sameSecret(one, secret)), secret],
    }));
  }

  /** charon does not mind if there is none. */
  async removeSecret(name: string): Promise<void> {
    const named = this.#secretNames.get(name);
    if (named === undefined) return;
    this.#secretNames.delete(name);
    await this.#forgetSecret(named);
  }

  async #forgetSecret({ kind, secret }: NamedSecret): Promise<void> {
    await this.#changeCredentials(({ [kind]: secrets = [] }) => ({
      [kind]: secrets.filter((one) => one !== secret),
    }));
  }

  async clearCredentials(): Promise<void> {
    this.#secretNames.clear();
    this.#authorities.clear();
    await this.#changeCredentials(() => ({
      sharedSecrets: [],
      eapSecrets: [],
      privateKeys: [],
      certificates: [],
      authorities: [],
      revocationLists: [],
    }));
  }

  /** Those of an authority that no other one of a name has too. */
  #withoutAuthorities(all: readonly Uint8Array[], gone: readonly Uint8Array[]): readonly Uint8Array[] {
    const kept = [...this.#authorities.values()].flat();
    return all.filter((der) => !includes(gone, der) || includes(kept, der));
  }

  async #changeCredentials(change: (credentials: Credentials) => Partial<Credentials>): Promise<void> {
    const { credentials } = this.#current;
    await this.#load({ ...this.#current, credentials: { ...credentials, ...change(credentials) } }, []);
  }

  async #load(configuration: EngineConfiguration, start: readonly string[]): Promise<void> {
    this.#current = configuration;
    const result = await this.#host.command({ kind: 'load', configuration, start });
    if (!result.ok) throw new CommandRefused(result.detail);
  }

  #part<T extends { readonly warnings: readonly ConfigurationWarning[] }>(
    name: string,
    section: ViciMessage,
    load: (input: PartInput) => T,
  ): T {
    try {
      const loaded = load({
        section: sectionFromObject(name, withOctets(section), 'vici'),
        file: this.#host.configurationFile,
        ports: this.#host.configurationPorts,
        defaults: this.#host.connectionDefaults,
      });
      for (const { detail } of loaded.warnings) this.#host.warn(`vici: ${name}: ${detail}`);
      return loaded;
    } catch (error) {
      if (!(error instanceof ConfigurationErrors)) throw error;
      const details = error.errors.map(({ message }) => message.replace(/^vici: /, ''));
      throw new CommandRefused(`${details.join('; ')}, config discarded`);
    }
  }
}

/** Options whose values are certificates themselves, where a text of swanctl.conf has names of files. */
const certificateOptions = new Set(['certs', 'cacerts', 'cacert']);

/** PEM is text for the protocol, and a text would be a name for the configuration. */
function withOctets(section: ViciMessage): ViciMessage {
  return Object.fromEntries(
    Object.entries(section).map(([name, value]): [string, ViciMessage[string]] => {
      const holdsCertificates = certificateOptions.has(name);
      if (typeof value === 'string') return [name, holdsCertificates ? octetsOfViciItem(value) : value];
      if (value instanceof Uint8Array) return [name, value];
      if (isList(value)) return [name, holdsCertificates ? value.map(octetsOfViciItem) : value];
      return [name, withOctets(value)];
    }),
  );
}

function isList(value: readonly ViciItem[] | ViciMessage): value is readonly ViciItem[] {
  return Array.isArray(value);
}

function includes(ders: readonly Uint8Array[], der: Uint8Array): boolean {
  return ders.some((one) => sameOctets(one, der));
}

function union(one: readonly Uint8Array[], other: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...one, ...other.filter((der) => !includes(one, der))];
}

function sameSecret(one: SharedSecret, other: SharedSecret): boolean {
  return sameValue(one.owners, other.owners) && sameOctets(one.secret, other.secret);
}

/** Of plain data. */
function sameValue(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
