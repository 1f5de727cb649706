// wayward on a kernel's ESP, inside a guest, with strongSwan outside: everything that the kernel data plane is for.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { replacedLingerMs, selectorOfPrefix } from '#sa';
import { eventually } from '../harness/eventually.ts';
import { removeStaleNamespaces } from '../harness/network.ts';
import { kernelPlaneEnd } from '../harness/paths.ts';
import { childSas, type PeerChild } from '../harness/peer.ts';
import { runProgram } from '../harness/processes.ts';
import { Strongswan } from '../harness/strongswan.ts';
import { ContinuousPing, type Path, ping } from '../harness/traffic.ts';
import { GuestNetwork, guestAddresses, hostAddresses, missingForGuests } from './guest-network.ts';
import { GuestWayward } from './guest-peers.ts';
import { showEvidence } from './kept-evidence.ts';
import { farAddresses, lanAddresses, NarrowPath } from './narrow-path.ts';
import { farStrongswan, planeStrongswan, planeWayward } from './plane-configuration.ts';

const missing = missingForGuests();
/** A guest shares this machine with everything else, and takes its time. */
const patienceMs = 180_000;

/** When SAs went, by SPI, from what `ip -timestamp xfrm monitor` prints. */
function removals(told: string): Map<string, number> {
  const pattern = /Timestamp: (.+?) (\d+) usec\s+Deleted src \S+ dst \S+\s+proto esp spi 0x([0-9a-f]{8})/g;
  return new Map(
    [...told.matchAll(pattern)].map(([, at, microseconds, spi]) => [
      spi!,
      Date.parse(at!) + Number(microseconds) / 1_000,
    ]),
  );
}

/** A command to install an SA from the guest to the host. */
function outboundSa(spi: number, childId: number, more: object = {}): object {
  const selectors = { local: [selectorOfPrefix('10.1.0.0/24')], remote: [selectorOfPrefix('10.2.0.0/24')] };
  const key = Array.from({ length: 20 }, () => 7);
  const [local, remote] = [guestAddresses.outer.IPv4, hostAddresses.outer.IPv4];
  return {
    kind: 'install',
    sa: {
      ...{ direction: 'outbound', protocol: 'esp', mode: 'tunnel', spi, childId, selectors, local, remote },
      ...{ esn: false, replayWindow: 32, lifetimes: {}, generation: 0, copyDscp: 'out', copyDf: true },
      encryption: { id: 20, keyLengthBits: 128, key },
      ...more,
    },
  };
}

