// Certificates, revocation lists and keys by file name, as swanctl finds them in its folders.
import type { PublicKey } from '#crypto';
import type { Settings } from '../options/check.ts';
import type { ConfigurationFile } from '../ports.ts';
import { problemOf } from '../ports.ts';
import type { Position } from '../position.ts';
import type { BuildContext } from './context.ts';

/** A certificate and the place to complain about it. */
export interface LoadedCertificate {
  readonly der: Uint8Array;
  readonly publicKey: PublicKey;
  readonly position: Position;
  /** The file, or a word for a certificate that came as octets. */
  readonly source: string;
}

/** The certificates that an option names or, in a vici message, holds. `folder` is where relative names start. */
export function certificatesOfOption(
  settings: Settings,
  option: string,
  folder: string,
  context: BuildContext,
): readonly LoadedCertificate[] {
  const position = settings.position(option);
  return (settings.value(option, 'files') ?? []).flatMap((item) => {
    if (typeof item !== 'string') {
      return certificatesOfFile({ path: 'certificate', octets: item }, position, context);
    }
    const path = item.startsWith('/') ? item : `${folder}/${item}`;
    const files = context.ports.readFiles(path, context.file);
    if (files.length === 0) context.findings.error('file', position, `${option}: there is no file ${path}`);
    return files.flatMap((file) => certificatesOfFile(file, position, context));
  });
}

export function certificatesOfFile(
  file: ConfigurationFile,
  position: Position,
  context: BuildContext,
): readonly LoadedCertificate[] {
  const read = readOrReport(file, position, context, (octets) => context.ports.certificatesFromPem(octets));
  return (read ?? []).map(({ der, publicKey }) => ({ der, publicKey, position, source: file.path }));
}

/** What `parse` makes of a file; `undefined` after a reported fault. */
export function readOrReport<T>(
  file: ConfigurationFile,
  position: Position,
  context: BuildContext,
  parse: (octets: Uint8Array) => T,
): T | undefined {
  let problem: string;
  if ('problem' in file) problem = file.problem;
  else {
    try {
      return parse(file.octets);
    } catch (error) {
      problem = problemOf(error);
    }
  }
  const where = position.line === 0 && position.file === file.path ? '' : `${file.path}: `;
  context.findings.error('file', position, `${where}${problem}`);
  return undefined;
}

/** All files of one folder beside the configuration, each with itself as its position. */
export function filesInFolder(
  folder: string,
  context: BuildContext,
): readonly { readonly file: ConfigurationFile; readonly position: Position }[] {
  return (
    context.ports
      .readFiles(`${folder}/*`, context.file)
      // Nobody has asked for it: a key that is missing is missed by whoever needs it.
      .filter((file) => !('folder' in file))
      .map((file) => ({ file, position: { file: file.path, line: 0, column: 0 } }))
  );
}
