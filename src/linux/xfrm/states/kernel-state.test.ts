// SAs as the kernel wants them: every algorithm, windows, limits, flags and ports.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, Encr, Integ, type SaParameters, type Spi } from '#sa';
import { decodeXfrmMessage, encodeXfrmMessage, XfrmStateFlag, xfrmUnlimited } from '#wire';
import { isSameState, kernelState, movedState } from './kernel-state.ts';

const sa = (change: Partial<SaParameters> = {}): SaParameters => ({
  direction: 'inbound',
  protocol: 'esp',
  spi: 0xc0000001 as Spi,
  mode: 'tunnel',
  local: address('10.99.1.1'),
  remote: address('10.99.2.1'),
  encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(7) },
  esn: false,
  replayWindow: 32,
  selectors: { local: [], remote: [] },
  lifetimes: {},
  childId: 1,
  generation: 0,
  copyDscp: 'out',
  copyDf: true,
  ...change,
});
const made = (change: Partial<SaParameters> = {}) => kernelState(sa(change), 5, 9)!;

test('every algorithm of IKEv2 that ESP and AH know here has a name', () => {
  const combined = [
    ...[Encr.AES_CCM_8, Encr.AES_CCM_12, Encr.AES_CCM_16, Encr.AES_GCM_8, Encr.AES_GCM_12, Encr.AES_GCM_16],
    ...[Encr.NULL_AUTH_AES_GMAC, Encr.CHACHA20_POLY1305],
  ].map((id) => made({ encryption: { id, keyLengthBits: 128, key: new Uint8Array(20) } }).attributes.aead);
  assert.deepEqual(
    combined.map((one) => [one?.name, one?.icvLengthBits]),
    [
      ...[64, 96, 128].map((bits) => ['rfc4309(ccm(aes))', bits]),
      ...[64, 96, 128].map((bits) => ['rfc4106(gcm(aes))', bits]),
      ['rfc4543(gcm(aes))', 128],
      ['rfc7539esp(chacha20,poly1305)', 128],
    ],
  );
  for (const [id, name] of [
    [Encr.AES_CBC, 'cbc(aes)'],
    [Encr.AES_CTR, 'rfc3686(ctr(aes))'],
    [Encr.NULL, 'ecb(cipher_null)'],
    [Encr['3DES'], 'cbc(des3_ede)'],
  ] as const) {
    const { attributes } = made({
      encryption: { id, keyLengthBits: 128, key: new Uint8Array(16) },
      integrity: { id: Integ.HMAC_SHA2_256_128, key: new Uint8Array(32) },
    });
    assert.equal(attributes.encryption?.name, name);
    assert.equal(attributes.authenticationTruncated?.icvLengthBits, 128);
  }
  const unknown = sa({ encryption: { id: 4000, keyLengthBits: 0, key: new Uint8Array(16) } });
  assert.equal(kernelState(unknown, 5, 9), undefined);
});

test('the ends and ports of an SA are those of its packets, not ours', () => {
  const encapsulation = { localPort: 4500, remotePort: 40_000 };
  const inbound = made({ encapsulation });
  assert.deepEqual(inbound.state.source, Uint8Array.of(10, 99, 2, 1));
  assert.deepEqual(inbound.state.destination, Uint8Array.of(10, 99, 1, 1));
  assert.equal(inbound.attributes.encapsulation?.sourcePort, 40_000);
  const outbound = made({ direction: 'outbound', encapsulation });
  assert.deepEqual(outbound.state.source, Uint8Array.of(10, 99, 1, 1));
  assert.equal(outbound.attributes.encapsulation?.sourcePort, 4500);
});

test('windows of up to 32 packets are a field, larger ones and ESN an attribute', () => {
  assert.equal(made().state.replayWindow, 32);
  assert.equal(made().attributes.replayEsn, undefined);
  const wide = made({ replayWindow: 64 });
  assert.equal(wide.state.replayWindow, 0);
  assert.deepEqual(
    [wide.attributes.replayEsn?.replayWindow, wide.attributes.replayEsn?.bitmap.length],
    [64, 2],
  );
  const esn = made({ esn: true });
  assert.equal(esn.state.flags & XfrmStateFlag.ESN, XfrmStateFlag.ESN);
  assert.equal(esn.attributes.replayEsn?.replayWindow, 32);
  // The kernel refuses long numbers without a window, also for SAs that only send.
  assert.equal(
    made({ esn: true, direction: 'outbound', replayWindow: 0 }).attributes.replayEsn?.replayWindow,
    1,
  );
});

