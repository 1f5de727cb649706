// What a test with a guest leaves behind when it fails: there is no second look at a guest that is gone.
import { runProgram } from '../harness/processes.ts';
import type { GuestNetwork } from './guest-network.ts';
import type { GuestWayward } from './guest-peers.ts';

const lastLines = (text: string, count: number): string => text.split('\n').slice(-count).join('\n');

/** Prints the end of the daemon's log, and what the guest's kernel has and counts, if the test before has failed. */
export async function showEvidence(
  context: { readonly name: string; readonly error?: unknown },
  network: GuestNetwork,
  wayward: GuestWayward,
): Promise<void> {
  if (context.error == null) return;
  const inGuest = ['ip -s xfrm state', 'ip xfrm policy', 'cat /proc/net/xfrm_stat', 'cat /proc/uptime'];
  const asked = [
    ['the end of the log', wayward.log().then((log) => lastLines(log, 60))],
    ...inGuest.map((line) => [line, network.guest.run(line)] as const),
    ['outside: conntrack', runProgram(['cat', '/proc/net/nf_conntrack'], { namespace: network.namespace })],
    ['outside: nft', runProgram(['nft', 'list', 'ruleset'], { namespace: network.namespace })],
  ] as const;
  console.error(`evidence of what failed: ${context.name}`);
  for (const [what, answer] of asked)
    console.error(`--- ${what}\n${await answer.catch((error: Error) => error.message)}`);
}
