// The `wayward` section -> settings of the whole host.
import type { EngineConfiguration, RetransmitConfiguration, UnknownSpiConfiguration } from '#engine';
import type { Findings } from '../error.ts';
import { Settings } from '../options/check.ts';
import { waywardSchema } from '../options/wayward-options.ts';
import { buildCheckpoint, type CheckpointSettings } from './checkpoint.ts';
import type { HostDefaults } from './context.ts';
import { buildHttp, type HttpListen } from './http.ts';
import { buildTickets } from './resumption.ts';

/** What concerns the daemon around the engine. */
export interface HostSettings {
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug' | 'trace';
  readonly dataPlane: 'auto' | 'kernel' | 'userspace';
  /** The interface that the userspace data plane makes. */
  readonly tunName: string;
  readonly tunMtuBytes: number;
  /** Of the userspace data plane; the kernel's has no use for more than one. */
  readonly packetThreads: number;
  /** As written, perhaps relative to the configuration's folder. */
  readonly recordKeyPath?: string;
  readonly checkpoint: CheckpointSettings;
  readonly logFormat: 'text' | 'json';
  /** Absent: no page, API or metrics. */
  readonly http?: HttpListen;
}

export interface BuiltHost {
  readonly settings: HostSettings;
  readonly defaults: HostDefaults;
  readonly engine: Pick<
    EngineConfiguration,
    'ports' | 'halfOpen' | 'natKeepaliveMs' | 'tickets' | 'unknownSpi'
  >;
}

/** Of a section, or with its defaults alone. */
export function buildHost(given: Settings | undefined, findings: Findings): BuiltHost {
  const settings = given ?? new Settings(emptySection, waywardSchema);
  const ports = {
    ike: settings.required('port', 'count'),
    natTraversal: settings.required('port_nat_t', 'count'),
  };
  if (ports.ike === ports.natTraversal) {
    const written = settings.section.settings.has('port_nat_t') ? 'port_nat_t' : 'port';
    findings.error('conflict', settings.position(written), 'port and port_nat_t must differ');
  }
  const recordKeyPath = settings.value('record_key', 'text');
  const http = buildHttp(settings, findings);
  return {
    settings: {
      logLevel: settings.required('log_level', 'choice') as HostSettings['logLevel'],
      dataPlane: settings.required('data_plane', 'choice') as HostSettings['dataPlane'],
      tunName: settings.required('tun_name', 'interface-name'),
      tunMtuBytes: settings.required('tun_mtu', 'count'),
      packetThreads: settings.required('packet_threads', 'count'),
      ...(recordKeyPath === undefined ? {} : { recordKeyPath }),
      checkpoint: buildCheckpoint(settings, findings),
      logFormat: settings.required('log_format', 'choice') as HostSettings['logFormat'],
      ...(http === undefined ? {} : { http }),
    },
    defaults: {
      ikePort: ports.ike,
      fragmentSizeBytes: settings.required('fragment_size', 'count'),
      windowSize: settings.required('window_size', 'count'),
      retransmit: retransmit(settings),
      withoutKernel: settings.required('data_plane', 'choice') === 'userspace',
    },
    engine: {
      ports,
      halfOpen: {
        cookieThreshold: settings.required('cookie_threshold', 'count'),
        cookieThresholdPerSource: settings.required('cookie_threshold_ip', 'count'),
        halfOpenMax: settings.required('half_open_max', 'count'),
        halfOpenTimeoutMs: settings.required('half_open_timeout', 'duration'),
      },
      natKeepaliveMs: settings.required('keep_alive', 'duration'),
      tickets: buildTickets(settings, findings),
      unknownSpi: {
        policy: settings.required('unknown_spi', 'choice') as UnknownSpiConfiguration['policy'],
        quickCrashDetection: settings.required('quick_crash_detection', 'boolean'),
        historySize: settings.required('spi_history', 'count'),
        rebootWindowMs: settings.required('reboot_window', 'duration'),
        graceMs: settings.required('unknown_spi_grace', 'duration'),
        parallelAttempts: settings.required('parallel_attempts', 'boolean'),
      },
    },
  };
}

function retransmit(settings: Settings): RetransmitConfiguration {
  const limitMs = settings.required('retransmit_limit', 'duration');
  return {
    baseMs: settings.required('retransmit_timeout', 'duration'),
    factor: settings.required('retransmit_base', 'number'),
    tries: settings.required('retransmit_tries', 'count'),
    jitter: settings.required('retransmit_jitter', 'count') / 100,
    ...(limitMs === 0 ? {} : { limitMs }),
  };
}

const emptySection: Settings['section'] = {
  name: 'wayward',
  position: { file: '', line: 0, column: 0 },
  settings: new Map(),
  sections: new Map(),
};
