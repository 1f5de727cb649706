// RFC 4301 4.4.1: the SPD decides about every packet. Under random policies, SAs and traffic nothing crosses the
// boundary that a policy, searched by hand, does not allow at that moment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packetCipher } from '#crypto';
import type { SaParameters, SaSelectors, Spi } from '#sa';
import { readU32, writeU32 } from '#wire';
import { flow, testRandomness, testSuites, toHex } from '../testing/fixtures.ts';
import {
  type Flow,
  flows,
  type ModelPolicy,
  modelDecision,
  packetOf,
  parametersOf,
  type Side,
  selectorOf,
  sides,
} from '../testing/naive-policies.ts';
import { MemoryDataPlane } from './memory-data-plane.ts';

/** Octets stay readable, so that the test sees what was protected. */
const readable = testSuites.find((suite) => suite.name.startsWith('NULL-'))!;
const integrityBytes = 16;
const pairs = 6;

interface Scope {
  readonly local: readonly Side[];
  readonly remote: readonly Side[];
}

type Step =
  | { readonly kind: 'outbound'; readonly flow: Flow }
  | { readonly kind: 'unprotected'; readonly flow: Flow }
  | { readonly kind: 'inbound'; readonly flow: Flow; readonly childId: number }
  | { readonly kind: 'policy'; readonly policyId: number; readonly policy: ModelPolicy }
  | { readonly kind: 'remove-policy'; readonly policyId: number }
  | { readonly kind: 'install'; readonly childId: number; readonly scope: Scope }
  | { readonly kind: 'remove'; readonly childId: number };

const everything: readonly Side[] = [false, true].map((v6) => ({
  v6,
  first: 1,
  last: 6,
  protocol: 0,
  startPort: 0,
  endPort: 65535,
}));
// Mostly wide, or hardly any packet would meet a policy and an SA.
const scopeSides: fc.Arbitrary<readonly Side[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(everything) },
  { weight: 1, arbitrary: fc.array(sides, { minLength: 1, maxLength: 2 }) },
);
const scopes: fc.Arbitrary<Scope> = fc.record({ local: scopeSides, remote: scopeSides });
const childIds = fc.integer({ min: 0, max: pairs - 1 });
const onePolicy: fc.Arbitrary<ModelPolicy> = fc.record({
  action: fc.constantFrom('protect', 'protect', 'protect', 'bypass', 'discard', 'trap', 'trap'),
  priority: fc.integer({ min: 0, max: 2 }),
  local: scopeSides,
  remote: scopeSides,
});

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('outbound' as const), flow: flows }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unprotected' as const), flow: flows }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('inbound' as const), flow: flows, childId: childIds }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('policy' as const), policyId: childIds, policy: onePolicy }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove-policy' as const), policyId: childIds }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('install' as const), childId: childIds, scope: scopes }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), childId: childIds }) },
);

type FromPeer = Pick<Extract<Step, { kind: 'inbound' }>, 'flow' | 'childId'>;

function scopeMatches(scope: Scope, one: Flow, crossing: 'outbound' | 'inbound'): boolean {
  return modelDecision([{ ...scope, action: 'protect', priority: 0 }], one, crossing) === 0;
}

function spiOf(childId: number): Spi {
  return (0x1000 + childId) as Spi;
}

function parametersFor(
  childId: number,
  scope: Scope,
): { readonly out: SaParameters; readonly into: SaParameters } {
  const selectors: SaSelectors = { local: scope.local.map(selectorOf), remote: scope.remote.map(selectorOf) };
  const options = { suite: readable, spi: spiOf(childId), childId };
  return { out: { ...flow(options).sender, selectors }, into: { ...flow(options).receiver, selectors } };
}

/** An authentic packet that the peer of a pair might send, whatever the selectors. */
function fromPeer(childId: number, sequence: number, inner: Uint8Array): Uint8Array {
  const { integrity, encryption } = flow({ suite: readable }).receiver;
  const cipher = packetCipher({ encryption: encryption!, integrity: integrity! });
  const padLength = (4 - ((inner.length + 2) % 4)) % 4;
  const octets = new Uint8Array(8 + inner.length + padLength + 2 + integrityBytes);
  writeU32(octets, 0, spiOf(childId));
  writeU32(octets, 4, sequence);
  octets.set(inner, 8);
  for (let i = 0; i < padLength; i++) octets[8 + inner.length + i] = i + 1;
  const textEnd = octets.length - integrityBytes;
  octets[textEnd - 2] = padLength;
  octets[textEnd - 1] = inner[0]! >>> 4 === 4 ? 4 : 41;
  cipher.seal({
    aad: octets.subarray(0, 8),
    iv: new Uint8Array(0),
    text: octets.subarray(8, textEnd),
    icv: octets.subarray(textEnd),
  });
  return octets;
}

