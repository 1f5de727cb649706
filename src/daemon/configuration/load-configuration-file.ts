// A configuration file -> what the daemon is told, with the readers of the other rooms plugged in.
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ConfigurationPorts, type LoadedConfiguration, loadConfiguration, utf8Fault } from '#config';
import { certificatesFromPem, hostIdentityOf, privateKeyFromPem, revocationListsFromPem } from '#crypto';
import { identityFromText, identityPatternFromText } from '#ike';
import { readConfigurationFiles } from './configuration-files.ts';

/** The configuration file itself cannot be read. */
export class ConfigurationFileError extends Error {
  override readonly name = 'ConfigurationFileError';
  readonly code = 'configuration-file' as const;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
};

/** Files from the disk, formats from the other rooms. */
export const configurationPorts: ConfigurationPorts = {
  readFiles: readConfigurationFiles,
  certificatesFromPem,
  revocationListsFromPem,
  privateKeyFromPem,
  hostIdentityOf,
  identityFromText,
  identityPatternFromText,
};

/** @throws ConfigurationFileError, ConfigurationErrors */
export function loadConfigurationFile(path: string): LoadedConfiguration {
  const file = resolve(path);
  let octets: Buffer;
  try {
    octets = readFileSync(file);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const why = reasons[code] ?? (error as Error).message;
    throw new ConfigurationFileError(`configuration ${file} cannot be read: ${why}`);
  }
  if (!isUtf8(octets))
    throw new ConfigurationFileError(`configuration ${file} cannot be read: ${utf8Fault(octets)}`);
  return loadConfiguration({ text: octets.toString(), file, ports: configurationPorts });
}
