// A machine made of words: files by path, a folder by the files in it. What is not named is not there.
import type { FileFacts, Machine, Seen } from '../machine.ts';

export interface FakeFile {
  readonly text?: string;
  /** Instead of a text: the code of the error that reading gives. */
  readonly code?: string;
  readonly link?: string;
  readonly facts?: Partial<FileFacts>;
}

export interface FakeMachine {
  readonly uid?: number;
  readonly nodeVersion?: string;
  readonly processors?: number;
  readonly now?: string;
  readonly files?: Readonly<Record<string, string | FakeFile>>;
  readonly programs?: Readonly<Record<string, string>>;
}

/** As /proc/self/status has it, with every capability. */
export const privileged = 'CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n';

/** What a healthy gateway shows. */
export const healthy: Readonly<Record<string, string | FakeFile>> = {
  '/proc/self/status': privileged,
  '/dev/net/tun': { facts: { kind: 'device', mode: 0o666 } },
  '/proc/misc': '200 tun\n',
  '/proc/net/xfrm_stat': 'XfrmInError 0\n',
  '/sys/module/esp4/refcnt': '0\n',
  '/proc/net/udp': 'sl local_address\n',
  '/proc/net/udp6': 'sl local_address\n',
  '/proc/net/if_inet6': '20010db8000000000000000000000001 02 40 00 80 eth0\n',
  '/proc/sys/kernel/random/entropy_avail': '256\n',
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/sys/net/ipv6/conf/all/forwarding': '1\n',
  '/proc/sys/net/ipv4/conf/all/rp_filter': '0\n',
  '/proc/sys/net/ipv4/conf/eth0/rp_filter': '2\n',
  '/var/lib/wayward/records': { facts: { mode: 0o600 } },
  '/run/systemd/timesync/synchronized': '',
};

export function fakeMachine(given: FakeMachine = {}): Machine {
  const files = given.files ?? healthy;
  const file = (path: string): FakeFile | undefined => {
    const found = files[path];
    return typeof found === 'string' ? { text: found } : found;
  };
  const inside = (path: string): string[] => {
    const names = Object.keys(files).flatMap((one) => {
      const [name] = one.startsWith(`${path}/`) ? one.slice(path.length + 1).split('/') : [];
      return name === undefined ? [] : [name];
    });
    return [...new Set(names)].sort();
  };
  const read = <T>(path: string, value: (found: FakeFile) => T | undefined): Seen<T> => {
    const found = file(path);
    if (found?.code !== undefined) return { code: found.code };
    const is = found === undefined ? undefined : value(found);
    return is === undefined ? { code: 'ENOENT' } : { value: is };
  };
  return {
    uid: given.uid ?? 0,
    nodeVersion: given.nodeVersion ?? '20.19.0',
    openSslVersion: '3.0.15',
    processors: given.processors ?? 2,
    nowMs: () => Date.parse(given.now ?? '2026-06-01T12:00:00Z'),
    text: (path) => read(path, ({ text }) => text),
    link: (path) => read(path, ({ link }) => link),
    names: (path) => {
      const code = file(path)?.code;
      if (code !== undefined) return { code };
      const names = inside(path);
      return names.length === 0 ? { code: 'ENOENT' } : { value: names };
    },
    facts: (path) => {
      const found = file(path);
      if (found?.code !== undefined) return { code: found.code };
      const isFolder = inside(path).length > 0;
      if (found === undefined && !isFolder) return { code: 'ENOENT' };
      const sizeBytes = found?.text?.length ?? 0;
      return {
        value: {
          kind: isFolder ? 'folder' : 'file',
          mode: isFolder ? 0o700 : 0o600,
          uid: 0,
          sizeBytes,
          ...found?.facts,
        },
      };
    },
    hasProgram: (name) => name === 'ip' || name in (given.programs ?? {}),
    output: (program) => {
      const text = given.programs?.[program];
      return text === undefined ? { code: 'EPERM' } : { value: text };
    },
  };
}
