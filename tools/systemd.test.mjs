// The systemd unit: systemd understands it, rates it as docs/operate.md says, and it gives what it promises and no more.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { defaultSocketPath } from '../dist/daemon/index.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const unit = join(root, 'packaging/systemd/wayward.service');
const text = readFileSync(unit, 'utf8');
const settings = (name) => [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value);
const analyze = (...words) => spawnSync('systemd-analyze', words, { encoding: 'utf8' });
const missing = analyze('--version').error !== undefined && 'systemd-analyze is not installed';

test('the unit gives three capabilities, no new privileges and one device', () => {
  const capabilities = 'CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE';
  assert.deepEqual(settings('AmbientCapabilities'), [capabilities]);
  assert.deepEqual(settings('CapabilityBoundingSet'), [capabilities]);
  assert.deepEqual(settings('NoNewPrivileges'), ['yes']);
  assert.deepEqual(settings('User'), ['wayward']);
  assert.deepEqual(settings('DeviceAllow'), ['/dev/net/tun rw']);
  // No line runs anything as root.
  assert.doesNotMatch(text, /^Exec\w*=[-@:]*[+!]/m);
});

test('what the command is told lies in the folders that the unit makes', () => {
  const [start = ''] = settings('ExecStart');
  for (const path of start.match(/\/(?:run|var)\/\S+/g))
    assert.match(path, /^\/(run|var\/lib)\/wayward(\/|$)/);
  assert.ok(!start.includes(` ${defaultSocketPath} `));
  assert.deepEqual(settings('RuntimeDirectory'), ['wayward']);
  assert.deepEqual(settings('StateDirectory'), ['wayward']);
});

describe('systemd itself', { skip: missing }, () => {
  test('has nothing against the unit', () => {
    const { status, stdout, stderr } = analyze('verify', '--man=no', unit);
    assert.equal(`${stdout}${stderr}`, '');
    assert.equal(status, 0);
  });

  test('rates its exposure as docs/operate.md says, or better', () => {
    const { stdout } = analyze('security', '--offline=true', '--no-pager', unit);
    const rated = Number(/Overall exposure level for wayward\.service: (\d+\.\d)/.exec(stdout)?.[1]);
    const said = /rates it (\d+\.\d) /.exec(readFileSync(join(root, 'docs/operate.md'), 'utf8'))?.[1];
    assert.ok(said !== undefined);
    assert.ok(rated <= Number(said), `systemd rates it ${rated}, docs/operate.md says ${said}`);
  });
});
