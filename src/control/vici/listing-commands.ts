// Commands that show: version, statistics, SAs, connections, policies, certificates, authorities, pools, counters.
import type { EngineStatus } from '#engine';
import { sameOctets, type ViciMessage, viciText } from '#wire';
import { supportedAlgorithms } from './algorithm-names.ts';
import type { ChildNumbers } from './child-numbers.ts';
import type { ConfigurationStore } from './configuration-store.ts';
import { connectionSection, policySection } from './connection-section.ts';
import type { Counters } from './counters.ts';
import { CommandRefused, success, type ViciCommand, type ViciCommandCall, type ViciHost } from './host.ts';
import { isYes, optionalNumber } from './request.ts';
import type { SaSections } from './sa-sections.ts';

export interface ListingCommandsInput {
  readonly host: ViciHost;
  readonly store: ConfigurationStore;
  readonly numbers: ChildNumbers;
  readonly sections: SaSections;
  readonly counters: Counters;
}

export function listingCommands(input: ListingCommandsInput): Readonly<Record<string, ViciCommand>> {
  const { host, store, counters } = input;
  return {
    version: () => ({ ...host.version }),
    stats: () => statistics(host),
    'reload-settings': async () => {
      const settings = host.reloadSettings();
      if (typeof settings === 'string') throw new CommandRefused(settings);
      await store.change(settings);
      return success;
    },
    'list-sas': (request, call) => listSas(input, request, call),
    'list-policies': (request, call) => listPolicies(input, request, call),
    'list-conns': async (request, call) => {
      const ike = viciText(request, 'ike');
      for (const connection of store.current.connections) {
        if (ike !== undefined && connection.name !== ike) continue;
        const section = connectionSection(connection, (der) => host.certificateSubject(der));
        await call.send('list-conn', { [connection.name]: section });
      }
      return {};
    },
    'list-certs': (request, call) => listCertificates(input, request, call),
    'list-authorities': async (request, call) => {
      const wanted = viciText(request, 'name');
      for (const { name, certificates } of store.authorities) {
        if (wanted !== undefined && name !== wanted) continue;
        const [first] = certificates;
        await call.send('list-authority', {
          [name]: {
            ...(first === undefined ? {} : { cacert: host.certificateSubject(first) }),
            crl_uris: [],
            ocsp_uris: [],
          },
        });
      }
      return {};
    },
    'get-pools': (request) => pools(host.status(), request),
    'get-algorithms': () => supportedAlgorithms(),
    'get-counters': (request) => {
      const name = viciText(request, 'name');
      if (isYes(request, 'all')) return { counters: counters.ofAll(), ...success };
      const found = name === undefined ? counters.total() : counters.ofConnection(name);
      if (found === undefined) throw new CommandRefused('no counters found for this connection');
      return { counters: found, ...success };
    },
    'reset-counters': (request) => {
      const name = viciText(request, 'name');
      if (isYes(request, 'all')) counters.reset();
      else if (name === undefined) counters.resetTotal();
      else counters.reset(name);
      return success;
    },
  };
}

const noJobs: ViciMessage = { critical: '0', high: '0', medium: '0', low: '0' };

/** There are no worker threads and job queues as charon has them: one thread does everything, and it is at it now. */
function statistics(host: ViciHost): ViciMessage {
  const { ikeSas, halfOpen } = host.status();
  const { total, used } = host.memoryBytes();
  return {
    uptime: {
      running: durationText(Date.now() - host.startedAtMs),
      since: dateText(new Date(host.startedAtMs)),
    },
    workers: { total: '1', idle: '0', active: { ...noJobs, medium: '1' } },
    queues: noJobs,
    scheduled: '0',
    ikesas: { total: String(ikeSas.length), 'half-open': String(halfOpen) },
    plugins: [],
    mallinfo: { sbrk: String(total), mmap: '0', used: String(used), free: String(Math.max(0, total - used)) },
  };
}

