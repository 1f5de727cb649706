// Sysctls that decide whether packets pass.
import { type Check, check, unseen } from './check.ts';
import type { Machine } from './machine.ts';

function number(machine: Machine, path: string): number | undefined {
  const text = machine.text(path);
  return 'value' in text ? Number(text.value.trim()) : undefined;
}

export function checkForwarding(machine: Machine): readonly Check[] {
  const rows = [
    ['forwarding-ipv4', 'net.ipv4.ip_forward', '/proc/sys/net/ipv4/ip_forward'],
    ['forwarding-ipv6', 'net.ipv6.conf.all.forwarding', '/proc/sys/net/ipv6/conf/all/forwarding'],
  ] as const;
  return rows.flatMap(([name, sysctl, path]) => {
    const value = number(machine, path);
    if (value === undefined) return name === 'forwarding-ipv6' ? [] : [unseen(name, path, 'ENOENT')];
    if (value !== 0) return [check(name, 'ok', `${sysctl} = ${value}`)];
    return [
      check(
        name,
        'note',
        `${sysctl} = 0: only this host itself uses its tunnels`,
        `a gateway for others needs sysctl -w ${sysctl}=1`,
      ),
    ];
  });
}

const strict = 1;

/** Of all and of one interface, the larger value holds (Linux, ip-sysctl). */
export function checkReversePath(machine: Machine): Check {
  const folder = '/proc/sys/net/ipv4/conf';
  const interfaces = machine.names(folder);
  if ('code' in interfaces) return unseen('rp-filter', folder, interfaces.code);
  const all = number(machine, `${folder}/all/rp_filter`) ?? 0;
  const concerned = interfaces.value.filter((name) => {
    if (name === 'all' || name === 'lo' || name === 'default') return false;
    return Math.max(all, number(machine, `${folder}/${name}/rp_filter`) ?? 0) === strict;
  });
  if (concerned.length === 0)
    return check('rp-filter', 'ok', 'no interface demands that replies go where packets came from');
  return check(
    'rp-filter',
    'note',
    `strict on ${concerned.join(', ')}: drops what a peer sends from within its own remote_ts, as in a tunnel for everything`,
    'sysctl -w net.ipv4.conf.all.rp_filter=2',
  );
}
