// A daemon for tests of the vici service: it holds one tunnel, remembers what it was asked, and reads certificates and keys
// that are readable words.
import { type ConfigurationPorts, loadConfiguration } from '#config';
import type {
  CommandResult,
  EngineCommand,
  EngineConfiguration,
  EngineEvent,
  EngineStatus,
  IkeSaStatus,
} from '#engine';
import { address, Encr, Ke, Prf, type Spi, selectorOfPrefix } from '#sa';
import { IdType, type IkeSpi, octetsOfViciItem, type ViciMessage } from '#wire';
import type { ViciCommandCall, ViciHost } from '../vici/host.ts';
import { ViciService } from '../vici/service.ts';

const readable = (octets: Uint8Array): string => String.fromCharCode(...octets);

class FormatError extends Error {
  readonly code = 'bad-format';
}

const ports: ConfigurationPorts = {
  readFiles: () => [],
  certificatesFromPem: (file) => {
    const name = /^(?:DER )?certificate (\w+)$/.exec(readable(file))?.[1];
    if (name === undefined) throw new FormatError('no certificate');
    const der = octetsOfViciItem(`DER certificate ${name}`);
    return [{ der, publicKey: { kind: 'ed25519', spki: octetsOfViciItem(name), bits: 256 } }];
  },
  revocationListsFromPem: (file) => [{ der: file }],
  privateKeyFromPem: (file) => {
    const name = /^key (\w+)$/.exec(readable(file))?.[1];
    if (name === undefined) throw new FormatError('no private key');
    return { publicKey: { kind: 'ed25519', spki: octetsOfViciItem(name), bits: 256 } };
  },
  hostIdentityOf: () => {
    throw new FormatError('no Host Identity');
  },
  identityFromText: (text) => ({ idType: IdType.FQDN, data: octetsOfViciItem(text) }),
  identityPatternFromText: (text) =>
    text === '%any'
      ? { kind: 'any' }
      : { kind: 'exact', identity: { idType: IdType.FQDN, data: octetsOfViciItem(text) } },
};

export const connectionMessage: ViciMessage = {
  version: '2',
  local_addrs: ['10.99.0.1'],
  remote_addrs: ['10.99.0.2'],
  proposals: ['aes128gcm16-prfsha256-x25519'],
  dpd_delay: '30s',
  unique: 'replace',
  local: { auth: 'psk', id: 'left.example' },
  remote: { auth: 'psk', id: 'right.example' },
  children: { net: { local_ts: ['10.1.0.0/24'], remote_ts: ['10.2.0.0/24'] } },
};

export class TestDaemon implements ViciHost {
  readonly version: ViciHost['version'] = {
    daemon: 'wayward',
    version: '0',
    sysname: 'x',
    release: 'y',
    machine: 'z',
  };
  readonly startedAtMs: number = Date.now();
  readonly configurationPorts: ConfigurationPorts = ports;
  readonly configurationFile = '/etc/swanctl/swanctl.conf';
  readonly connectionDefaults: ViciHost['connectionDefaults'];
  readonly asked: EngineCommand[] = [];
  readonly raised: [string, ViciMessage][] = [];
  readonly warnings: string[] = [];
  readonly service: ViciService;
  /** How commands end; without it they succeed with a count of 1. */
  answer: (command: EngineCommand) => CommandResult | Promise<CommandResult> = () => ({ ok: true, count: 1 });
  ikeSas: readonly IkeSaStatus[] = [];
  pools: EngineStatus['pools'] = [];
  traps: EngineStatus['traps'] = [];
  awaited: (event: string) => boolean = () => true;

  constructor() {
    const loaded = loadConfiguration({ text: '', file: this.configurationFile, ports });
    this.connectionDefaults = loaded.connectionDefaults;
    this.service = new ViciService(this, loaded.configuration);
    this.service.registered('ike-updown');
  }

  /** The response, and the events that came before it. */
  async run(
    name: string,
    request: ViciMessage = {},
  ): Promise<{ readonly response: ViciMessage; readonly events: readonly [string, ViciMessage][] }> {
    const events: [string, ViciMessage][] = [];
    const call: ViciCommandCall = {
      signal: new AbortController().signal,
      send: async (event, message) => {
        events.push([event, message]);
      },
    };
    const command = this.service.commands.get(name);
    if (command === undefined) throw new Error(`there is no command ${name}`);
    return { response: await command(request, call), events };
  }