/** Runs random scripts and counts what crossed the boundary in them. */
function explore(parameters: fc.Parameters<[Step[]]>): Readonly<Record<string, number>> {
  let sent = 0;
  let released = 0;
  let bypassed = 0;
  let deliveredFromPeer = 0;
  let deliveredLate = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.array(steps, { minLength: 10, maxLength: 60 }), (script) => {
      const plane = new MemoryDataPlane({ randomness: testRandomness });
      const rules = new Map<number, ModelPolicy>();
      const installed = new Map<number, Scope>();
      const flowsSeen = new Map<string, Flow>();
      /** What came from a peer when it had no SA. */
      const early: FromPeer[] = [];
      let sequence = 0;

      /** Policies in the order in which they decide; replaced ones kept their place. */
      const decide = (
        one: Flow,
        crossing: 'outbound' | 'inbound',
        only?: (policy: ModelPolicy, id: number) => boolean,
      ) => {
        const ids = [...rules.keys()];
        const all = ids.map((id) => {
          const policy = rules.get(id)!;
          return only === undefined || only(policy, id) ? policy : { ...policy, local: [] };
        });
        const index = modelDecision(all, one, crossing);
        return index === undefined ? undefined : { id: ids[index]!, action: all[index]!.action };
      };
      const mayComeFromPeer = ({ childId, flow: one }: FromPeer): boolean => {
        const ofPair = decide(
          one,
          'inbound',
          (policy, id) => policy.action === 'discard' || (policy.action === 'protect' && id === childId),
        );
        return scopeMatches(installed.get(childId)!, one, 'inbound') && ofPair?.action === 'protect';
      };
      /** Whether the outputs since the last step are allowed now. */
      const check = (step: Step): void => {
        for (let output = plane.poll(); output !== undefined; output = plane.poll()) {
          if (output.kind === 'event') continue;
          if (output.kind === 'transmit') {
            const spi = readU32(output.octets, 0);
            const inner = output.octets.subarray(8, output.octets.length - integrityBytes);
            const one = [...flowsSeen].find(([hex]) => toHex(inner).startsWith(hex))?.[1];
            assert.ok(one !== undefined, 'only what was given leaves');
            const decision = decide(one, 'outbound');
            assert.equal(decision?.action, 'protect');
            assert.equal(spi, spiOf(decision.id));
            assert.ok(scopeMatches(installed.get(decision.id)!, one, 'outbound'));
            sent++;
            if (step.kind !== 'outbound') released++;
          } else if (output.kind === 'bypass') {
            const one = flowsSeen.get(toHex(output.packet));
            assert.ok(one !== undefined);
            assert.equal(decide(one, 'outbound')?.action, 'bypass');
            bypassed++;
          } else {
            if (step.kind === 'unprotected') {
              assert.equal(toHex(output.packet), toHex(packetOf(step.flow)));
              assert.equal(decide(step.flow, 'inbound')?.action, 'bypass');
              continue;
            }
            if (step.kind === 'inbound') {
              assert.equal(toHex(output.packet), toHex(packetOf(step.flow)));
              assert.ok(mayComeFromPeer(step));
              deliveredFromPeer++;
              continue;
            }
            assert.ok(step.kind === 'install' || step.kind === 'policy');
            const late = early.findIndex(
              (one) => toHex(output.packet) === toHex(packetOf(one.flow)) && mayComeFromPeer(one),
            );
            assert.ok(late >= 0, 'only what came before its SA is delivered when that stands');
            early.splice(late, 1);
            deliveredLate++;
          }
        }
      };

      for (const [at, step] of script.entries()) {
        switch (step.kind) {
          case 'outbound':
            flowsSeen.set(toHex(packetOf(step.flow)), step.flow);
            plane.outbound(packetOf(step.flow), at);
            break;
          case 'unprotected':
            plane.inboundUnprotected(packetOf(step.flow));
            break;
          case 'inbound': {
            const { receiver } = flow();
            if (!installed.has(step.childId)) early.push(step);
            const octets = fromPeer(step.childId, ++sequence, packetOf(step.flow));
            plane.inbound(
              {
                local: { address: receiver.local, port: 0 },
                remote: { address: receiver.remote, port: 0 },
                protocol: 'esp',
                octets,
              },
              at,
            );
            break;
          }
          case 'policy':
            rules.set(step.policyId, step.policy);
            assert.ok(
              plane.apply({ kind: 'install-policy', policy: parametersOf(step.policy, step.policyId) }, at)
                .ok,
            );
            break;
          case 'remove-policy':
            rules.delete(step.policyId);
            plane.apply({ kind: 'remove-policy', policyId: step.policyId }, at);
            break;
          case 'install': {
            if (installed.has(step.childId)) break;
            installed.set(step.childId, step.scope);
            const { out, into } = parametersFor(step.childId, step.scope);
            assert.ok(plane.apply({ kind: 'install', sa: out }, at).ok);
            assert.ok(plane.apply({ kind: 'install', sa: into }, at).ok);
            break;
          }
          case 'remove': {
            if (!installed.delete(step.childId)) break;
            const { out, into } = parametersFor(step.childId, { local: [], remote: [] });
            for (const sa of [out, into]) {
              const { protocol, direction, spi, childId } = sa;
              assert.ok(plane.apply({ kind: 'remove', protocol, direction, spi, childId }, at).ok);
            }
            break;
          }
        }
        check(step);
      }
      const { verdicts } = plane.stats();
      refused += verdicts['no-policy']! + verdicts['discarded']! + verdicts['outside-selectors']!;
    }),
    parameters,
  );
  return { sent, released, bypassed, deliveredFromPeer, deliveredLate, refused };
}

test('nothing is sent, let through or delivered that no policy allows', () => {
  explore({ numRuns: 300 });
});

test('the property is not kept by dropping everything: all ways across the boundary are used', () => {
  for (const [what, count] of Object.entries(explore({ seed: 1, numRuns: 600 }))) {
    assert.ok(count >= 10, `${what}: ${count}`);
  }
});
