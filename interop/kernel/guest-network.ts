// A namespace with a TAP device, and a guest at the other end of it.

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../harness/processes.ts';
import { missingRequirement } from '../harness/requirements.ts';
import { Guest } from './guest.ts';

/** Addresses of either end, by family: outside, and on the loopback device. */
export const guestAddresses = {
  outer: { IPv4: '10.99.1.1', IPv6: 'fd99:0:0:1::1' },
  inner: { IPv4: '10.1.0.1', IPv6: 'fd01::1' },
} as const;
export const hostAddresses = {
  outer: { IPv4: '10.99.2.1', IPv6: 'fd99:0:0:2::1' },
  inner: { IPv4: '10.2.0.1', IPv6: 'fd02::1' },
} as const;

/** For traffic of narrower selectors. */
const moreInner = ['10.2.0.8', '10.2.0.9', '10.2.0.10'];

const tap = 'uml0';
let networks = 0;

/** Why no guest can be started here. */
export function missingForGuests(): string | undefined {
  const missing = missingRequirement();
  if (missing !== undefined) return missing;
  return existsSync('/usr/bin/linux.uml') ? undefined : 'not installed: linux.uml (user-mode-linux)';
}

export class GuestNetwork {
  readonly namespace: string;
  readonly folder: string;
  readonly guest: Guest;

  private constructor(namespace: string, folder: string, guest: Guest) {
    this.namespace = namespace;
    this.folder = folder;
    this.guest = guest;
  }

  /** @param then what the guest's first process becomes */
  static async create(memoryMebibytes: number, then?: string): Promise<GuestNetwork> {
    // As the scenarios' names: what a killed run leaves is removed by the next one.
    const namespace = `wwi${process.pid}-guest${networks++}`;
    const folder = await mkdtemp(join(tmpdir(), 'wayward-guest-'));
    const { outer, inner } = hostAddresses;
    await runProgram(['ip', 'netns', 'add', namespace]);
    try {
      for (const words of [
        'link set lo up',
        `tuntap add dev ${tap} mode tap`,
        `address add ${outer.IPv4}/16 dev ${tap}`,
        `address add ${outer.IPv6}/48 dev ${tap} nodad`,
        `address add ${inner.IPv4}/32 dev lo`,
        `address add ${inner.IPv6}/128 dev lo`,
        ...moreInner.map((address) => `address add ${address}/32 dev lo`),
        `link set ${tap} up`,
      ])
        await runProgram(['ip', '-n', namespace, ...words.split(' ')]);
      const guest = await Guest.boot({
        ...{ namespace, tap, folder, memoryMebibytes, then },
        addresses: [`${guestAddresses.outer.IPv4}/16`, `${guestAddresses.outer.IPv6}/48`],
        inner: [`${guestAddresses.inner.IPv4}/32`, `${guestAddresses.inner.IPv6}/128`],
      });
      return new GuestNetwork(namespace, folder, guest);
    } catch (error) {
      await removeNamespace(namespace);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.guest.halt();
    await removeNamespace(this.namespace);
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function removeNamespace(namespace: string): Promise<void> {
  await runProgram(['ip', 'netns', 'del', namespace]).catch(() => undefined);
}
