// wayward's own ESP and AH against a kernel's: every suite, natively and in UDP, over both families, one guest for all.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { removeStaleNamespaces } from '../harness/network.ts';
import { childSas } from '../harness/peer.ts';
import { ping } from '../harness/traffic.ts';
import { Wayward } from '../harness/wayward.ts';
import { GuestNetwork, guestAddresses, hostAddresses, missingForGuests } from './guest-network.ts';
import { GuestStrongswan } from './guest-peers.ts';
import {
  ahSuites,
  childName,
  connectionName,
  type Envelope,
  encapsulations,
  families,
  type OuterFamily,
  strongswanTable,
  suites,
  waywardTable,
} from './table-configuration.ts';

const missing = missingForGuests();

describe('wayward in user space with strongSwan on kernel ESP', { skip: missing ?? false }, () => {
  let network: GuestNetwork;
  let wayward: Wayward;
  let strongswan: GuestStrongswan;

  before(async () => {
    removeStaleNamespaces();
    network = await GuestNetwork.create(192);
    const { namespace, folder, guest } = network;
    wayward = new Wayward(namespace, join(folder, 'wayward'));
    strongswan = new GuestStrongswan(guest, namespace, join(folder, 'strongswan'));
    for (const [peer, text] of [
      [wayward, waywardTable()],
      [strongswan, strongswanTable()],
    ] as const) {
      await mkdir(peer.folder, { recursive: true });
      await writeFile(join(peer.folder, 'swanctl.conf'), text);
    }
    await Promise.all([wayward.start(), strongswan.start()]);
  });

  after(async () => {
    await wayward?.stop();
    await strongswan?.stop();
    await network?.close();
  });

  const path = (family: OuterFamily) => ({
    namespace: network.namespace,
    source: hostAddresses.inner[family],
    destination: guestAddresses.inner[family],
  });

  /**
   * Small packets of both inner families, and one that makes fragments outside. Nothing here may lose one, nor the first of a
   * family; but an answer may be late: with six busy processes beside the guest a round trip was seen to take 1.5 seconds.
   */
  async function traffic(): Promise<void> {
    await ping(path('IPv4'), 2);
    await ping(path('IPv6'), 1);
    await ping(path('IPv4'), 1, 3_000);
  }

  async function row(family: OuterFamily, envelope: Envelope, { proposal, seen }: (typeof suites)[number]) {
    const name = childName(family, envelope, proposal);
    await wayward.up(name);
    try {
      const [child, ...more] = await childSas(strongswan);
      assert.equal(more.length, 0);
      assert.match(child!.suite.trim(), seen);
      await traffic();
      const state = await network.guest.run('ip xfrm state');
      assert.equal(/encap type espinudp/.test(state), envelope === 'in UDP', state);
      assert.match(state, envelope === 'AH' ? /proto ah/ : /proto esp/);
    } finally {
      await wayward.downChild(name);
      await eventually(
        'strongSwan has no Child SA left',
        async () => (await childSas(strongswan)).length === 0,
      );
    }
  }

  for (const family of families) {
    for (const suite of ahSuites) {
      test(`AH with ${suite.proposal}, over ${family}`, () => row(family, 'AH', suite));
    }

    for (const encapsulation of encapsulations) {
      for (const suite of suites) {
        test(`${suite.proposal}, ${encapsulation}, over ${family}`, () => row(family, encapsulation, suite));
      }

      test(`either side rekeys, ${encapsulation}, over ${family}`, async () => {
        const name = childName(family, encapsulation, suites[0]!.proposal);
        await wayward.up(name);
        const spis = async () => (await childSas(wayward)).map(({ inboundSpi }) => inboundSpi).join();
        let before = await spis();
        for (const rekey of [() => wayward.rekeyChild(name), () => strongswan.rekeyChild('any-esp')]) {
          await rekey();
          await eventually('one other pair stands', async () => {
            const now = await spis();
            const one = (await childSas(strongswan)).length === 1 && !now.includes(',');
            return one && now !== before && now !== '';
          });
          before = await spis();
          await traffic();
        }
        await wayward.downIke(connectionName(family, encapsulation));
      });
    }
  }
});
