// A configuration file for a daemon that starts or runs: what it holds, or the lines that tell the operator what is wrong.
import { ConfigurationErrors, formatPosition, type LoadedConfiguration } from '#config';
import { ConfigurationFileError, loadConfigurationFile } from './load-configuration-file.ts';

/** What a file holds, or the lines that say why nothing of it is loaded. */
export function readConfiguration(path: string): LoadedConfiguration | readonly string[] {
  try {
    return loadConfigurationFile(path);
  } catch (error) {
    if (error instanceof ConfigurationErrors) return error.errors.map(({ message }) => message);
    if (error instanceof ConfigurationFileError) return [error.message];
    throw error;
  }
}

export function warningLines({ warnings }: LoadedConfiguration): string[] {
  return warnings.map(({ position, detail }) => `${formatPosition(position)}: warning: ${detail}`);
}
