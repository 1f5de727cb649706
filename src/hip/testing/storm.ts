// What storms have in common: what hosts do in any of them, how packets fare meanwhile, and what must be left of it all.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { TestHost, Transit, TwoHosts } from './two-hosts.ts';

export interface Step<Action> {
  readonly action: Action;
  readonly moon: boolean;
  readonly waitMs: number;
  /** One bit for each packet that follows: lost or not; another: doubled, and late, or not. */
  readonly lost: number;
  readonly doubled: number;
}

export function anyStep<Action>(
  actions: readonly Action[],
  waitsMs: readonly number[],
): { readonly [Name in keyof Step<Action>]: fc.Arbitrary<Step<Action>[Name]> } {
  return {
    action: fc.constantFrom(...actions),
    moon: fc.boolean(),
    waitMs: fc.constantFrom(...waitsMs),
    lost: fc.nat({ max: 0xffff }),
    doubled: fc.nat({ max: 0xffff }),
  };
}

export function act(
  hosts: TwoHosts,
  host: TestHost,
  action: 'rekey' | 'check' | 'close' | 'crash' | 'wait',
): void {
  const { now } = hosts;
  const local = host.hit;
  const remote = hosts.other(host).hit;
  switch (action) {
    case 'rekey':
      host.give(now, { kind: 'command', command: { kind: action, local, remote } });
      break;
    case 'check':
    case 'close':
      host.give(now, { kind: 'command', command: { kind: action, local, remote, reason: 'the storm' } });
      break;
    case 'crash':
      host.crash(now);
      break;
    case 'wait':
      break;
  }
}

/** Time passes, and packets are lost, or come twice, the second time late. */
export function weather(hosts: TwoHosts, { waitMs, lost, doubled }: Step<unknown>): void {
  let count = 0;
  const late: Transit[] = [];
  hosts.wait(waitMs, (transit) => {
    const bit = 1 << (count++ & 15);
    if ((doubled & bit) !== 0) late.push(transit);
    return (lost & bit) === 0;
  });
  for (const transit of late) hosts.deliver(transit);
}

/** One pair of SAs with its policy and SPI, and no more. */
export function assertOnePair(host: TestHost): void {
  assert.deepEqual([host.inbound.size, host.outbound.size, host.policies.size], [1, 1, 1], host.name);
  assert.deepEqual([...host.spis], [...host.inbound.keys()]);
}
