// Configurations as people write them, each beside what has to be said about it: findings.txt, with place and words.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ConfigurationErrors, formatPosition } from '#config';
import { loadConfigurationFile } from './load-configuration-file.ts';

const samples = fileURLToPath(new URL('../../../src/config/testing/configurations/', import.meta.url));
const names = readdirSync(samples, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

/** What each option that names a file leads to; files called `absent` are. */
const folders: Readonly<Record<string, string>> = {
  certs: 'x509',
  cacerts: 'x509ca',
  cacert: 'x509ca',
};

/** Gives a copy of a sample the certificates and keys that it names: everywhere the same one. */
function certify(folder: string, name: string): void {
  const certificate = readFileSync(join(samples, 'certificate.pem'));
  const key = createPrivateKey(readFileSync(join(samples, 'key.pem')));
  const texts = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.conf'))
    .map((path) => readFileSync(join(folder, path), 'utf8'))
    .join('\n');
  const put = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  for (const [, option, file] of texts.matchAll(/^\s*(certs|cacerts?) = ([\w-]+\.pem)$/gm)) {
    if (file!.startsWith('absent')) continue;
    put(join(folders[option!]!, file!), certificate);
    if (option === 'certs') put('private/own.pem', key.export({ type: 'pkcs8', format: 'pem' }));
  }
  if (name === 'roadwarrior-client') {
    rmSync(join(folder, 'private'), { recursive: true });
    const cipher = { cipher: 'aes-256-cbc', passphrase: 'correct horse' };
    put('private/laptop.pem', key.export({ type: 'pkcs8', format: 'pem', ...cipher }));
  }
}

/** Every error, or else every warning, one a line. */
function findings(folder: string): string[] {
  const shortened = (text: string): string => text.replaceAll(`${folder}/`, '');
  try {
    const { warnings } = loadConfigurationFile(join(folder, 'swanctl.conf'));
    return warnings.map(({ position, detail }) =>
      shortened(`warning ${formatPosition(position)}: ${detail}`),
    );
  } catch (error) {
    if (!(error instanceof ConfigurationErrors)) throw error;
    return error.errors.map(({ code, message }) => shortened(`${code} ${message}`));
  }
}

describe('configurations as people write them', () => {
  assert.ok(names.length >= 25);
  for (const name of names) {
    test(name, (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'wayward-configuration-'));
      t.after(() => rmSync(folder, { recursive: true }));
      cpSync(join(samples, name), folder, { recursive: true });
      certify(folder, name);
      const path = join(samples, name, 'findings.txt');
      const found = findings(folder);
      if (process.env['WRITE_FINDINGS'] !== undefined)
        writeFileSync(path, found.map((line) => `${line}\n`).join(''));
      assert.deepEqual(found, existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []);
    });
  }
});
