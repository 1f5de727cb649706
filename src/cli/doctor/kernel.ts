// What the kernel offers: TUN, ESP of its own, IPv6, and a program that scripts want.
import { type Check, check } from './check.ts';
import type { Machine } from './machine.ts';

type Presence = 'there' | 'on demand' | 'absent' | 'unknown';

function release(machine: Machine): string | undefined {
  const text = machine.text('/proc/sys/kernel/osrelease');
  return 'value' in text ? text.value.trim() : undefined;
}

/** Whether the running kernel has a driver, without making it load one. */
function driver(machine: Machine, module: string, option: string): Presence {
  if ('value' in machine.facts(`/sys/module/${module}`)) return 'there';
  const kernel = release(machine);
  if (kernel === undefined) return 'unknown';
  const file = new RegExp(`/${module}\\.ko`, 'm');
  const builtin = machine.text(`/lib/modules/${kernel}/modules.builtin`);
  if ('value' in builtin && file.test(builtin.value)) return 'there';
  const loadable = machine.text(`/lib/modules/${kernel}/modules.dep`);
  if ('value' in loadable) return file.test(loadable.value) ? 'on demand' : 'absent';
  for (const path of ['/proc/config.gz', `/boot/config-${kernel}`]) {
    const configuration = machine.text(path);
    if (!('value' in configuration)) continue;
    return new RegExp(`^${option}=y$`, 'm').test(configuration.value) ? 'there' : 'absent';
  }
  return 'unknown';
}

export function checkTun(machine: Machine): Check {
  const device = machine.facts('/dev/net/tun');
  if ('code' in device) {
    return check(
      'tun',
      'problem',
      `there is no /dev/net/tun (${device.code})`,
      'modprobe tun; in a container --device=/dev/net/tun',
    );
  }
  const registered = machine.text('/proc/misc');
  if ('value' in registered && /^\s*200 tun$/m.test(registered.value)) {
    return check('tun', 'ok', '/dev/net/tun and its driver');
  }
  const presence = driver(machine, 'tun', 'CONFIG_TUN');
  if (presence === 'absent') {
    return check('tun', 'problem', 'this kernel has no tun driver', 'use a kernel with CONFIG_TUN');
  }
  const found = presence === 'unknown' ? 'no word of its driver' : 'its driver loads on demand';
  return check('tun', presence === 'unknown' ? 'note' : 'ok', `/dev/net/tun; ${found}`);
}

/** No problem either way: by default ESP is done in our process. */
export function checkKernelEsp(machine: Machine): Check {
  if (!('value' in machine.facts('/proc/net/xfrm_stat'))) {
    return check('kernel-esp', 'note', 'this kernel has no XFRM, or hides it; ESP runs in user space');
  }
  const presence = driver(machine, 'esp4', 'CONFIG_INET_ESP');
  switch (presence) {
    case 'there':
      return check('kernel-esp', 'ok', 'this kernel has XFRM and ESP');
    case 'on demand':
      return check('kernel-esp', 'ok', 'this kernel has XFRM; ESP loads on demand');
    case 'absent':
      return check('kernel-esp', 'note', 'this kernel has XFRM without ESP; ESP runs in user space');
    case 'unknown':
      return check(
        'kernel-esp',
        'note',
        'this kernel has XFRM; whether it has ESP cannot be seen without trying',
      );
  }
}

export function checkIpv6(machine: Machine): Check {
  const addresses = machine.text('/proc/net/if_inet6');
  if ('code' in addresses) {
    return check('ipv6', 'note', 'this machine has no IPv6: tunnels over and for IPv4 only');
  }
  const global = addresses.value.split('\n').filter((line) => /^[23]/.test(line)).length;
  return check('ipv6', 'ok', global > 0 ? `${global} global addresses` : 'there, without a global address');
}

export function checkIproute(machine: Machine): Check {
  return machine.hasProgram('ip')
    ? check('iproute2', 'ok', 'there is an ip program')
    : check('iproute2', 'note', 'there is no ip program, which updown scripts may want', 'install iproute2');
}
