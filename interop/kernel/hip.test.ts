// HIP with a kernel's ESP in BEET mode: a guest whose kernel does it, and a host that does it in user space.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { removeStaleNamespaces } from '../harness/network.ts';
import { runProgram } from '../harness/processes.ts';
import { ContinuousPing } from '../harness/traffic.ts';
import { HipHost } from '../hip/hip-host.ts';
import { GuestNetwork, guestAddresses, hostAddresses, missingForGuests } from './guest-network.ts';
import { GuestWayward } from './guest-peers.ts';

const missing = missingForGuests();
/** A guest shares this machine with everything else, and takes its time. */
const patienceMs = 180_000;

describe('HIP on kernel ESP with HIP in user space', { skip: missing ?? false }, () => {
  let network: GuestNetwork;
  /** The daemon in the guest, and the same one as it is asked from outside. */
  let running: GuestWayward;
  let guest: HipHost;
  let host: HipHost;

  before(async () => {
    removeStaleNamespaces();
    network = await GuestNetwork.create(384);
  });

  afterEach(() => Promise.all([running?.stop(), host?.stop()]));

  after(() => network?.close());

  /** Others each time: what a control socket leaves behind is in nobody's way. */
  async function start(family: 'IPv4' | 'IPv6', udp: boolean): Promise<void> {
    const { namespace } = network;
    const folder = join(network.folder, udp ? 'udp' : family);
    running = new GuestWayward(network.guest, namespace, join(folder, 'guest'));
    guest = new HipHost('guest', namespace, join(folder, 'guest'), 'P-256');
    host = new HipHost('host', namespace, join(folder, 'host'), 'P-256');
    const own = { guest: guestAddresses.outer[family], host: hostAddresses.outer[family] };
    for (const [one, peer] of [
      [guest, host],
      [host, guest],
    ] as const) {
      await mkdir(one.folder, { recursive: true });
      const address = own[peer.name as keyof typeof own];
      const lsi = one === host ? '1.0.0.10' : '1.0.0.20';
      const hip = 'retransmit_timeout = 3s';
      const plane = one === guest ? 'wayward {\n  data_plane = kernel\n}' : '';
      await one.configure({ name: peer.name, hit: peer.hit, address, lsi, udp }, hip, plane);
    }
    await Promise.all([running.start(), host.start()]);
  }

  /** Both have the same pair of SAs, and the guest's kernel has it in BEET mode. */
  async function agreed(): Promise<string> {
    return eventually(
      'both have an association, and the kernel its SAs',
      async () => {
        const [ours, theirs] = await Promise.all([guest.association(), host.association()]);
        if (ours?.inboundSpi === undefined || ours.inboundSpi !== theirs?.outboundSpi) return undefined;
        const states = await network.guest.run('ip xfrm state');
        const spis = [ours.inboundSpi, ours.outboundSpi!].map((spi) => spi.toString(16).padStart(8, '0'));
        const all = spis.every((spi) => new RegExp(`spi 0x${spi} reqid \\d+ mode beet`).test(states));
        return all ? spis.join() : undefined;
      },
      patienceMs,
    );
  }

  /** The guest's kernel gets its SAs anew, with the same numbers, once the host has answered from there. */
  async function hostMoves(): Promise<void> {
    const ip = (...words: string[]): Promise<string> => runProgram(['ip', '-n', network.namespace, ...words]);
    const [from, to] = [`${hostAddresses.outer.IPv4}/16`, '10.99.2.9/16'];
    const pings = new ContinuousPing(
      { namespace: network.namespace, source: host.hit, destination: guest.hit },
      100,
    );
    try {
      await pings.answers(3, patienceMs);
      await ip('address', 'del', from, 'dev', 'uml0');
      await ip('address', 'add', to, 'dev', 'uml0');
      await eventually(
        'the guest sends to where the host is',
        async () => (await guest.association())?.path.remote.address === '10.99.2.9' || undefined,
        patienceMs,
      );
      await pings.answers(10, patienceMs);
      await agreed();
    } finally {
      await pings.abandon();
      await ip('address', 'del', to, 'dev', 'uml0');
      await ip('address', 'add', from, 'dev', 'uml0');
    }
  }

  for (const [family, udp] of [
    ['IPv4', false],
    ['IPv6', false],
    ['IPv4', true],
  ] as const) {
    test(`pings between HITs over ${udp ? `UDP over ${family}` : family}, and a rekeying`, async () => {
      await start(family, udp);
      // The kernel asks for an association when the first packet to a HIT comes.
      const outside = `ping -n -q -c 1 -W 2 -I ${guest.hit} ${host.hit}`;
      await eventually(
        'a packet of the guest makes an association',
        async () => (await network.guest.run(`${outside} || true`)).includes(' 1 received') || undefined,
        patienceMs,
      );
      const before = await agreed();
      const path = { namespace: network.namespace, source: host.hit, destination: guest.hit };
      const pings = new ContinuousPing(path, 100);
      try {
        await pings.answers(5, patienceMs);
        await guest.hip('rekey', 'host');
        await eventually('the SPIs are others', async () => (await agreed()) !== before, patienceMs);
        await pings.answers(5, patienceMs);
        const { lost } = await pings.stop(patienceMs);
        assert.equal(lost, 0);
        if (family === 'IPv4' && !udp) await hostMoves();
      } finally {
        await pings.abandon();
      }
      await Promise.all([running.stop(), host.stop()]);
      const left = await network.guest.run('ip xfrm state; ip xfrm policy');
      assert.doesNotMatch(left, /beet/);
    });
  }
});
