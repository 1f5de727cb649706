// Whether this machine can play the scenarios at all.
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';

const programs = [
  'ip',
  'setpriv',
  'charon-systemd',
  'swanctl',
  'pki',
  'tcpdump',
  'tshark',
  'ping',
  'socat',
  'nft',
  'sysctl',
];

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

/** Why the scenarios cannot be played here, or undefined if they can. */
export function missingRequirement(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces and TUN devices need root';
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
  } catch {
    return '/dev/net/tun cannot be opened';
  }
  return undefined;
}
