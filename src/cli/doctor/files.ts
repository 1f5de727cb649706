// The configuration, what is secret in and beside it, and the folder for what must survive a crash.
import { dirname, join, resolve } from 'node:path';
import { type Check, check, unseen } from './check.ts';
import type { Machine } from './machine.ts';

/** What the doctor needs of a configuration, or what is wrong with it. */
export type ConfigurationFacts =
  | {
      readonly loaded: true;
      readonly connections: number;
      readonly secrets: number;
      readonly warnings: readonly string[];
      readonly ports: readonly number[];
      readonly recordKeyPath?: string;
      readonly checkpoint: boolean;
      readonly packetThreads: number;
    }
  | { readonly loaded: false; readonly errors: readonly string[] };

const forOthers = 0o007;
const forGroupAndOthers = 0o077;
const recordKeyBytes = 32;
const keyFolders = ['private', 'rsa', 'ecdsa', 'pkcs8'];

export function checkConfiguration(path: string, facts: ConfigurationFacts): Check {
  if (!facts.loaded) {
    const [first = '', ...more] = facts.errors;
    const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
    return check(
      'configuration',
      'problem',
      `${first}${rest}`,
      `wayward check --config ${path} tells all of it`,
    );
  }
  const { connections, warnings } = facts;
  const found = `${path}: ${connections} connections`;
  return warnings.length === 0
    ? check('configuration', 'ok', found)
    : check('configuration', 'note', `${found}, ${warnings.length} warnings; the first: ${warnings[0]}`);
}

/** Secrets that every user of this machine can read. */
export function checkSecrets(machine: Machine, path: string, configuration: ConfigurationFacts): Check {
  const open: string[] = [];
  const hidden: string[] = [];
  let looked = 0;
  const look = (file: string): void => {
    const facts = machine.facts(file);
    if ('code' in facts) {
      if (facts.code !== 'ENOENT') hidden.push(file);
      return;
    }
    looked++;
    if (facts.value.kind === 'file' && (facts.value.mode & forOthers) !== 0) open.push(file);
  };
  if (configuration.loaded && configuration.secrets > 0) look(path);
  for (const folder of keyFolders) {
    const parent = join(dirname(path), folder);
    const names = machine.names(parent);
    if ('value' in names) for (const name of names.value) look(join(parent, name));
    else if (names.code !== 'ENOENT') hidden.push(parent);
  }
  if (open.length > 0) {
    return check('secrets', 'problem', `everybody can read ${open.join(', ')}`, `chmod o= ${open.join(' ')}`);
  }
  if (hidden.length > 0) return unseen('secrets', hidden.join(', '), 'EACCES');
  return check('secrets', 'ok', looked === 0 ? 'no file holds any' : 'not readable by everybody');
}

export function checkStateFolder(machine: Machine, path: string): Check {
  const folder = resolve(path);
  const facts = machine.facts(folder);
  if ('code' in facts) {
    if (facts.code !== 'ENOENT') return unseen('state-folder', folder, facts.code);
    const parent = dirname(folder);
    return 'value' in machine.facts(parent)
      ? check('state-folder', 'ok', `${folder} will be made by the first start`)
      : check('state-folder', 'problem', `there is no folder ${parent} for it`, `mkdir ${parent}`);
  }
  const { kind, mode } = facts.value;
  if (kind !== 'folder')
    return check('state-folder', 'problem', `${folder} is no folder`, 'name another by --state');
  if ((mode & forGroupAndOthers) !== 0) {
    return check(
      'state-folder',
      'problem',
      `others can enter ${folder}, which holds secrets`,
      `chmod 700 ${folder}`,
    );
  }
  return check('state-folder', 'ok', `${folder}, for its owner alone`);
}

export function checkRecordKey(
  machine: Machine,
  path: string,
  configuration: ConfigurationFacts,
): readonly Check[] {
  if (!configuration.loaded) return [];
  const { recordKeyPath, checkpoint } = configuration;
  if (recordKeyPath === undefined) {
    return checkpoint
      ? [
          check(
            'record-key',
            'note',
            'checkpoints need a key, and the configuration names none',
            'set wayward.record_key, or give the service the credential wayward.record-key',
          ),
        ]
      : [];
  }
  const file = resolve(dirname(path), recordKeyPath);
  const make = `(umask 077; head -c ${recordKeyBytes} /dev/urandom > ${file})`;
  const facts = machine.facts(file);
  if ('code' in facts) {
    if (facts.code !== 'ENOENT') return [unseen('record-key', file, facts.code)];
    return [check('record-key', 'problem', `there is no ${file}`, make)];
  }
  if ((facts.value.mode & forGroupAndOthers) !== 0) {
    return [check('record-key', 'problem', `others can read ${file}`, `chmod 600 ${file}`)];
  }
  if (facts.value.sizeBytes !== recordKeyBytes) {
    const found = `${file} holds ${facts.value.sizeBytes} octets, not ${recordKeyBytes}`;
    return [check('record-key', 'problem', found, make)];
  }
  return [check('record-key', 'ok', `${file}, for its owner alone`)];
}
