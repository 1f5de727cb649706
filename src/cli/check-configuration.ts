// `wayward check`: everything that there is to say about a configuration, without a start.
import { type ConfigurationErrorCode, ConfigurationErrors, formatPosition } from '#config';
import { ConfigurationFileError, ExitStatus, loadConfigurationFile } from '#daemon';

/** What is wrong, or without effect. Line 0: the whole file. */
interface Finding {
  readonly severity: 'error' | 'warning';
  readonly code: ConfigurationErrorCode | 'configuration-file' | 'no-effect';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

export interface CheckedConfiguration {
  readonly status: number;
  readonly lines: readonly string[];
  readonly value: {
    readonly ok: boolean;
    readonly connections: number;
    readonly findings: readonly Finding[];
  };
}

export function checkConfiguration(path: string): CheckedConfiguration {
  try {
    const { configuration, warnings } = loadConfigurationFile(path);
    const connections = configuration.connections.length;
    const findings = warnings.map(
      ({ position, detail }): Finding => ({
        severity: 'warning',
        code: 'no-effect',
        ...position,
        text: detail,
      }),
    );
    const lines = warnings.map(({ position, detail }) => `${formatPosition(position)}: warning: ${detail}`);
    return {
      status: ExitStatus.ok,
      lines: [...lines, `${path}: ${connections} connections, ${findings.length} warnings`],
      value: { ok: true, connections, findings },
    };
  } catch (error) {
    const findings = errorsOf(error, path);
    const lines = findings.map(
      ({ file, line, column, text }) => `${formatPosition({ file, line, column })}: ${text}`,
    );
    return {
      status: ExitStatus.usage,
      lines: [...lines, `${path}: ${findings.length} errors, nothing would be loaded`],
      value: { ok: false, connections: 0, findings },
    };
  }
}

function errorsOf(error: unknown, path: string): readonly Finding[] {
  if (error instanceof ConfigurationErrors) {
    return error.errors.map(({ code, file, line, column, detail }) => ({
      severity: 'error',
      code,
      file,
      line,
      column,
      text: detail,
    }));
  }
  if (!(error instanceof ConfigurationFileError)) throw error;
  const { code, message } = error;
  return [{ severity: 'error', code, file: path, line: 0, column: 0, text: message }];
}
