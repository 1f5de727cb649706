// wayward as a service of systemd, in a guest where that is the first process: the packaged unit, installed as its head says.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { removeStaleNamespaces } from '../harness/network.ts';
import { serviceUnit, systemdInit } from '../harness/paths.ts';
import { runProgram } from '../harness/processes.ts';
import { ContinuousPing, type Path } from '../harness/traffic.ts';
import { Wayward } from '../harness/wayward.ts';
import { GuestNetwork, guestAddresses, hostAddresses, missingForGuests } from './guest-network.ts';
import { serviceConfiguration, servicePeer } from './service-configuration.ts';

const missing =
  missingForGuests() ??
  (existsSync('/lib/systemd/systemd') ? undefined : 'not installed: /lib/systemd/systemd (systemd)');
/** A guest shares this machine with everything else, and takes its time. */
const patienceMs = 180_000;
/** CAP_NET_BIND_SERVICE, CAP_NET_ADMIN and CAP_NET_RAW of capabilities(7). */
const capabilityBits = '0000000000003400';

/** The lines of shell in the unit's head. */
async function installation(): Promise<string> {
  const [head = ''] = (await readFile(serviceUnit, 'utf8')).split('\n\n[Unit]');
  return [...head.matchAll(/^# {3}(.+)$/gm)].map(([, line]) => line).join('\n');
}

describe('wayward as a service of systemd', { skip: missing ?? false }, () => {
  let network: GuestNetwork;
  let peer: Wayward;

  before(async () => {
    removeStaleNamespaces();
    network = await GuestNetwork.create(384, systemdInit);
    peer = new Wayward(network.namespace, join(network.folder, 'peer'));
    await mkdir(peer.folder);
    await writeFile(join(peer.folder, 'swanctl.conf'), servicePeer);
    await peer.start();
  });

  after(async () => {
    await peer?.stop();
    await network?.close();
  });

  const guest = (line: string): Promise<string> => network.guest.run(line, patienceMs);
  const show = async (...names: readonly string[]): Promise<Readonly<Record<string, string>>> => {
    const lines = await guest(`systemctl show ${names.map((name) => `-p ${name}`).join(' ')} wayward`);
    return Object.fromEntries([...lines.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  };
  const journal = (): Promise<string> => guest('journalctl --sync; journalctl -o cat --no-pager -u wayward');
  const path = (family: 'IPv4' | 'IPv6' = 'IPv4'): Path => ({
    namespace: network.namespace,
    source: hostAddresses.inner[family],
    destination: guestAddresses.inner[family],
  });

  /** What comes before the guest has its SA is lost. */
  async function carriesBoth(): Promise<void> {
    for (const family of ['IPv4', 'IPv6'] as const) {
      const pings = new ContinuousPing(path(family), 100);
      try {
        await pings.answers(3, patienceMs);
      } finally {
        await pings.abandon();
      }
    }
  }

  /** Readable for root alone, as the packages of strongSwan do it. */
  const configure = (plane: 'kernel' | 'userspace', connection = '', more = ''): Promise<string> =>
    guest(`cat > /etc/swanctl/swanctl.conf << 'END'\n${serviceConfiguration(plane, connection)}${more}END`);

  test('it is installed as its head says, runs with three capabilities, and its tunnel carries both families', async () => {
    await guest('umask 077; mkdir -p /etc/swanctl/private');
    await configure('kernel');
    // Ten seconds are long for a test.
    const dropIn = '/etc/systemd/system/wayward.service.d';
    await guest(`mkdir ${dropIn}; printf '[Service]\nWatchdogSec=5s\n' > ${dropIn}/test.conf`);
    await guest(`set -e; cd /srv/clone/packaging/systemd\n${await installation()}`);
    // It comes back once the service has said that it is ready, and this.
    const { ActiveState, StatusText = '' } = await show('ActiveState', 'StatusText');
    assert.equal(ActiveState, 'active');
    assert.match(StatusText, /^\d IKE SAs, \d Child SAs$/);
    assert.match(await journal(), /packets are protected by the kernel\nwayward is running/);
    const status = await guest('id -u wayward; cat "/proc/$(systemctl show -P MainPID wayward)/status"');
    const user = /^\d+/.exec(status)?.[0];
    assert.match(status, new RegExp(`^Uid:\t${Array(4).fill(user).join('\t')}$`, 'm'));
    assert.match(status, /^NoNewPrivs:\t1$/m);
    for (const set of ['Prm', 'Eff', 'Bnd', 'Amb'])
      assert.match(status, new RegExp(`^Cap${set}:\t${capabilityBits}$`, 'm'));
    await peer.waitForLog(/Child SA established net/, patienceMs);
    await carriesBoth();
  });

  test('it sees SPIs that the kernel does not know', async () => {
    const esp = new Uint8Array(64);
    esp.set([0xc0, 0xff, 0xee, 0x01]);
    const send = ['socat', '-u', '-', `IP4-SENDTO:${guestAddresses.outer.IPv4}:50`];
    await eventually(
      'it says so',
      async () => {
        // The first one only makes it look, for two seconds; on a slow machine the journal takes longer.
        for (let i = 0; i < 4; i++) await runProgram(send, { namespace: network.namespace, input: esp });
        return (await journal()).includes('with unknown SPI c0ffee01');
      },
      patienceMs,
    );
  });

  test('a reload that cannot be done fails, and changes nothing', async () => {
    await guest('echo nonsense >> /etc/swanctl/swanctl.conf; ! systemctl reload wayward');
    await configure('kernel');
    assert.match(await journal(), /swanctl\.conf:\d+:\d+: expected [\s\S]*the old configuration stays/);
    assert.deepEqual(await show('ActiveState', 'NRestarts'), { ActiveState: 'active', NRestarts: '0' });
  });

  test('if it stands still systemd starts it again, and the kernel does not miss a packet meanwhile', async () => {
    const pings = new ContinuousPing(path(), 50);
    try {
      await pings.answers(5, patienceMs);
      await guest('kill -STOP "$(systemctl show -P MainPID wayward)"');
      // What it takes up from its checkpoint it rekeys.
      await peer.waitForLog(/IKE SA rekeyed/, patienceMs);
      await eventually(
        'it is ready',
        async () => (await show('ActiveState'))['ActiveState'] === 'active',
        patienceMs,
      );
      assert.deepEqual(await show('NRestarts'), { NRestarts: '1' });
      assert.match(await journal(), /Watchdog timeout[\s\S]*IKE SA goes on from the checkpoint/);
      await pings.answers(5, patienceMs);
      assert.equal((await pings.stop()).lost, 0);
    } finally {
      await pings.abandon();
    }
  });

  test('killed and started again it has its sockets back, and of ESP in UDP the kernel does not miss a packet either', async () => {
    // HIP's UDP port is kept as IKE's ports are.
    await guest(
      'wayward hip keygen /etc/swanctl/hip.key; chgrp wayward /etc/swanctl/hip.key; chmod 640 /etc/swanctl/hip.key',
    );
    await configure(
      'kernel',
      'encap = yes',
      'hip {\n  identities {\n    own {\n      file = hip.key\n    }\n  }\n}\n',
    );
    await guest('systemctl restart wayward');
    await eventually('ESP is in UDP', async () => /espinudp/.test(await guest('ip xfrm state')), patienceMs);
    await carriesBoth();
    assert.deepEqual(await show('NFileDescriptorStore'), { NFileDescriptorStore: '6' });
    const takenUp = async (): Promise<number> =>
      [...(await journal()).matchAll(/IKE SA goes on from the checkpoint/g)].length;
    const before = await takenUp();
    const pings = new ContinuousPing(path(), 50);
    try {
      await pings.answers(5, patienceMs);
      await guest('kill -KILL "$(systemctl show -P MainPID wayward)"');
      await eventually('it is taken up', async () => (await takenUp()) > before, patienceMs);
      await pings.answers(5, patienceMs);
      assert.equal((await pings.stop()).lost, 0);
    } finally {
      await pings.abandon();
    }
    await carriesBoth();
    assert.deepEqual(await show('NFileDescriptorStore'), { NFileDescriptorStore: '6' });
  });

  test('killed and started again with another data plane, it gets a TUN device and leaves nothing in the kernel', async () => {
    await configure('userspace');
    const established = async (): Promise<number> =>
      [...(await peer.log()).matchAll(/Child SA established net/g)].length;
    const before = await established();
    await guest('kill -KILL "$(systemctl show -P MainPID wayward)"');
    // What the kernel has had cannot go on in a process: a new SA takes its place.
    await eventually('there is a new SA', async () => (await established()) > before, patienceMs);
    assert.match(await journal(), /packets are protected by this process/);
    await carriesBoth();
    const routes = await guest('ip route show table 220; ip xfrm state; ip xfrm policy');
    assert.match(routes, /^10\.2\.0\.0\/24 dev wayward0 /m);
    assert.doesNotMatch(routes, /10\.99/);
  });

  test('it ends when it is told to, and nothing is left of it', async () => {
    await guest('systemctl stop wayward');
    assert.deepEqual(await show('Result', 'ExecMainStatus'), { Result: 'success', ExecMainStatus: '0' });
    await eventually('the peer has no SA', async () => (await peer.ikeSas()).length === 0);
    const left = await guest('ip rule; ip -6 rule; ip link; ls /run /run/credentials');
    assert.doesNotMatch(left, /220|wayward/);
    assert.doesNotMatch(await journal(), /EPERM|EACCES|permi|denied/i);
  });
});
