// wayward as its systemd unit starts it: another user, three capabilities, no new privileges, a key as a credential, and
// somebody who listens for notifications. It is killed and started again, as Restart=always would.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { RunningProcess, runProgram } from '../../harness/processes.ts';
import type { Scenario } from '../../harness/scenario.ts';
import type { Stage } from '../../harness/stage.ts';

/** Of nobody else on this machine. */
const user = 61_234;
const capabilities = ['net_admin', 'net_raw', 'net_bind_service'];
/** Bits 12, 13 and 10 of capabilities(7). */
const capabilityBits = '0000000000003400';
const watchdogMs = 1_000;

const asUnit = [
  'setpriv',
  ...['--pdeathsig', 'KILL'],
  ...[`--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--no-new-privs'],
  `--inh-caps=-all,${capabilities.map((name) => `+${name}`).join(',')}`,
  `--ambient-caps=-all,${capabilities.map((name) => `+${name}`).join(',')}`,
  `--bounding-set=-all,${capabilities.map((name) => `+${name}`).join(',')}`,
];

async function own(path: string): Promise<void> {
  await chown(path, user, user);
  if (!(await stat(path)).isDirectory()) return;
  for (const name of await readdir(path)) await own(join(path, name));
}

/** The kernel's word for the privileges of the running daemon. */
async function assertUnprivileged(stage: Stage): Promise<void> {
  const status = await readFile(`/proc/${stage.wayward.pid}/status`, 'utf8');
  const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1] ?? '';
  for (const name of ['Uid', 'Gid']) assert.equal(field(name), Array(4).fill(user).join('\t'));
  for (const name of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
    assert.equal(field(name), capabilityBits, name);
  assert.equal(field('NoNewPrivs'), '1');
  assert.equal(field('Groups').trim(), '');
}

const scenario: Scenario = {
  expects:
    'no root: traffic, rekeying, reload, a kill and a clean end with three capabilities; systemd is told',
  async play(stage) {
    const { wayward } = stage;
    const credentials = join(wayward.folder, 'credentials');
    await mkdir(credentials, { mode: 0o700 });
    await writeFile(join(credentials, 'wayward.record-key'), randomBytes(32), { mode: 0o400 });
    const systemd = new RunningProcess(['socat', '-u', 'ABSTRACT-RECV:notify', '-'], {
      namespace: stage.network.wayward.namespace,
    });
    try {
      await eventually('somebody listens for notifications', async () =>
        /@notify$/m.test(
          await runProgram(['cat', '/proc/net/unix'], { namespace: stage.network.wayward.namespace }),
        ),
      );
      await chmod(stage.folder, 0o711);
      wayward.launch = {
        words: asUnit,
        environment: {
          NOTIFY_SOCKET: '@notify',
          WATCHDOG_USEC: String(watchdogMs * 1000),
          CREDENTIALS_DIRECTORY: credentials,
        },
      };
      await own(wayward.folder);
      await stage.establish('net');
      await assertUnprivileged(stage);
      await systemd.waitForOutput(/READY=1\nSTATUS=0 IKE SAs, 0 Child SAs/);
      await systemd.waitForOutput(/STATUS=1 IKE SAs, 1 Child SAs/);
      await stage.pingBothWays();
      await stage.tcpBothWays('IPv6');

      let before = await stage.agreedChild('net');
      await wayward.rekeyChild('net');
      before = await stage.replacedChild(before);
      const asked = systemd.output.length;
      wayward.signal('SIGHUP');
      await systemd.waitForOutput(/RELOADING=1\nMONOTONIC_USEC=\d+\n?READY=1/, { from: asked });
      await systemd.waitForOutput(/WATCHDOG=1[\s\S]*WATCHDOG=1/, { from: asked });

      await wayward.kill();
      const restarted = systemd.output.length;
      await wayward.start();
      await systemd.waitForOutput(/READY=1/, { from: restarted });
      await wayward.waitForLog(/goes on from the checkpoint/);
      await stage.replacedChild(before);
      await assertUnprivileged(stage);
      await stage.pingBothWays();

      const ending = systemd.output.length;
      await wayward.stop();
      await systemd.waitForOutput(/STOPPING=1\nSTATUS=deleting all SAs/, { from: ending });
      await eventually('strongSwan has no SA', async () => (await stage.strongswan.ikeSas()).length === 0);
      const rules = await runProgram(['ip', '-n', stage.network.wayward.namespace, 'rule']);
      assert.doesNotMatch(rules, /220/);
    } finally {
      await systemd.end('SIGKILL');
    }
  },
};
export default scenario;
