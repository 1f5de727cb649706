// Loading in one word, for tests.
import { ConfigurationErrors } from '../error.ts';
import { type LoadedConfiguration, loadConfiguration } from '../load.ts';
import { memoryHost } from './memory-host.ts';

const file = '/etc/swanctl/swanctl.conf';

export function load(text: string, files: Readonly<Record<string, string>> = {}): LoadedConfiguration {
  return loadConfiguration({ text, file, ports: memoryHost(files) });
}

/** The messages of all errors, without the folder of the main file. */
export function errorsOf(text: string, files: Readonly<Record<string, string>> = {}): string[] {
  try {
    load(text, files);
  } catch (error) {
    if (error instanceof ConfigurationErrors) return error.errors.map((one) => shortened(one.message));
    throw error;
  }
  return [];
}

export function warningsOf(text: string, files: Readonly<Record<string, string>> = {}): string[] {
  return load(text, files).warnings.map(
    ({ position, detail }) => `${shortened(position.file)}:${position.line}:${position.column}: ${detail}`,
  );
}

function shortened(message: string): string {
  return message.replace(/^\/etc\/swanctl\//, '');
}

/** The smallest connection that loads, with further lines in its sections. */
export function connection(
  lines: { connection?: string; local?: string; remote?: string; child?: string } = {},
): string {
  return `connections { c {
${lines.connection ?? ''}
local { auth = psk
${lines.local ?? ''}
}
remote { auth = psk
${lines.remote ?? ''}
}
children { d {
${lines.child ?? ''}
} } } }
secrets { ike { secret = hush
} }
`;
}
