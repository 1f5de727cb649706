// Who we are and what we may do.
import { type Check, check, unseen } from './check.ts';
import type { Machine } from './machine.ts';

/** What the daemon needs, by the bits of capabilities(7). */
const needed = [
  { name: 'CAP_NET_ADMIN', bit: 12 },
  { name: 'CAP_NET_RAW', bit: 13 },
  { name: 'CAP_NET_BIND_SERVICE', bit: 10 },
] as const;

function missing(status: string, field: 'CapEff' | 'CapBnd'): string[] {
  const digits = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
  const held = BigInt(`0x${digits}`);
  return needed.filter(({ bit }) => ((held >> BigInt(bit)) & 1n) === 0n).map(({ name }) => name);
}

export function checkPrivileges(machine: Machine): Check {
  const status = machine.text('/proc/self/status');
  if ('code' in status) return unseen('privileges', '/proc/self/status', status.code);
  const forNobody = missing(status.value, 'CapBnd');
  if (forNobody.length > 0) {
    const names = forNobody.map((name) => name.replace('CAP_', '')).join(',');
    return check(
      'privileges',
      'problem',
      `nobody here can have ${forNobody.join(', ')}`,
      `this looks like a container: start it with --cap-add=${names}`,
    );
  }
  const lacking = missing(status.value, 'CapEff');
  if (lacking.length === 0) return check('privileges', 'ok', 'all that the daemon needs');
  return check(
    'privileges',
    machine.uid === 0 ? 'problem' : 'note',
    `user ${machine.uid} lacks ${lacking.join(', ')}`,
    'start the daemon as root, or by packaging/systemd/wayward.service, which gives it these three alone',
  );
}