  /** The configuration that the engine was told last. */
  get loaded(): EngineConfiguration {
    const load = this.asked.findLast((command) => command.kind === 'load');
    if (load === undefined) throw new Error('nothing was loaded');
    return load.configuration;
  }

  command(command: EngineCommand): Promise<CommandResult> {
    this.asked.push(command);
    return Promise.resolve(this.answer(command));
  }

  status(): EngineStatus {
    return {
      at: 60_000,
      bootEpoch: 1,
      budgets: [],
      replies: { receivedBytes: 0, sentBytes: 0, sentPackets: 0, refused: noRefusals, foldedSpis: 0 },
      policy: 'shy',
      ikeSas: this.ikeSas,
      halfOpen: 0,
      hip: [],
      pools: this.pools,
      connecting: [],
      counts: {},
      traps: this.traps,
      connections: [],
    };
  }

  ikeSaStatus(ikeId: number): IkeSaStatus | undefined {
    return this.ikeSas.find((sa) => sa.ikeId === ikeId);
  }

  counters(): undefined {
    return undefined;
  }

  monotonicMs(): number {
    return 60_000;
  }

  async delay(): Promise<void> {}

  memoryBytes(): { readonly total: number; readonly used: number } {
    return { total: 2, used: 1 };
  }

  keyIdentifier(spki: Uint8Array): Uint8Array {
    return spki;
  }

  certificateSubject(der: Uint8Array): string {
    return `CN=${readable(der).split(' ').at(-1)}`;
  }

  reloadSettings(): Partial<EngineConfiguration> | string {
    return {};
  }

  describe(event: EngineEvent): { readonly level: 'info'; readonly text: string } {
    return { level: 'info', text: event.kind === 'ike' ? event.event.kind : event.kind };
  }

  warn(text: string): void {
    this.warnings.push(text);
  }

  isAwaited(event: string): boolean {
    return this.awaited(event);
  }

  raise(event: string, message: ViciMessage): void {
    this.raised.push([event, message]);
  }
}

const noRefusals = { 'prefix-credit': 0, 'total-credit': 0, 'source-rate': 0, 'total-rate': 0 };

/** The tunnel that charon's recorded answers are about, as wayward knows it. */
export function tunnel(ikeId = 1): IkeSaStatus {
  return {
    ikeId,
    connection: 'net',
    phase: 'established',
    initiator: true,
    initiatorSpi: `20f5705c3d57b7c${ikeId}` as IkeSpi,
    responderSpi: '80844ece8e148116' as IkeSpi,
    local: { address: address('10.99.0.1'), port: 4500 },
    remote: { address: address('10.99.0.2'), port: 4500 },
    localIdentity: 'left.example',
    remoteIdentity: 'right.example',
    suite: { encr: { id: Encr.AES_GCM_16, keyLengthBits: 128 }, prf: Prf.HMAC_SHA2_256, ke: Ke.CURVE25519 },
    establishedMsAgo: 10_000,
    rekeyInMs: 14_343_000,
    nat: { supported: true, local: false, remote: true },
    behindNat: false,
    virtualAddresses: [],
    peerVirtualAddresses: [],
    activeExchangeTypes: [],
    queuedTasks: [],
    children: [tunnelChild(0x4737a1e7)],
    peer: {
      tokenHeld: true,
      tokenGiven: true,
      ticketHeld: true,
      ticketGiven: false,
      messageIdSync: false,
      fragmentation: true,
    },
  };
}

export function tunnelChild(inboundSpi: number, generation = 0): IkeSaStatus['children'][number] {
  return {
    childId: 1,
    generation,
    name: 'net',
    inboundSpi: inboundSpi as Spi,
    outboundSpi: 0xb2a6c950 as Spi,
    local: [selectorOfPrefix('10.1.0.0/24')!],
    remote: [selectorOfPrefix('10.2.0.0/24')!],
    mode: 'tunnel',
    suite: { protocol: 'esp', encr: { id: Encr.AES_GCM_16, keyLengthBits: 128 }, esn: false },
    phase: 'installed',
    outboundInUse: true,
    installedAt: 50_000,
    rekeyAt: 3_471_000,
    expiresAt: 3_960_000,
  };
}
