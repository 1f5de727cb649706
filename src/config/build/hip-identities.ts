// `hip.identities` -> Host Identities with their keys.
import type { LocalIdentity } from '#engine';
import { hitAddress } from '#sa';
import type { Settings } from '../options/check.ts';
import type { BuildContext } from './context.ts';
import { readOrReport } from './files.ts';

export function buildHipIdentities(
  sections: readonly Settings[],
  context: BuildContext,
): readonly LocalIdentity[] {
  const identities: LocalIdentity[] = [];
  for (const settings of sections) {
    const local = buildIdentity(settings, context);
    if (local === undefined) continue;
    const { hit } = local.identity;
    if (identities.some(({ identity }) => identity.hit === hit)) {
      const position = settings.position('file');
      context.findings.error(
        'conflict',
        position,
        `file: another identity has the HIT ${hitAddress(hit)} too`,
      );
    } else identities.push(local);
  }
  return identities;
}

function buildIdentity(settings: Settings, context: BuildContext): LocalIdentity | undefined {
  const { findings, ports } = context;
  const { name, position } = settings.section;
  const path = settings.value('file', 'text');
  if (path === undefined) {
    if (settings.section.settings.get('file')?.value === undefined) {
      findings.error('missing', position, `identity "${name}" needs the option "file"`);
    }
    return undefined;
  }
  const files = ports.readFiles(path, context.file);
  const [file] = files;
  const where = settings.position('file');
  if (file === undefined || files.length > 1) {
    const found = file === undefined ? 'there is no file' : 'more than one file is';
    findings.error('file', where, `file: ${found} ${path}`);
    return undefined;
  }
  return readOrReport(file, where, context, (octets) => {
    const key = ports.privateKeyFromPem(octets);
    const identity = ports.hostIdentityOf(key.publicKey);
    return { identity, key, anonymous: settings.required('anonymous', 'boolean') };
  });
}