test('without ESN an outbound SA is replaced, and then ends, before its numbers do (RFC 4303 3.3.3)', () => {
  const { limits } = made({ direction: 'outbound' }).state;
  assert.equal(limits.hardPackets, 0xffff_ffffn);
  assert.ok(limits.softPackets < limits.hardPackets);
  assert.equal(made({ direction: 'outbound', esn: true }).state.limits.hardPackets, xfrmUnlimited);
  assert.equal(made().state.limits.hardPackets, xfrmUnlimited);
  const own = made({ lifetimes: { softPackets: 10, hardPackets: 20, softBytes: 1, hardTimeMs: 1500 } });
  const { softPackets, hardPackets, softBytes, hardBytes, hardAddSeconds } = own.state.limits;
  assert.deepEqual([softPackets, hardPackets, softBytes, hardBytes], [10n, 20n, 1n, xfrmUnlimited]);
  assert.equal(hardAddSeconds, 2n);
});

test('DSCP, DF and padding', () => {
  const out = (change: Partial<SaParameters>) => made({ direction: 'outbound', ...change });
  assert.equal(out({ copyDscp: 'out' }).attributes.extraFlags, undefined);
  assert.equal(out({ copyDscp: 'no' }).attributes.extraFlags, 1);
  assert.equal(made({ copyDscp: 'in' }).state.flags & XfrmStateFlag.DECAP_DSCP, XfrmStateFlag.DECAP_DSCP);
  assert.equal(made({ copyDscp: 'out' }).state.flags & XfrmStateFlag.DECAP_DSCP, 0);
  assert.equal(out({ copyDf: false }).state.flags & XfrmStateFlag.NOPMTUDISC, XfrmStateFlag.NOPMTUDISC);
  assert.equal(out({ tfcPadding: 'mtu' }).attributes.tfcPadding, 0xffff_ffff);
  assert.equal(out({ tfcPadding: 100 }).attributes.tfcPadding, 100);
  assert.equal(made({ tfcPadding: 100 }).attributes.tfcPadding, undefined);
});

test('what the kernel may be asked for can be written', () => {
  for (const change of [{}, { esn: true }, { mode: 'transport' as const }, { replayWindow: 4096 }]) {
    const { state, attributes } = made(change);
    const message = { kind: 'new-sa' as const, state, attributes };
    assert.deepEqual(decodeXfrmMessage(encodeXfrmMessage(message)), message);
  }
});

test('an SA goes on only as the very same one', () => {
  const same = made();
  assert.equal(isSameState(same, made({ lifetimes: { softBytes: 5 }, childId: 8 })), true);
  for (const change of [
    { encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20).fill(8) } },
    { remote: address('10.99.2.2') },
    { esn: true },
    { mode: 'transport' as const },
    { encapsulation: { localPort: 4500, remotePort: 4500 } },
  ])
    assert.equal(isSameState(same, made(change)), false, JSON.stringify(change));
});

test('an SA that moves takes its keys and numbers along', () => {
  const before = made({ esn: true });
  const replayEsn = { ...before.attributes.replayEsn!, outboundSequence: 1000, sequence: 77 };
  const last = { state: before.state, attributes: { ...before.attributes, replayEsn } };
  const local = { address: address('10.99.1.9'), port: 4500 };
  const remote = { address: address('10.99.2.9'), port: 1024 };
  const moved = movedState(last, 'inbound', local, remote, true);
  assert.deepEqual(moved.state.source, Uint8Array.of(10, 99, 2, 9));
  assert.deepEqual(moved.attributes.replayEsn, replayEsn);
  assert.deepEqual(moved.attributes.aead, before.attributes.aead);
  assert.equal(moved.attributes.encapsulation?.sourcePort, 1024);
  assert.equal(movedState(last, 'inbound', local, remote, false).attributes.encapsulation, undefined);
  // Its limits go on counting.
  const used = { bytes: 9n, packets: 3n, addedAtSeconds: 1n, usedAtSeconds: 2n };
  const worn = { ...last, state: { ...last.state, used } };
  assert.deepEqual(movedState(worn, 'inbound', local, remote, false).attributes.used, used);
});