describe('wayward on kernel ESP with strongSwan in user space', { skip: missing ?? false }, () => {
  let network: GuestNetwork;
  let wayward: GuestWayward;
  let strongswan: Strongswan;

  before(async () => {
    removeStaleNamespaces();
    network = await GuestNetwork.create(384);
    const { namespace, folder, guest } = network;
    wayward = new GuestWayward(guest, namespace, join(folder, 'wayward'));
    strongswan = new Strongswan(namespace, join(folder, 'strongswan'));
    for (const [peer, text] of [
      [wayward, planeWayward],
      [strongswan, planeStrongswan],
    ] as const) {
      await mkdir(peer.folder, { recursive: true });
      await writeFile(join(peer.folder, 'swanctl.conf'), text);
    }
    await writeFile(join(wayward.folder, 'record.key'), randomBytes(32), { mode: 0o600 });
    // The way to the networks behind strongSwan, for traffic that asks for an SA.
    await guest.run(`ip route add default via ${hostAddresses.outer.IPv4}`);
    await Promise.all([wayward.start(), strongswan.start()]);
  });

  afterEach((context) => showEvidence(context as { readonly name: string }, network, wayward));

  after(async () => {
    await wayward?.stop();
    await strongswan?.stop();
    await network?.close();
  });

  const path = (family: 'IPv4' | 'IPv6' = 'IPv4'): Path => ({
    namespace: network.namespace,
    source: hostAddresses.inner[family],
    destination: guestAddresses.inner[family],
  });
  /** Larval states have no SPI yet. */
  const kernelSas = async (): Promise<{ readonly spi: string; readonly outbound: boolean }[]> =>
    [
      ...(await network.guest.run('ip xfrm state')).matchAll(
        /^src (\S+) dst \S+\s+proto esp spi 0x([0-9a-f]{8})/gm,
      ),
    ]
      .map(([, source, spi]) => ({
        spi: spi!,
        outbound: Object.values<string>(guestAddresses.outer).includes(source!),
      }))
      .filter(({ spi }) => spi !== '00000000');
  const kernelSpis = async (): Promise<string[]> => (await kernelSas()).map(({ spi }) => spi).sort();

  /** The last number that the kernel has spent on an SA. */
  async function sent({ outboundSpi }: PeerChild): Promise<number> {
    const states = (await network.guest.run('ip xfrm state')).split(/^(?=src)/m);
    const match = /oseq 0x([0-9a-f]+)/.exec(states.find((one) => one.includes(outboundSpi)) ?? '');
    if (match === null) throw new Error(`the kernel has no SA ${outboundSpi}`);
    return Number.parseInt(match[1]!, 16);
  }

  /** Both have one Child SA of this name, the same, and the kernel has its SPIs, and no others but inbound ones that linger. */
  async function agreed(name: string): Promise<PeerChild> {
    return eventually(
      `both sides have one Child SA ${name}, and so has the kernel`,
      async () => {
        const [[ours, ...moreOfOurs], [theirs, ...moreOfTheirs]] = await Promise.all([
          childSas(wayward),
          childSas(strongswan),
        ]);
        if (ours === undefined || theirs === undefined) return undefined;
        if (moreOfOurs.length > 0 || moreOfTheirs.length > 0 || ours.name !== name) return undefined;
        const inKernel = await kernelSas();
        const sending = inKernel.filter(({ outbound }) => outbound).map(({ spi }) => spi);
        const receives = inKernel.some(({ spi, outbound }) => !outbound && spi === ours.inboundSpi);
        const same = ours.inboundSpi === theirs.outboundSpi && sending.join() === ours.outboundSpi;
        return same && receives ? ours : undefined;
      },
      patienceMs,
    );
  }

  async function replaced(before: PeerChild): Promise<PeerChild> {
    await eventually(
      `${before.inboundSpi} is replaced`,
      async () => (await childSas(wayward)).every(({ inboundSpi }) => inboundSpi !== before.inboundSpi),
      patienceMs,
    );
    return agreed(before.name);
  }

  /** Whether a process of the guest has joined a multicast group of NETLINK_XFRM, protocol 6. */
  async function hasJoinedXfrmGroup(pid: number): Promise<boolean> {
    const groups = await network.guest.run(`awk '$2 == 6 && $3 == ${pid} { print $4 }' /proc/net/netlink`);
    return /[1-9a-f]/.test(groups);
  }

  /** From within the guest, all at once: of those that are sent one by one, ping waits for the last answer no longer than two round trips. */
  async function pingOut(source: string, destination: string, mark = ''): Promise<void> {
    const pace = `-c 3 -l 3 -i ${patienceMs / 1_000} -W ${patienceMs / 1_000}`;
    const told = await network.guest.run(
      `ping -n -q ${mark} ${pace} -I ${source} ${destination}`,
      patienceMs,
    );
    assert.match(told, / 3 received/);
  }

  async function nothingLeft(): Promise<void> {
    await eventually('the kernel has no SA', async () => (await kernelSpis()).length === 0, patienceMs);
  }

  for (const family of ['IPv4', 'IPv6'] as const) {
    const connection = family.toLowerCase();
    const child = `net-${connection}`;

    test(`a tunnel over ${family} carries both families`, async () => {
      await wayward.up(child);
      await agreed(child);
      for (const [family, octets] of [
        ['IPv4', 56],
        ['IPv6', 56],
        ['IPv4', 3_000],
      ] as const)
        await ping(path(family), 1, octets, patienceMs / 1_000);
      await pingOut(guestAddresses.inner.IPv6, hostAddresses.inner.IPv6);
    });

    test(`either side rekeys the Child SA over ${family}, and the IKE SA, without a loss`, async () => {
      const pings = new ContinuousPing(path(), 50);
      try {
        await pings.answers(5, patienceMs);
        let one = await agreed(child);
        for (const rekey of [() => wayward.rekeyChild(child), () => strongswan.rekeyChild('net')]) {
          await rekey();
          one = await replaced(one);
          await pings.answers(5, patienceMs);
        }
        await wayward.rekeyIke(connection);
        await pings.answers(5, patienceMs);
        assert.equal((await pings.stop()).lost, 0);
      } finally {
        await pings.abandon();
      }
    });

    // RFC 7296 2.8
    test(`over ${family} the inbound SA of a replaced pair stays for what is on its way`, async () => {
      const told = join(network.folder, `monitor-${connection}`);
      const monitor = await network.guest.start('ip -timestamp xfrm monitor SA', told);
      // In a busy guest that takes its time, and what goes before it listens is never told.
      await eventually('the monitor listens', () => hasJoinedXfrmGroup(monitor), patienceMs);
      const before = await agreed(child);
      await wayward.rekeyChild(child);
      await replaced(before);
      const goneAt = await eventually(
        'both are gone',
        async () => {
          const all = removals(await readFile(told, 'utf8'));
          return all.has(before.inboundSpi) && all.has(before.outboundSpi) ? all : undefined;
        },
        patienceMs,
      );
      const [inbound = 0, outbound = 0] = [before.inboundSpi, before.outboundSpi].map((spi) =>
        goneAt.get(spi),
      );
      await network.guest.run(`kill ${monitor}`);
      // The kernel may have been told of either late: a busy guest takes its time.
      const stayedMs = inbound - outbound;
      const inTime = stayedMs > replacedLingerMs - 1_500 && stayedMs < replacedLingerMs + 30_000;
      assert.ok(outbound > 0 && inTime, `it stayed for ${stayedMs} ms`);
    });

    test(`the end of the IKE SA over ${family} leaves nothing in the kernel`, async () => {
      await wayward.downIke(connection);
      await nothingLeft();
      assert.doesNotMatch(await network.guest.run('ip xfrm policy'), /tmpl src 10\.99|tmpl src fd99/);
    });
  }

  test('traffic of a trap policy brings its Child SA up, again and again', async () => {
    for (let round = 0; round < 2; round++) {
      const wanted = `ping -n -q -c 40 -i 0.25 -I ${guestAddresses.inner.IPv4} 10.2.0.9`;
      await network.guest.run(`${wanted} > /dev/null 2>&1 &`);
      await agreed('trapped');
      await network.guest.run('pkill ping; true');
      await wayward.downChild('trapped');
      await nothingLeft();
    }
    await wayward.downIke('ipv4');
  });

  test('a Child SA with marks carries marked packets and no others', async () => {
    await wayward.up('marked');
    const { inboundSpi, outboundSpi } = await agreed('marked');
    const states = (await network.guest.run('ip xfrm state')).split(/^(?=src)/m);
    const state = (spi: string): string => states.find((one) => one.includes(spi)) ?? '';
    assert.match(state(outboundSpi), /mark 0x2a\/0xff/);
    assert.match(state(inboundSpi), /output-mark 0x2a\/0xff/);
    const [source, destination] = [guestAddresses.inner.IPv4, '10.2.0.10'];
    await pingOut(source, destination, '-m 298');
    const spent = await sent({ outboundSpi } as PeerChild);
    assert.ok(spent >= 3);
    // Without a mark they are all sent when it ends.
    await network.guest.run(`ping -n -q -c 3 -i 0.2 -W 0.2 -I ${source} ${destination}; true`);
    assert.equal(await sent({ outboundSpi } as PeerChild), spent);
    await wayward.rekeyChild('marked');
    await eventually(
      'it is rekeyed',
      async () => (await agreed('marked')).outboundSpi !== outboundSpi,
      patienceMs,
    );
    await pingOut(source, destination, '-m 42');
    await wayward.downIke('ipv4');
    await nothingLeft();
    assert.doesNotMatch(await network.guest.run('ip xfrm policy'), /mark 0x2a/);
  });

  test('no device here does anything of an SA: one that must be offloaded fails by name, one that may be does not', async () => {
    await wayward.up('offload-auto');
    const { inboundSpi, outboundSpi } = await agreed('offload-auto');
    await ping(path(), 1, 56, patienceMs / 1_000);
    // The kernel looks for what an SA with a device needs.
    assert.match(await network.guest.run('cat /proc/modules'), /^esp4_offload /m);
    // What Linux 6.1 says of a flag that it does not know, and of ESP in UDP.
    for (const [offload, reason] of [
      ['packet', /hw_offload = packet: xfrm new-sa: EINVAL/],
      ['crypto', /hw_offload = crypto: xfrm new-sa: EINVAL \(Encapsulation .*can't be offloaded\)/],
    ] as const)
      await assert.rejects(wayward.up(`offload-${offload}`), reason);
    assert.deepEqual(await kernelSpis(), [inboundSpi, outboundSpi].sort());
    await wayward.downIke('ipv4');
    await nothingLeft();
  });

  test('a kernel that does in silence what its device was to do is found out', async () => {
    const commands = ['auto', 'crypto', 'packet'].map((hardwareOffload, i) =>
      outboundSa(0xdddd_0001 + i, i + 1, { hardwareOffload }),
    );
    const lines = [...commands.map((command) => JSON.stringify(command)), 'close'];
    const words = lines.map((line) => `'${line}'`).join(' ');
    const answers = await network.guest.run(
      `printf '%s\\n' ${words} | ${process.execPath} ${kernelPlaneEnd} offload`,
    );
    assert.match(
      answers,
      /^answer {"ok":true}\n.*"hw_offload = crypto: the device on the way .*\n.*"hw_offload = packet: .*Unrec.*\n/,
    );
    await nothingLeft();
  });

  test('an SA comes back to where traffic has asked for it meanwhile', async () => {
    const spi = 0xdddd_0010;
    const [local, home] = [guestAddresses.outer.IPv4, hostAddresses.outer.IPv4];
    const away = '10.99.2.2';
    const goes = (remote: string): object => ({
      ...{ kind: 'update-addresses', protocol: 'esp', direction: 'outbound', spi, childId: 1 },
      ...{ local: { address: local, port: 0 }, remote: { address: remote, port: 0 }, encapsulated: false },
    });
    const says = (...lines: (object | string)[]): string =>
      `printf '%s\\n' ${lines.map((line) => `'${typeof line === 'string' ? line : JSON.stringify(line)}'`).join(' ')}`;
    const until = (remote: string): string =>
      `until ip xfrm state | grep -q 'dst ${remote}'; do sleep 0.05; done`;
    // What a packet to the SA in this moment would make the kernel do.
    const asks = [
      `reqid=$(ip xfrm state | sed -n 's/.*reqid \\([0-9]*\\) .*/\\1/p')`,
      `ip xfrm state allocspi src ${local} dst ${home} proto esp reqid $reqid mode tunnel min ${spi} max ${spi} >&2`,
    ];
    // How old it is, and what it has carried, which the kernel would forget.
    const tells = 'ip -s xfrm state | grep -A 2 "lifetime current" >&2';
    const feed = [
      says(outboundSa(spi, 1)),
      until(home),
      tells,
      'sleep 1.5',
      says(goes(away)),
      ...[until(away), tells, ...asks],
      says(goes(home)),
      ...[until(home), tells, says('close')],
    ];
    const answers = await network.guest.run(
      `{ ${feed.join('; ')}; } | ${process.execPath} ${kernelPlaneEnd} comes-back`,
    );
    assert.equal(answers.match(/answer {"ok":true}/g)?.length, 3, answers);
    const begun = [...answers.matchAll(/add (\S+ \S+)/g)].map(([, at]) => at);
    assert.equal(begun.length, 3, answers);
    assert.equal(new Set(begun).size, 1, answers);
    await nothingLeft();
  });

  test('the kernel says when an SA is used up, softly, and it is replaced', async () => {
    await wayward.up('short');
    const before = await agreed('short');
    const pings = new ContinuousPing({ ...path(), source: '10.2.0.8' }, 50);
    try {
      // rekey_packets of the configuration, inbound and outbound.
      await pings.answers(40, patienceMs);
      await replaced(before);
      await pings.answers(5, patienceMs);
      assert.equal((await pings.stop()).lost, 0);
    } finally {
      await pings.abandon();
    }
    await wayward.downIke('ipv4');
    await nothingLeft();
  });

  test('the kernel says that the port of the peer has changed, and the SAs follow it with their numbers', async () => {
    await wayward.up('net-ipv4');
    const one = await agreed('net-ipv4');
    // Some come while the SAs change.
    const pings = new ContinuousPing(path(), 2);
    try {
      await pings.answers(5, patienceMs);
      // A flow is what its first packet is: an answer that is on its way must not be that.
      const chains = [
        'in { type filter hook prerouting priority raw; udp dport 4500 notrack; }',
        'out { type nat hook postrouting priority srcnat; udp sport 4500 masquerade to :30000-30999; }',
      ];
      await runProgram(['nft', '-f', '-'], {
        namespace: network.namespace,
        input: `table ip moved { ${chains.map((chain) => `chain ${chain};`).join(' ')} }`,
      });
      await wayward.waitForLog(/peer moved from 10\.99\.2\.1:4500 to 10\.99\.2\.1:30\d\d\d/, patienceMs);
      // The kernel has yet to hear of it, and packets get through all the while.
      const states = await eventually(
        'the SAs lead to the new port',
        async () => {
          const now = await network.guest.run('ip xfrm state');
          const moved = [/sport 30\d\d\d dport 4500/, /sport 4500 dport 30\d\d\d/];
          return moved.every((ports) => ports.test(now)) ? now : undefined;
        },
        patienceMs,
      );
      // Its number is not the first one: the SA is the same.
      assert.match(states, /oseq 0x(?!0,)[0-9a-f]+/);
      await pings.answers(10, patienceMs);
      assert.equal((await pings.stop()).lost, 0);
      assert.deepEqual(await agreed('net-ipv4'), one);
    } finally {
      await pings.abandon();
      await runProgram(['nft', 'delete', 'table', 'ip', 'moved'], { namespace: network.namespace }).catch(
        () => undefined,
      );
    }
    await strongswan.downIke('ipv4');
    await nothingLeft();
  });

  // RFC 4555 3.5
  test('the address of this end goes and another one comes: the IKE SA stays, and SAs and routes of the kernel follow', async () => {
    const [old, other] = [guestAddresses.outer.IPv4, '10.99.1.7'];
    const [script, states, back] = ['move.sh', 'moved-states', 'move-back'].map((name) =>
      join(network.folder, name),
    ) as [string, string, string];
    const goes = (from: string, to: string): string[] => [
      `ip address del ${from}/16 dev vec0`,
      'sleep 0.2',
      `ip address add ${to}/16 dev vec0`,
      `ip route replace default via ${hostAddresses.outer.IPv4}`,
    ];
    // While it is away nobody can ask the guest anything.
    const steps = [
      ...goes(old, other),
      `until [ -e ${back} ]; do sleep 0.1; done`,
      `{ ip xfrm state; ip xfrm policy; } > ${states}`,
      ...goes(other, old),
    ];
    await writeFile(script, `${steps.join('\n')}\n`);
    await wayward.up('net-roaming');
    await agreed('net-roaming');
    const [before] = await wayward.ikeSas();
    const pings = new ContinuousPing(path(), 20);
    try {
      await pings.answers(5, patienceMs);
      await network.guest.start(`sh ${script}`, `${script}.out`);
      await wayward.waitForLog(new RegExp(`we moved: .* now from ${other}`), patienceMs);
      await pings.answers(10, patienceMs);
      await writeFile(back, '');
      await wayward.waitForLog(new RegExp(`we moved: .* now from ${old}`), patienceMs);
      await pings.answers(10, patienceMs);
    } finally {
      await writeFile(back, '');
      await pings.abandon();
    }
    const there = await readFile(states, 'utf8');
    assert.match(there, new RegExp(`src ${other} dst`));
    assert.ok(!there.includes(old), there);
    const [after] = await eventually('wayward has one IKE SA', async () => {
      const all = await wayward.ikeSas();
      return all.length === 1 ? all : undefined;
    });
    assert.equal(after?.initiatorSpi, before?.initiatorSpi);
    await agreed('net-roaming');
    for (const octets of [56, 3_000]) await ping(path(), 1, octets, patienceMs / 1_000);
    await wayward.downIke('roaming');
    await nothingLeft();
  });

  // RFC 4301 8.2
  test('large transfers get through a path that carries less, of this machine and of others behind it', async () => {
    const path = await NarrowPath.create(network, farStrongswan);
    const { inner } = farAddresses;
    const own = [guestAddresses.inner.IPv4, guestAddresses.inner.IPv6] as const;
    try {
      for (const [family, outer] of [
        ['ipv4', farAddresses.outer.IPv4],
        ['ipv6', farAddresses.outer.IPv6],
      ] as const) {
        const name = `narrow-${family}`;
        await wayward.up(name);
        assert.ok(await path.carries(own[0], inner.IPv4), `IPv4 over ${family}`);
        assert.ok(await path.carries(own[1], inner.IPv6), `IPv6 over ${family}`);
        assert.ok(await path.carries(lanAddresses.IPv4, inner.IPv4), `IPv4 of others over ${family}`);
        // That the path is narrower was learned, whatever was believed of it before.
        const learned = 'the kernel has learned that the path carries 1300 octets';
        await wayward.waitForLog(new RegExp(`path to ${outer}: ${learned}`), patienceMs);
        assert.match(await wayward.command('why', 'last'), new RegExp(learned));
        // Everything goes to the peer, and so would what the peer is sent itself.
        await wayward.up(`${name}-whole`);
        await wayward.downChild(name);
        assert.ok(await path.carries(own[0], inner.IPv4), `IPv4 over ${family}, everything`);
        assert.ok(await path.carries(own[1], inner.IPv6), `IPv6 over ${family}, everything`);
        await wayward.downIke(name);
      }
      // IPv6 carries 1280 octets everywhere, and Linux has no packet of it cut for being in a tunnel.
      await path.carriesUpTo(1_400);
      await wayward.up('narrow-ipv6');
      assert.ok(await path.carries(lanAddresses.IPv6, inner.IPv6), 'IPv6 of others');
      await wayward.downIke('narrow-ipv6');
      await nothingLeft();
    } finally {
      await path.close();
    }
  });

  test('routes come back after the device was down', async () => {
    await wayward.up('net-ipv4');
    await agreed('net-ipv4');
    const routes = (): Promise<string> =>
      network.guest.run('ip route show table 220; ip -6 route show table 220');
    const before = await routes();
    assert.match(before, /10\.2\.0\.0\/24 via/);
    // While it is down nobody can ask the guest anything, and with it goes what was set by hand.
    const [script, told] = ['down.sh', 'down-routes'].map((name) => join(network.folder, name)) as [
      string,
      string,
    ];
    const lines = [
      'ip link set vec0 down',
      `ip route show table 220 > ${told}.new; mv ${told}.new ${told}`,
      'ip link set vec0 up',
      `ip address add ${guestAddresses.outer.IPv6}/48 dev vec0 nodad`,
      `ip route add default via ${hostAddresses.outer.IPv4}`,
    ];
    await writeFile(script, `${lines.join('\n')}\n`);
    await network.guest.start(`sh ${script}`, `${script}.out`);
    const gone = await eventually(
      'it is down',
      () => readFile(told, 'utf8').catch(() => undefined),
      patienceMs,
    );
    await eventually('they are there again', async () => (await routes()) === before, patienceMs);
    assert.equal(gone, '');
    await pingOut(guestAddresses.inner.IPv4, hostAddresses.inner.IPv4);
    await wayward.downIke('ipv4');
    await nothingLeft();
  });

  test('a killed daemon that starts again takes its SAs up as they are, and rekeys them', async () => {
    await wayward.up('net-ipv4');
    const before = await agreed('net-ipv4');
    const pings = new ContinuousPing(path(), 50);
    try {
      await pings.answers(10, patienceMs);
      const sentBefore = await sent(before);
      await wayward.kill();
      // ESP in UDP enters the kernel by the daemon's socket: what comes waits for the next one. Native ESP would go on.
      assert.deepEqual(await kernelSpis(), [before.inboundSpi, before.outboundSpi].sort());
      await wayward.start();
      assert.match(await wayward.log(), /goes on from the checkpoint/);
      const sentAfter = await sent(before).catch(() => Number.POSITIVE_INFINITY);
      assert.ok(sentAfter >= sentBefore, `${sentAfter} after ${sentBefore}: the SA is another one`);
      await pings.answers(10, patienceMs);
      // Everything that is taken up is rekeyed at once.
      await replaced(before);
      await pings.answers(10, patienceMs);
    } finally {
      await pings.abandon();
    }
    await wayward.downIke('ipv4');
    await nothingLeft();
  });

  test('SAs of an earlier process that cannot be taken up are removed, and those of others stay', async () => {
    const foreign =
      'ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0xdddd0001 reqid 1 mode tunnel ' +
      "aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128";
    await wayward.up('net-ipv4');
    await agreed('net-ipv4');
    await network.guest.run(foreign);
    await wayward.kill();
    await network.guest.run('rm -r /run/wayward.state');
    const pings = new ContinuousPing(path(), 100);
    try {
      await wayward.start();
      await eventually(
        'only the other one is left',
        async () => (await kernelSpis()).join() === 'dddd0001',
        patienceMs,
      );
      // strongSwan still sends on SAs that nobody here knows any more.
      await wayward.waitForLog(/with unknown SPI [0-9a-f]{8}.*sent/, patienceMs);
    } finally {
      await pings.abandon();
      await network.guest.run('ip xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi 0xdddd0001');
      // Nobody answers a Delete.
      await strongswan.swanctl('--terminate', '--ike', 'ipv4', '--force');
    }
  });
});
