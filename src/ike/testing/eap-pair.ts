// A client with a password and a gateway with a certificate: moon is carol's, sun is the gateway.
import assert from 'node:assert/strict';
import { packetCipher, privateKeyFromPkcs8 } from '#crypto';
import { decodeIkeMessage, type Payload } from '#wire';
import type { ConnectionConfiguration, Credentials, Identity, SharedSecret } from '../configuration.ts';
import { MessageSealer, openMessage } from '../protection/sealed-message.ts';
import { authority, sunCertificate, sunKey } from './certificates.ts';
import { connection, fqdn, text } from './connections.ts';
import { type Datagram, Pair } from './pair.ts';

export const carol: Identity = fqdn('carol');
export const dave: Identity = fqdn('dave');

export function passwordOf(user: Identity, password: string): SharedSecret {
  return { owners: [{ kind: 'exact', identity: user }], secret: text(password) };
}

export function clientConnection(change: Partial<ConnectionConfiguration> = {}): ConnectionConfiguration {
  const base = connection('moon');
  return {
    ...base,
    local: { method: 'eap', eapIdentity: carol, certificates: [] },
    remote: { ...base.remote, method: 'pubkey' },
    ...change,
  };
}

export function gatewayConnection(change: Partial<ConnectionConfiguration> = {}): ConnectionConfiguration {
  const base = connection('sun');
  return {
    ...base,
    local: { ...base.local, method: 'pubkey', certificates: [sunCertificate] },
    remote: { ...base.remote, method: 'eap', identity: { kind: 'any' }, eapIdentity: { kind: 'any' } },
    ...change,
  };
}

export function clientCredentials(password = 'tulips'): Credentials {
  return {
    sharedSecrets: [],
    eapSecrets: [passwordOf(carol, password)],
    privateKeys: [],
    certificates: [],
    authorities: [authority],
    revocationLists: [],
  };
}

export function gatewayCredentials(change: Partial<Credentials> = {}): Credentials {
  return {
    sharedSecrets: [],
    eapSecrets: [passwordOf(dave, 'roses'), passwordOf(carol, 'tulips')],
    privateKeys: [privateKeyFromPkcs8(sunKey)],
    certificates: [sunCertificate],
    authorities: [],
    revocationLists: [],
    ...change,
  };
}

export function eapPair({
  client = {},
  gateway = {},
  password = 'tulips',
}: {
  readonly client?: Partial<ConnectionConfiguration>;
  readonly gateway?: Partial<ConnectionConfiguration>;
  readonly password?: string;
} = {}): Pair {
  return new Pair({
    moon: { connections: [clientConnection(client)], credentials: clientCredentials(password) },
    sun: { connections: [gatewayConnection(gateway)], credentials: gatewayCredentials() },
  });
}

/** A gateway that has the keys of IKE_SA_INIT and says what it likes: sun's keys in the hands of a test. */
export interface GatewayInsider {
  readonly pair: Pair;
  /** The client's next request, which the wire gives up. */
  request(): { readonly exchangeType: number; readonly payloads: readonly Payload[] };
  /** Answers the last one. */
  answer(payloads: readonly Payload[]): void;
  /** Says something else to the real gateway in place of the last request. */
  say(payloads: readonly Payload[]): void;
  /** Lets the real gateway answer the last request, and keeps its answer. */
  realAnswer(): readonly Payload[];
}

export function gatewayInsider(pair: Pair = eapPair()): GatewayInsider {
  pair.moon.initiate(pair.sun.endpoint, { keyLog: true });
  pair.deliver(pair.sun);
  pair.deliver(pair.moon);
  const keys = pair.moon.keyLog.find((entry) => entry.kind === 'ike');
  assert.ok(keys);
  const cipher = (key: Uint8Array): ReturnType<typeof packetCipher> =>
    packetCipher({ encryption: { ...keys.suite.encr, key } });
  const sealer = new MessageSealer(cipher(keys.skEr), pair.sun.randomness, 1_000_000n);
  const toGateway = new MessageSealer(cipher(keys.skEi), pair.moon.randomness, 2_000_000n);
  const [fromClient, fromGateway] = [cipher(keys.skEi), cipher(keys.skEr)];
  let last: Datagram | undefined;
  const opened = (octets: Uint8Array, opener: ReturnType<typeof packetCipher>): readonly Payload[] => {
    const opening = openMessage(decodeIkeMessage(octets), opener);
    assert.equal(opening.kind, 'opened');
    return opening.payloads;
  };
  return {
    pair,
    request() {
      last = pair.take(pair.sun);
      const { exchangeType } = decodeIkeMessage(last.octets).header;
      return { exchangeType, payloads: opened(last.octets, fromClient) };
    },
    answer(payloads) {
      assert.ok(last);
      const { header } = decodeIkeMessage(last.octets);
      const octets = sealer.seal({ ...header, initiator: false, response: true }, payloads);
      pair.deliver(pair.moon, {
        to: pair.moon,
        source: last.destination,
        destination: last.source,
        octets,
      });
    },
    say(payloads) {
      assert.ok(last);
      const { header } = decodeIkeMessage(last.octets);
      pair.deliver(pair.sun, { ...last, octets: toGateway.seal(header, payloads) });
    },
    realAnswer() {
      assert.ok(last);
      pair.deliver(pair.sun, last);
      return opened(pair.take(pair.moon).octets, fromGateway);
    },
  };
}

export function begun(pair: Pair): Pair {
  pair.moon.initiate(pair.sun.endpoint);
  pair.settle();
  return pair;
}

/** Why an IKE SA came to nothing, at either end. */
export function reasons({ moon, sun }: Pair): readonly string[] {
  return [moon, sun].map((host) => host.eventsOf('ike-failed')[0]?.failure.detail ?? '');
}

export function refusedAtBothEnds(pair: Pair): void {
  assert.equal(pair.moon.sa.phase, 'ended');
  assert.equal(pair.sun.sa.phase, 'ended');
  assert.equal(pair.moon.installed.size + pair.sun.installed.size, 0);
  assert.equal(pair.moon.reservedSpis.size + pair.sun.reservedSpis.size, 0);
}
