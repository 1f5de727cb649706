// `wayward check`: everything that there is to say about a configuration, without a start.
import {
  byPlace,
  type ConfigurationErrorCode,
  ConfigurationErrors,
  type ConfigurationWarning,
  formatPosition,
} from '#config';
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
    const findings = warnings.map(warningFinding);
    return {
      status: ExitStatus.ok,
      lines: [...findings.map(lineOf), `${path}: ${connections} connections, ${findings.length} warnings`],
      value: { ok: true, connections, findings },
    };
  } catch (error) {
    const errors = errorsOf(error, path);
    const warnings = error instanceof ConfigurationErrors ? error.warnings.map(warningFinding) : [];
    const findings = [...errors, ...warnings].sort(byPlace);
    const many = error instanceof ConfigurationErrors && error.more ? 'more than ' : '';
    return {
      status: ExitStatus.usage,
      lines: [...findings.map(lineOf), `${path}: ${many}${errors.length} errors, nothing would be loaded`],
      value: { ok: false, connections: 0, findings },
    };
  }
}

function lineOf({ severity, text, ...position }: Finding): string {
  return `${formatPosition(position)}: ${severity === 'warning' ? 'warning: ' : ''}${text}`;
}

function warningFinding({ position, detail }: ConfigurationWarning): Finding {
  return { severity: 'warning', code: 'no-effect', ...position, text: detail };
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
