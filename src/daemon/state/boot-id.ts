// Which boot of the machine this is.
import { readFileSync } from 'node:fs';

/** @throws a system error where the kernel does not tell */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