/** In the largest unit of which there are at least two. */
function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  for (const [unit, size] of [
    ['days', 86_400],
    ['hours', 3_600],
    ['minutes', 60],
  ] as const) {
    if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit}`;
  }
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Nov 25 17:14:58 2026`, local time. */
function dateText(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${months[date.getMonth()]} ${two(date.getDate())} ${time} ${date.getFullYear()}`;
}

async function listSas(
  { host, numbers, sections }: ListingCommandsInput,
  request: ViciMessage,
  call: ViciCommandCall,
): Promise<ViciMessage> {
  const ike = viciText(request, 'ike');
  const ikeId = optionalNumber(request, 'ike-id');
  const child = viciText(request, 'child');
  const childNumber = optionalNumber(request, 'child-id');
  for (const sa of host.status().ikeSas) {
    if (sa.phase === 'ended' || call.signal.aborted) continue;
    if ((ike !== undefined && sa.connection !== ike) || (ikeId !== undefined && sa.ikeId !== ikeId)) continue;
    // Whatever Child SAs are asked for, an IKE SA without one is shown, as charon does it.
    const children = sa.children.filter(
      (one) =>
        (child === undefined || one.name === child) &&
        (childNumber === undefined || numbers.of(one) === childNumber),
    );
    for (const part of sections.ikeWithChildren({ ...sa, children })) await call.send('list-sa', part);
  }
  return {};
}

/** There are trap policies only: those that drop or pass are not supported. */
async function listPolicies(
  { host, store }: ListingCommandsInput,
  request: ViciMessage,
  call: ViciCommandCall,
): Promise<ViciMessage> {
  if (!isYes(request, 'trap')) return {};
  const wanted = viciText(request, 'child');
  for (const { connection, child } of host.status().traps) {
    if (wanted !== undefined && child !== wanted) continue;
    const configuration = store.current.connections
      .find(({ name }) => name === connection)
      ?.children.find(({ name }) => name === child);
    if (configuration === undefined) continue;
    await call.send('list-policy', { [`${connection}/${child}`]: policySection(connection, configuration) });
  }
  return {};
}

async function listCertificates(
  { host, store }: ListingCommandsInput,
  request: ViciMessage,
  call: ViciCommandCall,
): Promise<ViciMessage> {
  const type = (viciText(request, 'type') ?? 'ANY').toUpperCase();
  const flag = (viciText(request, 'flag') ?? 'ANY').toUpperCase();
  const subject = viciText(request, 'subject');
  const { certificates, authorities, revocationLists, privateKeys } = store.current.credentials;
  const wants = (one: string, asked: string): boolean => asked === 'ANY' || asked === one;
  const own = (der: Uint8Array): boolean =>
    host.configurationPorts
      .certificatesFromPem(der)
      .some(({ publicKey }) => privateKeys.some((key) => sameOctets(key.publicKey.spki, publicKey.spki)));
  for (const [ders, itsFlag] of [
    [authorities, 'CA'],
    [certificates, 'NONE'],
  ] as const) {
    if (!wants('X509', type) || !wants(itsFlag, flag)) continue;
    for (const der of ders) {
      if (subject !== undefined && host.certificateSubject(der) !== subject) continue;
      const privateKey: ViciMessage = own(der) ? { has_privkey: 'yes' } : {};
      await call.send('list-cert', { type: 'X509', flag: itsFlag, ...privateKey, data: der });
    }
  }
  if (!wants('X509_CRL', type) || subject !== undefined) return {};
  for (const data of revocationLists) await call.send('list-cert', { type: 'X509_CRL', data });
  return {};
}

function pools(status: EngineStatus, request: ViciMessage): ViciMessage {
  const wanted = viciText(request, 'name');
  const shown = status.pools.filter(({ name }) => wanted === undefined || name === wanted);
  return Object.fromEntries(
    shown.map(({ name, base, size, online, offline, leases }) => [
      name,
      {
        base,
        size: String(size),
        online: String(online),
        offline: String(offline),
        ...(isYes(request, 'leases')
          ? {
              leases: Object.fromEntries(
                leases.map((lease, index) => [
                  String(index),
                  {
                    address: lease.address,
                    identity: lease.owner.replace(/^(?:user )?\d+:/, ''),
                    status: lease.online ? 'online' : 'offline',
                  },
                ]),
              ),
            }
          : {}),
      },
    ]),
  );
}
